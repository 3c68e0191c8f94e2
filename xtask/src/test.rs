//! `cargo xtask test`: everything that must hold before a commit.

use std::env;
use std::io::{BufRead as _, BufReader};
use std::num::NonZero;
use std::process::{Command, Stdio};
use std::thread;

use crate::shell::{Failure, cargo, complain, not_started, run, say, shown};
use crate::steps::Steps;
use crate::tally::Tally;
use crate::{debian, deny, kubectl, logs, node, openapi, python};

/// What the program can do but does not do by itself is tested, too; always with the same, so that nothing is built
/// twice.
pub(crate) const FEATURES: &str = "--features=daybook/otlp";

/// All of it, in the order in which it is cheap to fail.
pub(crate) fn everything() -> Result<(), Failure> {
    let mut steps = Steps::default();
    let outcome = all_steps(&mut steps);
    say(&steps.summary());
    if outcome.is_ok() {
        say("\neverything holds");
    }
    outcome
}

fn all_steps(steps: &mut Steps) -> Result<(), Failure> {
    steps.take("format", || run(&mut cargo(&["fmt", "--all", "--check"])))?;
    steps.take("dependencies", deny::check)?;
    // Most tests do without: those that do not will fail, and say so.
    let python = steps.take("python", python::ensure);
    let node = steps.take("node", node::ensure);
    let programs = steps.take("programs", debian::ensure);
    let kubectl = steps.take("kubectl", kubectl::ensure);
    steps.take("clippy", || {
        let arguments =
            ["clippy", "--workspace", "--all-targets", FEATURES, "--", "-D", "warnings"];
        run(&mut cargo(&arguments))
    })?;
    steps.take("build", build)?;
    // Independent of each other: a reader wants to hear of both.
    let document = steps.take("openapi", openapi::compare);
    logs::clear()?;
    let tests = steps.take("tests", || cargo_test(&[]));
    let logs = steps.take("logs", logs::check);
    let failed: Vec<String> = [python, node, programs, kubectl, document, tests, logs]
        .into_iter()
        .filter_map(Result::err)
        .map(|it| it.to_string())
        .collect();
    if failed.is_empty() { Ok(()) } else { Err(Failure::new(failed.join("\nxtask: "))) }
}

/// Only the tests, and of them only what `selection` (arguments of `cargo test`) selects.
pub(crate) fn selected(selection: &[&str]) -> Result<(), Failure> {
    if runs_black_box_tests(selection) {
        for ensured in [python::ensure(), node::ensure(), debian::ensure(), kubectl::ensure()] {
            if let Err(failure) = ensured {
                complain(&failure.to_string());
            }
        }
    }
    if names_a_package(selection) {
        // The features of one package's dependencies are not those of the whole workspace's: what
        // `build` makes would not be what its tests are linked with.
        let mut build = cargo(&["build", FEATURES]);
        for program in ["daybook", "daybook-next", "daybook-consumer"] {
            build.args(["--package", program]);
        }
        run(&mut build)?;
    } else {
        build()?;
    }
    cargo_test(selection)
}

/// Has the test of the examples write them.
pub(crate) fn examples() -> Result<(), Failure> {
    build()?;
    let mut test = cargo(&["test", "--workspace", FEATURES, "--test", "black-box", "--", EXAMPLES]);
    run(test.env("DAYBOOK_EXAMPLES", "write"))
}

/// The test that asks for each example.
const EXAMPLES: &str = "every_operation::examples::each_example";

/// Has the test that derives the schemas of events write them.
pub(crate) fn events() -> Result<(), Failure> {
    let mut test = cargo(&["test", "--package", "daybook-domain", "--lib", "--", EVENTS]);
    run(test.env("DAYBOOK_EVENTS", "write"))
}

/// The test that compares the schemas of events with their types.
const EVENTS: &str = "schemas::tests::what_events_say";

/// The program that the black-box tests run, and in the same go the tests themselves: built with
/// other features selected, the program and all that it depends on would be built twice.
fn build() -> Result<(), Failure> {
    run(&mut cargo(&["build", "--workspace", "--all-targets", FEATURES]))
}

fn cargo_test(selection: &[&str]) -> Result<(), Failure> {
    let whole: &[&str] = if names_a_package(selection) { &[] } else { &["--workspace", FEATURES] };
    let mut command = cargo(&[&["test", "--no-fail-fast"], whole, selection].concat());
    if env::var_os(THREADS).is_none() {
        command.env(THREADS, threads().to_string());
    }
    let (tally, succeeded) = tallied(&mut command)?;
    let Tally { passed, failed, ignored, reports, .. } = &tally;
    say(&format!("{passed} passed, {failed} failed, {ignored} ignored in {reports} binaries"));
    verdict(&tally, succeeded)
}

/// How many tests of a binary run at once, in libtest's words.
const THREADS: &str = "RUST_TEST_THREADS";

/// Twice as many as there are processors: a test often waits, for a hold to lapse or a server to start.
///
/// cargo-nextest is no help here: its tests are a process each, and those that need PostgreSQL share one
/// within their process.
fn threads() -> usize {
    2 * thread::available_parallelism().map_or(1, NonZero::get)
}

/// Only those run other programs than daybook.
fn runs_black_box_tests(selection: &[&str]) -> bool {
    !names_a_package(selection) || selection.iter().any(|word| word.contains("daybook-tests"))
}

fn names_a_package(selection: &[&str]) -> bool {
    let mut options = selection.iter().take_while(|word| **word != "--");
    options.any(|word| word.starts_with("-p") || word.starts_with("--package"))
}

/// Runs the tests, shows what they say as they say it, and counts.
fn tallied(command: &mut Command) -> Result<(Tally, bool), Failure> {
    let shown = shown(command);
    let failed = |error| not_started(&shown, &error);
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(failed)?;
    let mut tally = Tally::default();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n') {
            let line = line.map_err(failed)?;
            let line = String::from_utf8_lossy(&line);
            tally.note(&line);
            say(&line);
        }
    }
    let status = child.wait().map_err(failed)?;
    Ok((tally, status.success()))
}

/// A test that is ignored has not passed; and where no test reported, none has run.
fn verdict(tally: &Tally, succeeded: bool) -> Result<(), Failure> {
    let names = || tally.not_passed.iter().fold(String::new(), |all, name| all + "\n  " + name);
    if !succeeded || tally.failed > 0 {
        return Err(Failure::new(format!("tests failed:{}", names())));
    }
    if tally.ignored > 0 {
        return Err(Failure::new(format!("tests were ignored, which proves nothing:{}", names())));
    }
    if tally.reports == 0 {
        return Err(Failure::new("no test has reported"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_may_name_a_package() {
        assert!(names_a_package(&["-p", "daybook-store"]));
        assert!(names_a_package(&["--package=daybook-store", "--", "claims"]));
        assert!(!names_a_package(&["--", "-p"]));
        assert!(!names_a_package(&["--test", "black-box"]));
    }

    #[test]
    fn only_a_run_without_failed_and_ignored_tests_passes() {
        let run = |passed, failed, ignored, succeeded| {
            let tally = Tally { passed, failed, ignored, reports: 1, ..Tally::default() };
            verdict(&tally, succeeded).is_ok()
        };
        assert!(run(3, 0, 0, true));
        assert!(!run(3, 0, 1, true));
        assert!(!run(3, 1, 0, false));
        // A binary that crashes reports nothing.
        assert!(!run(3, 0, 0, false));
    }

    #[test]
    fn a_run_in_which_nothing_reported_does_not_pass() {
        assert!(verdict(&Tally::default(), true).is_err());
    }
}
