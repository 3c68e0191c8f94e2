//! `docs/security.md` says which test shows what: each of these is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn tests_in(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tests_in(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path).unwrap();
            let after = source.split("#[test]\nfn ").skip(1);
            names.extend(after.filter_map(|rest| rest.split('(').next()).map(str::to_owned));
        }
    }
}

#[test]
fn each_test_that_the_page_names_is_there() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut there = BTreeSet::new();
    tests_in(&here.join("black_box"), &mut there);
    let page = fs::read_to_string(here.join("../docs/security.md")).unwrap();
    let threats = page.split("## Threats").nth(1).expect("the page has the section");
    let words = threats.split('`').skip(1).step_by(2);
    // Names of tests are sentences.
    let named: Vec<&str> =
        words.filter(|word| word.matches('_').count() > 3 && !word.contains(['-', ' '])).collect();
    assert!(named.len() > 20, "{named:?}");
    let missing: Vec<_> = named.into_iter().filter(|name| !there.contains(*name)).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}
