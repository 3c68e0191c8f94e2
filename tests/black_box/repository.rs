//! The repository stands alone: its pages lead to files that it has, and to none outside of it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::Database;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// All files but those that nobody wrote: what is built, git's own, a data folder. Git is not asked,
/// because it need not be installed where a copy is tested.
fn files() -> Vec<PathBuf> {
    let not_ours = [".git", "data", "target", "fuzz/artifacts", "fuzz/corpus", "fuzz/target"];
    let not_ours = not_ours.map(|name| root().join(name));
    let (mut folders, mut files) = (vec![root()], Vec::new());
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        for path in entries.filter(|path| !not_ours.contains(path)) {
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files
}

/// The targets of a page's links, without those to other places of the web.
fn links(markdown: &str) -> Vec<&str> {
    let blocks = markdown.split("```").step_by(2);
    let targets = blocks.flat_map(|text| text.split("](").skip(1));
    let targets = targets.filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.contains("://") && !target.starts_with("mailto:")).collect()
}

/// The anchor that a heading gets (as on GitHub).
fn anchor(heading: &str) -> String {
    let heading = heading.trim().to_lowercase();
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn has_anchor(page: &str, wanted: &str) -> bool {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| anchor(line.trim_start_matches('#'))).any(|found| found == wanted)
}

/// Why a link of this page leads nowhere.
fn fault(page: &Path, text: &str, link: &str) -> Option<String> {
    let (path, wanted) = link.split_once('#').map_or((link, None), |(path, at)| (path, Some(at)));
    let target = if path.is_empty() { page.to_owned() } else { page.with_file_name(path) };
    let target = target.canonicalize().ok().filter(|target| target.starts_with(root()));
    let Some(target) = target else { return Some("there is no such file".to_owned()) };
    let wanted = wanted?;
    let there = if path.is_empty() { text.to_owned() } else { fs::read_to_string(target).unwrap() };
    (!has_anchor(&there, wanted)).then(|| format!("it has no heading #{wanted}"))
}

#[test]
fn every_link_between_pages_leads_to_something() {
    let pages = files().into_iter().filter(|file| file.extension().is_some_and(|e| e == "md"));
    let mut count = 0;
    let mut faults = Vec::new();
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        for link in links(&text) {
            count += 1;
            let fault = fault(&page, &text, link);
            faults.extend(fault.map(|fault| format!("{} -> {link}: {fault}", page.display())));
        }
    }
    assert!(count > 20, "{count} links were found");
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let page = root().join("docs/domain.md");
    let text = "# Terms of use\n";
    let fault = |link| fault(&page, text, link);
    assert_eq!(fault("../README.md"), None);
    assert_eq!(fault("adr"), None);
    assert_eq!(fault("#terms-of-use"), None);
    assert!(fault("#terms").is_some());
    assert!(fault("README.md").is_some());
    assert!(fault("../README.md#no-such-heading").is_some());
    // It is there, but not in a clone.
    assert!(fault("../..").is_some());
    assert_eq!(links("[a](b.md), [c](https://example.org) ```[d](e)``` [f](g#h)"), ["b.md", "g#h"]);
}

#[test]
fn nothing_outside_of_the_repository_is_named() {
    // Written apart, or this file would name it.
    let outside = ["..", "shared"].join("/");
    let names = |file: &PathBuf| {
        let text = fs::read(file).unwrap();
        String::from_utf8_lossy(&text).contains(&outside)
    };
    let found: Vec<PathBuf> = files().into_iter().filter(names).collect();
    assert!(found.is_empty(), "{found:?}");
}

/// What `docker compose up` starts and passes on: its file says of the rest how it is switched on.
#[test]
fn compose_starts_a_database_and_daybook_alone_and_passes_on_what_serve_knows() {
    let compose = fs::read_to_string(root().join("docker-compose.yml")).unwrap();
    let (head, rest) = compose.split_once("\nservices:\n").unwrap();
    let services = rest.split("\nvolumes:\n").next().unwrap();
    let (mut by_default, mut variables) = (Vec::new(), Vec::new());
    for line in services.lines() {
        let text = line.trim();
        if line.len() == text.len() + 2 && text.ends_with(':') {
            by_default.push(text.trim_end_matches(':'));
        } else if let Some(profiles) = text.strip_prefix("profiles: [") {
            for profile in profiles.trim_end_matches(']').split(", ") {
                let said = head.contains(&format!("#   {profile} "));
                assert!(said, "{profile}: how is it switched on?");
            }
            by_default.pop();
        } else if by_default.last() == Some(&"daybook")
            && let Some((name, _)) =
                text.split_once(':').filter(|(name, _)| name.starts_with("DAYBOOK_"))
        {
            variables.push(name);
        }
    }
    assert_eq!(by_default, ["postgres", "daybook"]);
    let options = Database::unreachable().run(&["serve", "--help"]).succeeded();
    assert!(variables.len() > 4, "{variables:?}");
    for name in variables {
        assert!(options.contains(&format!("[env: {name}")), "{name} is no option of serve");
    }
}
