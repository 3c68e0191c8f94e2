//! Whether a history is linearizable: the search of Wing and Gong ("Testing and Verifying Concurrent Objects",
//! 1993), which remembers where it has been as Lowe has it ("Testing for Linearizability", 2017).
//!
//! How a calendar stands after some operations is all that matters for those that are left. So what led
//! nowhere once, the same operations done and the calendar as it was, is not tried in another order.

use std::collections::HashSet;
use std::time::Duration;

use super::calendar::{Ask, Calendar, Reply};

/// What was asked of a calendar, and when.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) ask: Ask,
    pub(super) sent: Duration,
    pub(super) end: End,
}

/// What came of it.
#[derive(Clone, Debug)]
pub(super) enum End {
    Answered(Duration, Reply),
    /// It may be done at any time after it was sent, or never.
    Open,
}

/// How a search ended.
#[derive(Debug, PartialEq)]
pub(super) struct Verdict {
    pub(super) linearizable: bool,
    /// How many different ones of "so much is done, and the calendar is this" were looked at.
    pub(super) looked_at: usize,
}

/// A number per operation.
type Set = u128;

/// Whether there is an order of the operations, each between its sending and its answer, in which a calendar
/// would have given these answers.
pub(super) fn check(history: &[Asked]) -> Verdict {
    assert!(
        history.len() < Set::BITS as usize,
        "a set has no room for {} operations",
        history.len()
    );
    let mut search = Search { history, seen: HashSet::new() };
    let linearizable = search.goes_on(0, &Calendar::default());
    Verdict { linearizable, looked_at: search.seen.len() }
}

struct Search<'a> {
    history: &'a [Asked],
    seen: HashSet<(Set, Calendar)>,
}

impl Search<'_> {
    /// Whether those that are not done yet can follow.
    fn goes_on(&mut self, done: Set, calendar: &Calendar) -> bool {
        if !self.seen.insert((done, calendar.clone())) {
            return false;
        }
        let history = self.history;
        let left = || history.iter().enumerate().filter(|(nth, _)| done & (1 << nth) == 0);
        let answers = left().filter_map(|(_, asked)| match asked.end {
            End::Answered(at, _) => Some(at),
            End::Open => None,
        });
        // One that was sent after the answer to another comes after that other. At the same instant, whatever was
        // sent was sent before anything was answered: that allows most.
        let Some(first_answer) = answers.min() else { return true };
        left().filter(|(_, asked)| asked.sent <= first_answer).any(|(nth, asked)| {
            let mut after = calendar.clone();
            let fits = match &asked.end {
                End::Answered(_, reply) => after.answers(&asked.ask, reply),
                // To do what changes nothing is no different from not doing it.
                End::Open => {
                    after.act(&asked.ask);
                    after != *calendar
                }
            };
            fits && self.goes_on(done | 1 << nth, &after)
        })
    }
}
