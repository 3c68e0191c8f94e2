//! Imports every calendar below a folder, each into a tenant of its own of a database that is gone afterwards, and
//! says what came in: by the program that wrote it, and by the reason why not.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::python::target;
use crate::shell::{Failure, cargo, output, run, say};
use crate::test::FEATURES;

/// So many programs have a row of their own: those with most events.
const ROWS: usize = 40;

pub(crate) fn import(folder: &str) -> Result<(), Failure> {
    run(&mut cargo(&["build", "--package", "daybook", FEATURES]))?;
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

/// Those whose programs most people leave, by what is in the PRODID of each: each has a row of its own.
const MAKERS: [(&str, &[&str]); 4] = [
    ("Google", &["google"]),
    ("Apple", &["apple", "icloud", "calendarserver"]),
    ("Microsoft", &["microsoft"]),
    ("Mozilla", &["mozilla"]),
];

/// All others.
const NO_MAKER: &str = "others";

fn maker(program: &str) -> &'static str {
    let program = program.to_lowercase();
    let is_of = |(_, words): &&(&str, &[&str])| words.iter().any(|word| program.contains(word));
    MAKERS.iter().find(is_of).map_or(NO_MAKER, |(name, _)| name)
}

/// What became of all files.
#[derive(Debug, Default, PartialEq, Eq)]
struct Corpus {
    programs: BTreeMap<String, Counts>,
    /// How many events were refused so, by the maker of their program.
    reasons: BTreeMap<String, BTreeMap<&'static str, usize>>,
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
                    let reason = corpus.reasons.entry(kind(why)).or_default();
                    *reason.entry(maker(program)).or_default() += 1;
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
        lines.push(String::new());
        for name in MAKERS.iter().map(|(name, _)| *name).chain([NO_MAKER]) {
            let own = programs.iter().filter(|(program, _)| maker(program) == name);
            lines.push(own.fold(Counts::default(), |all, (_, it)| all.and(**it)).row(name));
        }
        let refused = self.reasons.iter().map(|(why, makers)| {
            let of = makers.iter().map(|(maker, count)| format!("{maker} {count}"));
            (
                makers.values().sum::<usize>(),
                format!("{why} ({})", of.collect::<Vec<_>>().join(", ")),
            )
        });
        lines.extend(counted("events refused", refused));
        let unread = self.unread.iter().map(|(why, count)| (*count, why.clone()));
        lines.extend(counted("files not read", unread));
        lines.join("\n")
    }
}

/// A list with the most frequent first, below its title.
fn counted(title: &str, all: impl Iterator<Item = (usize, String)>) -> Vec<String> {
    let mut all: Vec<(usize, String)> = all.collect();
    all.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let lines = all.into_iter().map(|(count, what)| format!("{count:>8}  {what}"));
    std::iter::once(format!("\n{title}")).chain(lines).collect()
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
        let said = "refused\ta.ics\t-//Google//P\t4\tRoom 9 is taken from 2027 to 2028\n\
                    refused\ta.ics\t-//Google//P\t4\tRoom 9 is taken from 2029 to 2030\n\
                    refused\ta.ics\t-//Google//P\t9\tthe time zone \"Mars\" is not known\n\
                    file\ta.ics\t-//Google//P\t10\n\
                    refused\tb.ics\tQ\t4\tthe time zone \"Moon\" is not known\n\
                    file\tb.ics\tQ\t1\n\
                    unread\tc.ics\tline 3 ends A, but B is open there\n\
                    unread\td.ics\tline 77 ends A, but B is open there\n";
        let corpus = Corpus::of(said);
        assert_eq!(corpus.programs["-//Google//P"], Counts { files: 1, events: 10, refused: 2 });
        let expected = [
            ("a place is taken from", vec![("Google", 1)]),
            ("the time zone … is not known", vec![("Google", 1), (NO_MAKER, 1)]),
        ];
        let expected = expected.map(|(why, of)| (why.to_owned(), of.into_iter().collect()));
        assert_eq!(corpus.reasons, BTreeMap::from(expected));
        assert_eq!(corpus.unread["line N ends A, but B is open there"], 2);
        let table = corpus.table();
        assert!(table.contains("80.0") && table.contains("(all)"), "{table}");
        assert!(table.contains("the time zone … is not known (Google 1, others 1)"), "{table}");
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
