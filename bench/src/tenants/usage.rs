//! What daybook and its PostgreSQL use.

use std::fmt;
use std::fs;
use std::time::Instant;

use anyhow::Context as _;

use crate::cluster::{Database, Server};
use crate::machine;

/// Processor time and transactions since a moment.
pub(super) struct Usage {
    database: Database,
    daybook: u32,
    postmaster: u32,
    begun: Instant,
    before: Sums,
}

struct Sums {
    daybook: f64,
    postgresql: f64,
    transactions: i64,
}

/// In a second.
pub(super) struct Rates {
    daybook: f64,
    postgresql: f64,
    transactions: f64,
}

impl Usage {
    /// From now on; `daybook` is the id of its process.
    pub(super) async fn begin(
        server: &Server,
        database: &Database,
        daybook: u32,
    ) -> anyhow::Result<Self> {
        let postmaster = server.process_id()?;
        let before = sums(server, database, daybook, postmaster).await?;
        Ok(Self { database: database.clone(), daybook, postmaster, begun: Instant::now(), before })
    }

    /// Until now.
    pub(super) async fn since(&mut self, server: &Server) -> anyhow::Result<Rates> {
        let after = sums(server, &self.database, self.daybook, self.postmaster).await?;
        let seconds = self.begun.elapsed().as_secs_f64();
        let transactions = u32::try_from(after.transactions - self.before.transactions)?;
        Ok(Rates {
            daybook: (after.daybook - self.before.daybook) / seconds,
            postgresql: (after.postgresql - self.before.postgresql) / seconds,
            transactions: f64::from(transactions) / seconds,
        })
    }

    /// The memory of daybook at present.
    pub(super) fn resident_mb(&self) -> anyhow::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.daybook))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next());
        Ok(kilobytes.context("no VmRSS")?.parse::<u64>()? / 1_024)
    }
}

async fn sums(
    server: &Server,
    database: &Database,
    daybook: u32,
    postmaster: u32,
) -> anyhow::Result<Sums> {
    // Those that have ended are in the postmaster's account.
    let mut postgresql = machine::processor_seconds_of(postmaster, true).unwrap_or_default();
    let children = fs::read_to_string(format!("/proc/{postmaster}/task/{postmaster}/children"))?;
    for child in children.split_whitespace() {
        postgresql += machine::processor_seconds_of(child.parse()?, false).unwrap_or_default();
    }
    let mut admin = server.admin().await?;
    let transactions = sqlx::query_scalar(
        "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = $1",
    )
    .bind(database.name())
    .fetch_one(&mut admin)
    .await?;
    let daybook = machine::processor_seconds_of(daybook, false).context("daybook has ended")?;
    Ok(Sums { daybook, postgresql, transactions })
}

impl fmt::Display for Rates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.2} % of a core and {:.2} % in PostgreSQL, {:.2} transactions/s",
            self.daybook * 100.0,
            self.postgresql * 100.0,
            self.transactions
        )
    }
}
