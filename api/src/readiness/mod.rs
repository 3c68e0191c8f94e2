//! Whether this program can be sent requests, and whether it has started: kept in memory, so that whoever asks, and
//! however often, is answered at once.
//!
//! It is about this program alone. That a tenant's projections are behind, or stand still at an event, is not: they
//! are behind for all programs, and taking these away one by one helps nobody.

mod checker;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use daybook_projections::BuildStatus;
use tokio::time::Instant;

pub use checker::Checker;

/// What a program needs to be ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// The connections by which it reads.
    Readers,
    /// The connections by which it appends.
    Committers,
    /// That the projections that it reads are made.
    Projections,
}

impl Check {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Readers => "readers",
            Self::Committers => "committers",
            Self::Projections => "projections",
        }
    }

    pub(crate) const fn failure(self) -> &'static str {
        match self {
            Self::Readers => "the database cannot be reached by those who read",
            Self::Committers => "the database cannot be reached by those who append",
            Self::Projections => "projections are being built",
        }
    }
}

/// How long after the last question checks go on whose only use is to answer it.
const ASKED_LATELY: Duration = Duration::from_secs(30);

/// Whether the program is ready. Cheap to clone; nothing is ready until a [`Checker`] has said so.
#[derive(Clone)]
pub struct Readiness(Arc<Mutex<Known>>);

/// What is known.
#[derive(Clone)]
pub(crate) struct Known {
    /// Each check, and whether it held when it was made last.
    pub(crate) checks: Vec<(Check, bool)>,
    /// The projections that are not made yet.
    pub(crate) builds: Vec<BuildStatus>,
    pub(crate) builds_seen_at: DateTime<Utc>,
    /// The program is stopping: it goes on answering, and is to be sent no more.
    pub(crate) draining: bool,
    /// All checks have held once.
    pub(crate) started: bool,
    asked_at: Instant,
}

impl Known {
    pub(crate) fn failed(&self) -> impl Iterator<Item = Check> {
        self.checks.iter().filter(|(_, holds)| !holds).map(|(check, _)| *check)
    }
}

impl Readiness {
    /// Not ready, until these checks hold.
    #[must_use]
    pub fn of(checks: impl IntoIterator<Item = Check>) -> Self {
        Self(Arc::new(Mutex::new(Known {
            checks: checks.into_iter().map(|check| (check, false)).collect(),
            builds: Vec::new(),
            builds_seen_at: DateTime::UNIX_EPOCH,
            draining: false,
            started: false,
            asked_at: Instant::now(),
        })))
    }

    /// From now on it is not ready: the program is stopping.
    pub fn drain(&self) {
        self.change(|known| known.draining = true);
    }

    /// What is known now, for one who asks.
    pub(crate) fn ask(&self) -> Known {
        self.change(|known| known.asked_at = Instant::now());
        self.change(|known| known.clone())
    }

    fn is_asked(&self) -> bool {
        self.change(|known| known.asked_at.elapsed() < ASKED_LATELY)
    }

    fn has(&self, check: Check) -> bool {
        self.change(|known| known.checks.iter().any(|(one, _)| *one == check))
    }

    fn note(&self, check: Check, holds: bool) {
        self.change(|known| {
            let noted = known.checks.iter_mut().find(|(one, _)| *one == check);
            if let Some((_, held)) = noted {
                if *held && !holds {
                    tracing::warn!(check = check.as_str(), "not ready: {}", check.failure());
                }
                *held = holds;
            }
            known.started |= known.checks.iter().all(|(_, holds)| *holds);
        });
    }

    fn holds(&self, check: Check) -> bool {
        self.change(|known| known.checks.contains(&(check, true)))
    }

    fn change<T>(&self, change: impl FnOnce(&mut Known) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_ready_while_all_checks_hold_and_has_started_once_they_have() {
        let readiness = Readiness::of([Check::Readers, Check::Committers]);
        readiness.note(Check::Readers, true);
        // It is none of this program's.
        readiness.note(Check::Projections, false);
        let failed = || readiness.ask().failed().collect::<Vec<_>>();
        assert_eq!((failed(), readiness.ask().started), (vec![Check::Committers], false));
        readiness.note(Check::Committers, true);
        assert_eq!((failed(), readiness.ask().started), (vec![], true));
        readiness.note(Check::Readers, false);
        assert_eq!((failed(), readiness.ask().started), (vec![Check::Readers], true));
    }
}
