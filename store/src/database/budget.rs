//! How many connections a program may have, and what they are for: the one place where they are shared out.

use crate::log::COMMITTER_CONNECTIONS;

/// How many connections a program may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget(u32);

/// The fewest that all of a program's work can be done with.
const FEWEST: u32 = 13;

/// More than any server holds.
const MOST: u32 = 10_000;

/// Follows the server: its clock, whether it lives, whether it is the one that takes writes.
const KEEPER: u32 = 1;

/// Tell other programs of commits, and hear of theirs.
pub(crate) const WAKEUPS: u32 = 2;

/// Says that the program lives, however busy the others are.
pub(crate) const HEARTBEAT: u32 = 1;

/// A rebuild's lock, and what makes tables and drops those that were replaced.
const REBUILD: u32 = 2;

/// What each program has, whatever its budget.
const FIXED: u32 = KEEPER + WAKEUPS + HEARTBEAT + REBUILD;

/// More committers than this do not append more.
const MOST_COMMITTERS: u32 = 4;

/// What the connections of a program are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shares {
    /// Each has [`COMMITTER_CONNECTIONS`].
    pub(crate) committers: u32,
    pub(crate) readers: u32,
    pub(crate) claim_readers: u32,
}

impl Shares {
    /// All connections of a program that has these.
    pub(crate) fn connections(self) -> u32 {
        let Self { committers, readers, claim_readers } = self;
        FIXED + committers * COMMITTER_CONNECTIONS + readers + claim_readers
    }
}

/// Why a number of connections will not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is {FEWEST} to {MOST}")]
pub struct BadBudget;

impl Budget {
    /// For `serve`: three such programs and a subcommand fit the 97 connections that a PostgreSQL has by
    /// default for those who are not superusers.
    pub const SERVE: Self = Self(28);

    /// For a subcommand, which is there for a while, beside servers.
    pub const SUBCOMMAND: Self = Self(FEWEST);

    /// How many they are.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// What they are for.
    pub(crate) fn shares(self) -> Shares {
        let rest = self.0.saturating_sub(FIXED);
        let committers = (rest / 5).clamp(1, MOST_COMMITTERS);
        let claim_readers = (rest / 6).max(1);
        let readers = rest.saturating_sub(committers * COMMITTER_CONNECTIONS + claim_readers);
        Shares { committers, readers, claim_readers }
    }
}

impl TryFrom<u32> for Budget {
    type Error = BadBudget;

    fn try_from(connections: u32) -> Result<Self, BadBudget> {
        let fits = (FEWEST..=MOST).contains(&connections);
        fits.then_some(Self(connections)).ok_or(BadBudget)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_connection_is_for_something_and_none_is_counted_twice() {
        for connections in FEWEST..=500 {
            let shares = Budget::try_from(connections).unwrap().shares();
            assert_eq!(shares.connections(), connections);
            assert!(shares.readers >= 3, "{connections}: {shares:?}");
        }
        let shares = Shares { committers: 4, readers: 7, claim_readers: 3 };
        assert_eq!(Budget::SERVE.shares(), shares);
    }

    #[test]
    fn three_servers_and_a_subcommand_fit_what_postgresql_has_by_default() {
        assert!(3 * Budget::SERVE.get() + Budget::SUBCOMMAND.get() <= 100 - 3);
        assert!(Budget::try_from(FEWEST - 1).is_err());
    }
}
