//! The connections of a committer.

use std::ops::{Deref, DerefMut};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};

use crate::database::Primary;

/// How many a committer has: one for each batch in flight.
pub(crate) const CONNECTIONS: u32 = 3;

/// How long a batch may take to be written, and again to be committed. A network that swallows
/// everything would hold the committer for ever.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The committers' statements are few and all served by an index: planning them once is enough, and on a
/// table that grew since it was analysed, the planner could still prefer to scan it. A program that is
/// frozen or cut off in a batch must not keep its tenant locked, and others must not wait for it in
/// vain.
pub(crate) const SETTINGS: &[(&str, &str)] = &[
    ("idle_in_transaction_session_timeout", "3s"),
    ("lock_timeout", "2s"),
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
];

/// What the committers of a program share, each up to [`CONNECTIONS`].
#[derive(Clone)]
pub(in crate::log) struct CommitPool {
    pub(in crate::log) pool: PgPool,
    pub(in crate::log) primary: Primary,
}

/// One of a committer's.
pub(super) struct CommitConnection {
    connection: PoolConnection<Postgres>,
    /// When it was asked for.
    since: Instant,
}

impl Deref for CommitConnection {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for CommitConnection {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

/// Those of one committer. What nothing is written on stays here: the pool would test it each time.
pub(super) struct Connections {
    pool: CommitPool,
    idle: Vec<CommitConnection>,
}

impl Connections {
    pub(super) fn new(pool: CommitPool) -> Self {
        Self { pool, idle: Vec::with_capacity(CONNECTIONS as usize) }
    }

    /// One that nothing is written on.
    pub(super) async fn acquire(&mut self) -> Result<CommitConnection, sqlx::Error> {
        while let Some(connection) = self.idle.pop() {
            if self.leads_here(&connection) {
                return Ok(connection);
            }
            discard(connection);
        }
        let since = Instant::now();
        let acquired = self.pool.pool.acquire().await;
        if acquired.is_err() {
            self.pool.primary.suspect();
        }
        acquired.map(|connection| CommitConnection { connection, since })
    }

    /// Takes one back that can be used again, unless its server was lost meanwhile.
    pub(super) fn release(&mut self, connection: CommitConnection) {
        if self.leads_here(&connection) {
            self.idle.push(connection);
        } else {
            discard(connection);
        }
    }

    /// Whether no server was lost since it was asked for.
    fn leads_here(&self, connection: &CommitConnection) -> bool {
        self.pool.primary.lost_at().is_none_or(|lost| lost <= connection.since)
    }

    /// Closes those that nothing is written on.
    pub(super) fn close_idle(&mut self) {
        self.idle.drain(..).for_each(discard);
    }
}

/// Closes a connection without a word to the database: after a failure it may be silent for ever.
pub(super) fn discard(connection: CommitConnection) {
    drop(connection.connection.detach());
}

pub(super) async fn bounded<T>(
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let in_time = tokio::time::timeout(TIMEOUT, work).await;
    in_time.unwrap_or_else(|late| Err(sqlx::Error::Io(late.into())))
}
