//! Imports every calendar below a folder, each into a tenant of its own of a database that is gone afterwards, and
//! says what came in: by the program that wrote it, and by the reason why not.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::python::target;
use crate::shell::{Failure, output, root, run, say};

/// So many programs have a row of their own: those with most events.
const ROWS: usize = 40;

pub(crate) fn import(folder: &str) -> Result<(), Failure> {
    run(Command::new(env!("CARGO")).args(["build", "--package", "daybook"]).current_dir(root()))?;
    let program = target()?.join("debug/daybook");
    let scratch = env::temp_dir().join(format!("daybook-corpus-{}", std::process::id()));
    let imported = imported(&program, folder, &scratch);
    // What is left is only what PostgreSQL had.
    let _ = fs::remove_dir_all(&scratch);
    let said = imported?;
    say(&Corpus::of(&said).table());
    Ok(())
}

fn imported(program: &Path, folder: &str, scratch: &Path) -> Result<String, Failure> {
    let said = output(
        Command::new(program)
            .args(["import", folder, "--tenant", "corpus", "--apart"])
            .env_remove("DAYBOOK_DATABASE_URL")
            .env("DAYBOOK_DATA_DIR", scratch),
    )?;
    Ok(String::from_utf8_lossy(&said).into_owned())
}

/// What became of all files.
#[derive(Debug, Default, PartialEq, Eq)]
struct Corpus {
    programs: BTreeMap<String, Counts>,
    /// How many events were refused so, of all programs.
    reasons: BTreeMap<String, usize>,
    /// How many files were not read for a reason.
    unread: BTreeMap<String, usize>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Counts {
    files: usize,
    events: usize,
    refused: usize,
}

impl Corpus {
    /// Reads what `daybook import --apart` says.
    fn of(said: &str) -> Self {
        let mut corpus = Self::default();
        let mut refused: BTreeSet<(&str, &str)> = BTreeSet::new();
        for line in said.lines() {
            let fields: Vec<&str> = line.split('\t').collect();
            match fields.as_slice() {
                // An event that recurs may be refused more than once.
                ["refused", path, program, line, why] if refused.insert((path, line)) => {
                    *corpus.reasons.entry(kind(why)).or_default() += 1;
                    corpus.programs.entry((*program).to_owned()).or_default().refused += 1;
                }
                ["file", _, program, events] => {
                    let counts = corpus.programs.entry((*program).to_owned()).or_default();
                    counts.files += 1;
                    counts.events += events.parse::<usize>().unwrap_or_default();
                }
                ["unread", _, why] => *corpus.unread.entry(kind(why)).or_default() += 1,
                _ => {}
            }
        }
        corpus
    }

    fn table(&self) -> String {
        let mut programs: Vec<(&String, &Counts)> = self.programs.iter().collect();
        programs.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.events));
        let mut lines = vec![row("program", "files", "events", "came in", "%")];
        let all = programs.iter().fold(Counts::default(), |all, (_, counts)| all.and(**counts));
        let others =
            programs.iter().skip(ROWS).fold(Counts::default(), |all, (_, it)| all.and(**it));
        lines.extend(programs.iter().take(ROWS).map(|(name, counts)| counts.row(name)));
        if others.files > 0 {
            lines.push(others.row("(others)"));
        }
        lines.push(all.row("(all)"));
        for (title, counts) in [("events refused", &self.reasons), ("files not read", &self.unread)]
        {
            let mut counts: Vec<(&String, &usize)> = counts.iter().collect();
            counts.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
            lines.push(format!("\n{title}"));
            lines.extend(counts.into_iter().map(|(why, count)| format!("{count:>8}  {why}")));
        }
        lines.join("\n")
    }
}

impl Counts {
    fn and(self, other: Self) -> Self {
        Self {
            files: self.files + other.files,
            events: self.events + other.events,
            refused: self.refused + other.refused,
        }
    }

    fn row(self, name: &str) -> String {
        let came_in = self.events.saturating_sub(self.refused);
        let tenths = (came_in * 1000).checked_div(self.events);
        let percent = tenths.map_or_else(String::new, |it| format!("{}.{}", it / 10, it % 10));
        let [files, events] = [self.files, self.events].map(|count| count.to_string());
        row(name, &files, &events, &came_in.to_string(), &percent)
    }
}

fn row(name: &str, files: &str, events: &str, came_in: &str, percent: &str) -> String {
    let name: String = name.chars().take(60).collect();
    format!("{name:<60} {files:>6} {events:>8} {came_in:>8} {percent:>6}")
}

/// What is said, without what is another thing each time.
fn kind(why: &str) -> String {
    if let Some((_, rest)) = why.split_once(" is taken ") {
        return format!("a place is taken {}", rest.split(' ').next().unwrap_or_default());
    }
    let (said, value) = why.split_once(": ").unwrap_or((why, ""));
    let said = said.split('"').step_by(2).collect::<Vec<_>>().join("…");
    let mut kind = String::new();
    for character in said.chars() {
        match (character.is_ascii_digit(), kind.ends_with('N')) {
            (true, true) => {}
            (true, false) => kind.push('N'),
            (false, _) => kind.push(character),
        }
    }
    if value.is_empty() { kind } else { format!("{kind}: …") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_counted_by_program_and_refusals_by_kind() {
        let said = "refused\ta.ics\tP\t4\tRoom 9 is taken from 2027 to 2028\n\
                    refused\ta.ics\tP\t4\tRoom 9 is taken from 2029 to 2030\n\
                    refused\ta.ics\tP\t9\tthe time zone \"Mars\" is not known\n\
                    file\ta.ics\tP\t10\n\
                    refused\tb.ics\tQ\t4\tthe time zone \"Moon\" is not known\n\
                    file\tb.ics\tQ\t1\n\
                    unread\tc.ics\tline 3 ends A, but B is open there\n\
                    unread\td.ics\tline 77 ends A, but B is open there\n";
        let corpus = Corpus::of(said);
        assert_eq!(corpus.programs["P"], Counts { files: 1, events: 10, refused: 2 });
        let reasons: Vec<_> =
            corpus.reasons.iter().map(|(why, count)| (why.as_str(), *count)).collect();
        assert_eq!(reasons, [("a place is taken from", 1), ("the time zone … is not known", 2)]);
        assert_eq!(corpus.unread["line N ends A, but B is open there"], 2);
        let table = corpus.table();
        assert!(table.contains("80.0") && table.contains("(all)"), "{table}");
    }

    #[test]
    fn a_reason_is_the_same_whatever_it_is_about() {
        assert_eq!(kind("DTSTART is not a valid time: tomorrow"), "DTSTART is not a valid time: …");
        assert_eq!(
            kind("SUMMARY has 301 characters, and at most 300 can be kept"),
            "SUMMARY has N characters, and at most N can be kept"
        );
    }
}
