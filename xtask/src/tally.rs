//! What cargo's tests said, added up.

use std::collections::BTreeSet;

/// The sums of all `test result:` lines.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) ignored: u64,
    /// Test binaries (and sets of documentation tests) that reported.
    pub(crate) reports: u64,
    /// The tests that did not pass, by name.
    pub(crate) not_passed: BTreeSet<String>,
}

impl Tally {
    /// Takes note of a line of libtest's output.
    pub(crate) fn note(&mut self, line: &str) {
        if let Some(name) = line.strip_prefix("test ").and_then(not_passed) {
            self.not_passed.insert(name.to_owned());
        }
        // test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.01s
        let Some((_, counts)) =
            line.strip_prefix("test result: ").and_then(|result| result.split_once(". "))
        else {
            return;
        };
        self.reports += 1;
        for count in counts.split("; ") {
            match count.split_once(' ').map(|(number, what)| (number.parse::<u64>(), what)) {
                Some((Ok(number), "passed")) => self.passed += number,
                Some((Ok(number), "failed")) => self.failed += number,
                Some((Ok(number), "ignored")) => self.ignored += number,
                _ => {}
            }
        }
    }
}

fn not_passed(rest: &str) -> Option<&str> {
    let (name, verdict) = rest.rsplit_once(" ... ")?;
    (verdict.starts_with("FAILED") || verdict.starts_with("ignored")).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(output: &str) -> Tally {
        let mut tally = Tally::default();
        output.lines().for_each(|line| tally.note(line));
        tally
    }

    #[test]
    fn the_results_of_all_binaries_are_added_up() {
        let tally = of("\
running 2 tests
test a::adds ... ok
test a::subtracts ... ok

test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 5 filtered out; finished in 0.00s

running 3 tests
test b::waits ... ignored, takes long
test b::breaks ... FAILED
test b::holds ... ok

test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 1.20s
");
        let not_passed = ["b::breaks", "b::waits"].map(str::to_owned);
        assert_eq!(
            tally,
            Tally { passed: 3, failed: 1, ignored: 1, reports: 2, not_passed: not_passed.into() }
        );
    }

    #[test]
    fn what_a_test_prints_is_not_counted() {
        assert_eq!(of("a test result: ok. 2 passed\nin test x ... FAILED"), Tally::default());
    }
}
