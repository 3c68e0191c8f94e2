//! Words are folded as Python folds them, whose tables of Unicode have nothing to do with ours: every character alone, and
//! texts by chance of those that have more than one form.

#![expect(
    clippy::unwrap_used,
    reason = "all of this is test code, and clippy sees only `#[test]`s"
)]

use std::fmt::Write as _;
use std::io::Write as _;
use std::ops::Range;
use std::path::Path;
use std::process::{Command, Stdio};

use daybook_domain::folded;
use proptest::prelude::{Strategy as _, prop};
use proptest::sample::select;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

/// Beyond these no character has another form.
const CHARACTERS: Range<char> = '\0'..'\u{40000}';
const TEXTS: usize = 5_000;

/// With python3 of the PATH, 3.11 or later.
fn python(texts: &[String]) -> Vec<Option<String>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spelling.py");
    let mut child = Command::new("python3")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = String::new();
    for text in texts {
        let numbers: Vec<String> = text.chars().map(|one| u32::from(one).to_string()).collect();
        writeln!(input, "{}", numbers.join(" ")).unwrap();
    }
    let mut stdin = child.stdin.take().unwrap();
    let writing = std::thread::spawn(move || stdin.write_all(input.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writing.join().unwrap();
    assert!(output.status.success());
    let text = |line: &str| -> Option<String> {
        let character = |number: &str| char::from_u32(number.parse().ok()?);
        line.split(' ').filter(|number| !number.is_empty()).map(character).collect()
    };
    String::from_utf8(output.stdout).unwrap().lines().map(text).collect()
}

#[test]
fn spellings_are_folded_as_python_folds_them_and_to_what_folds_to_itself() {
    let mut texts: Vec<String> = CHARACTERS.map(String::from).collect();
    let has_forms = |one: &String| folded(one) != *one;
    let mut parts: Vec<String> = texts.iter().filter(|one| has_forms(one)).cloned().collect();
    parts.extend(["a", "i", "s", " ", "-"].map(str::to_owned));
    let text = prop::collection::vec(select(parts), 2..8);
    let mut runner = TestRunner::deterministic();
    texts.extend((0..TEXTS).map(|_| text.new_tree(&mut runner).unwrap().current().concat()));
    let compared = texts.iter().zip(python(&texts)).filter_map(|(text, theirs)| {
        let (ours, theirs) = (folded(text), theirs?);
        assert_eq!(ours, theirs, "{text:?}");
        assert_eq!(folded(&ours), ours, "{text:?}");
        Some(())
    });
    assert!(compared.count() > texts.len() / 10);
}
