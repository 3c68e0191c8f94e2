//! What became of an import, as it is printed.

use daybook_api::imports::{ImportCounts, ImportOutcome, ImportVerdict};

/// The counts in a line: what is nought is left out, but for three.
pub(crate) fn counts(counts: &ImportCounts) -> String {
    let always = |what: &str, count: u64| Some(format!("{what} {count}"));
    let if_any = |what: &str, count: u64| (count > 0).then(|| format!("{what} {count}"));
    let parts = [
        always("booked", counts.booked),
        if_any("moved", counts.moved),
        if_any("changed", counts.changed),
        if_any("cancelled", counts.cancelled),
        always("already there", counts.already_there),
        if_any("not taking place", counts.not_taking_place),
        if_any("left as changed here", counts.left),
        always("refused", counts.refused),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// An outcome in a line.
pub(crate) fn outcome(outcome: &ImportOutcome, dry_run: bool) -> String {
    let ImportOutcome { outcome, line, event, message } = outcome;
    let verdict = match outcome {
        ImportVerdict::Booked => "booked",
        ImportVerdict::Moved => "moved",
        ImportVerdict::Changed => "changed",
        ImportVerdict::Cancelled => "cancelled",
        ImportVerdict::Left => "left",
        ImportVerdict::Refused => "refused",
    };
    let would = if dry_run { "would be " } else { "" };
    format!("{would}{verdict}: line {line}: {event}: {message}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_tell_what_there_is_and_three_that_there_may_not_be() {
        let none = ImportCounts::default();
        assert_eq!(counts(&none), "booked 0, already there 0, refused 0");
        let some = ImportCounts { booked: 1, moved: 2, left: 3, ..none };
        let line = "booked 1, moved 2, already there 0, left as changed here 3, refused 0";
        assert_eq!(counts(&some), line);
    }
}
