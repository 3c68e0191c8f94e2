//! One gapless, hash-chained log per tenant.
//!
//! Invariants:
//! * A position is given under the lock of the tenant's head, in the transaction that commits it:
//!   positions are gapless and in commit order.
//! * A decision is appended only if every stream it looked at is still at the version it saw.
//! * Claims change in the transaction of their events; the database refuses an overlap.
//! * A submission is appended whole or not at all, and a loser never fails its neighbours.

mod answers;
mod any_event;
mod append_cache;
mod appended;
pub(crate) mod chain;
mod claims_query;
mod commit;
mod copy;
pub(crate) mod event;
mod head;
mod health;
mod liveness;
mod moment;
mod notification;
mod position;
mod reader;
mod stream;
mod streams;
mod submission;
#[cfg(test)]
mod tests;
pub mod verify;
mod wake;

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use metrics::{counter, gauge, histogram};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

pub use answers::OldAnswers;
pub(crate) use any_event::CLAIMING;
pub use any_event::{AnyEvent, PersistedAggregate};
pub use appended::{AppendedTo, Appends};
#[cfg(test)]
pub(crate) use chain::Link;
pub(crate) use chain::genesis;
pub(crate) use claims_query::overlapping_claims;
pub use commit::is_passing;
pub(crate) use event::upcast;
pub use event::{RecordedEvent, UnreadableEvent};
pub use liveness::has_ended;
#[cfg(test)]
pub(crate) use moment::POSITION_AT;
pub(crate) use moment::position_at;
pub use moment::{AsOf, Moment, NoMoment, recorded_at};
pub use position::Position;
#[cfg(test)]
pub(crate) use reader::RESOURCES;
pub use reader::StreamEvent;
use reader::StreamRange;
pub(crate) use reader::stored;
pub use stream::StreamId;
#[cfg(test)]
pub(crate) use streams::STREAM_EVENTS;
pub use streams::{Streams, StreamsPart, stream_events};
pub use submission::{
    Append, AppendError, CommandKey, Decision, FirstAnswer, NewEvent, OnConflict, Submission,
    Verdict,
};

use crate::Clock;
use crate::database::{Budget, HEARTBEAT, Primary, Purpose, Shares, WAKEUPS};
use crate::keys::Remembered;
use crate::metrics::{APPEND_SECONDS, EVENTS_APPENDED, SUBMISSIONS_WAITING};
use append_cache::AppendCache;
pub(crate) use commit::CONNECTIONS as COMMITTER_CONNECTIONS;
#[cfg(test)]
pub(crate) use commit::SETTINGS as COMMITTER_SETTINGS;
use commit::{CommitPool, Committer, Pending};
use wake::Wakeups;

/// How much of the database and of memory the log may use.
#[derive(Debug, Clone, Copy)]
pub struct LogSettings {
    /// Committers that work at the same time, at least one; a tenant always has the same one.
    pub committers: u32,
    /// Connections for reading.
    pub readers: u32,
    /// Connections for reading claims.
    pub claim_readers: u32,
    /// Submissions that may wait for one committer.
    pub queue_length: usize,
    /// How long a reader waits for a connection before it gives up.
    pub acquire_timeout: Duration,
}

/// So many readers have none to give away.
const FEW_READERS: u32 = 3;

impl LogSettings {
    /// What a program may use that may have so many connections.
    #[must_use]
    pub fn within(budget: Budget) -> Self {
        let Shares { committers, readers, claim_readers } = budget.shares();
        let (queue_length, acquire_timeout) = (4_096, Duration::from_secs(3));
        Self { committers, readers, claim_readers, queue_length, acquire_timeout }
    }

    /// How many connections a program has that works so.
    #[must_use]
    pub fn connections(self) -> u32 {
        let Self { committers, readers, claim_readers, .. } = self;
        Shares { committers, readers, claim_readers }.connections()
    }

    /// The connections of the readers, and of the tables' owner where that is somebody else: the one that drops what was
    /// replaced ([`Budget`]), and one of the readers' where there are enough.
    fn readers_and_owners(self, apart: bool) -> (u32, u32) {
        match (apart, self.readers) {
            (false, readers) => (readers, 0),
            (true, readers @ 0..=FEW_READERS) => (readers, 1),
            (true, readers) => (readers - 1, 2),
        }
    }
}

impl Default for LogSettings {
    fn default() -> Self {
        Self::within(Budget::SERVE)
    }
}

/// The logs of all tenants in one database. Cheap to clone.
#[derive(Clone)]
pub struct Log {
    primary: Primary,
    pool: PgPool,
    claims_pool: PgPool,
    heartbeat_pool: PgPool,
    owners_pool: PgPool,
    commit_pool: PgPool,
    committers: Arc<[mpsc::Sender<Pending>]>,
    committer_of: Arc<RandomState>,
    append_cache: Arc<AppendCache>,
    wakeups: Arc<Wakeups>,
    /// Ends the tasks that tell and hear of commits, with the last clone.
    _stop: Arc<DropGuard>,
}

/// Of the claims' readers. The statements are few, kept prepared, and always run by their indexes: a plan that
/// was made while a table was small must not read all of it when it has grown.
const CLAIMS_SETTINGS: &[(&str, &str)] =
    &[("plan_cache_mode", "force_generic_plan"), ("enable_seqscan", "off")];

impl Log {
    /// Opens the logs. Connections are made when they are needed, so a database that is down
    /// fails calls, not this. Needs a Tokio runtime.
    #[must_use]
    pub fn open(
        database: impl Into<Primary>,
        clock: &Arc<dyn Clock>,
        settings: LogSettings,
    ) -> Self {
        let primary = database.into();
        let pool_of = |max: u32| {
            PgPoolOptions::new()
                .max_connections(max)
                .acquire_timeout(settings.acquire_timeout)
                .test_before_acquire(false)
        };
        let (readers, owners) = settings.readers_and_owners(primary.has_owner());
        let pool = primary.pool(Purpose::Read, pool_of(readers + WAKEUPS), &[]);
        let owners_pool = match owners {
            0 => pool.clone(),
            owners => primary.pool(Purpose::Own, pool_of(owners), &[]),
        };
        let claim_readers = pool_of(settings.claim_readers);
        let claims_pool = primary.pool(Purpose::ReadClaims, claim_readers, CLAIMS_SETTINGS);
        let heartbeat_pool = primary.pool(Purpose::Read, pool_of(HEARTBEAT), &[]);
        let committers = settings.committers.max(1);
        let commit_pool = pool_of(committers * COMMITTER_CONNECTIONS);
        let commit_pool = CommitPool {
            pool: primary.pool(Purpose::Commit, commit_pool, commit::SETTINGS),
            primary: primary.clone(),
        };
        let append_cache = Arc::new(AppendCache::default());
        let wakeups = Arc::new(Wakeups::new(Arc::clone(&append_cache)));
        let committer = |_| {
            let (sender, queue) = mpsc::channel(settings.queue_length);
            let (clock, cache) = (Arc::clone(clock), Arc::clone(&append_cache));
            let committer = Committer::new(commit_pool.clone(), clock, cache, Arc::clone(&wakeups));
            tokio::spawn(committer.run(queue));
            sender
        };
        let committers = (0..committers).map(committer).collect();
        let cancel = CancellationToken::new();
        let (task, waker, until) = (pool.clone(), Arc::clone(&wakeups), cancel.clone());
        tokio::spawn(async move { waker.run(task, until).await });
        Self {
            primary,
            pool,
            claims_pool,
            heartbeat_pool,
            owners_pool,
            commit_pool: commit_pool.pool,
            committers,
            committer_of: Arc::default(),
            append_cache,
            wakeups,
            _stop: Arc::new(cancel.drop_guard()),
        }
    }

    /// Where the database is, and whether it can be worked on.
    #[must_use]
    pub fn primary(&self) -> &Primary {
        &self.primary
    }

    /// The readers' connections.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// The connections that make and change tables, as their owner; where the database has one user, the readers'.
    #[must_use]
    pub fn owners_pool(&self) -> &PgPool {
        &self.owners_pool
    }

    /// The connections for reading claims.
    pub(crate) fn claims_pool(&self) -> &PgPool {
        &self.claims_pool
    }

    /// The connection by which the program says that it lives: nothing else waits for it, or holds it.
    #[must_use]
    pub fn heartbeat_pool(&self) -> &PgPool {
        &self.heartbeat_pool
    }

    /// The pools that many share, by what their connections are for.
    #[must_use]
    pub fn shared_pools(&self) -> [(&'static str, &PgPool); 2] {
        [("readers", &self.pool), ("claims", &self.claims_pool)]
    }

    /// The pool of the committers, each of which keeps its connections: nobody waits for one.
    #[must_use]
    pub fn committers_pool(&self) -> &PgPool {
        &self.commit_pool
    }

    /// Appends a decision, or says why not.
    ///
    /// # Errors
    /// When there is no verdict: the queue is full, the database is not to be reached, ...
    pub async fn append(&self, submission: Submission) -> Result<Verdict, AppendError> {
        let hash = self.committer_of.hash_one(&submission.tenant);
        let committers = self.committers.len() as u64;
        let committer = usize::try_from(hash % committers).unwrap_or_default();
        let (reply, verdict) = oneshot::channel();
        let (since, events) = (Instant::now(), submission.decision.events());
        gauge!(SUBMISSIONS_WAITING).increment(1);
        let pending = Pending { submission, reply, since };
        self.committers[committer].try_send(pending).map_err(|refused| {
            gauge!(SUBMISSIONS_WAITING).decrement(1);
            match refused {
                TrySendError::Full(_) => AppendError::Overloaded,
                TrySendError::Closed(_) => AppendError::Unavailable,
            }
        })?;
        let verdict = verdict.await.map_err(|_| AppendError::OutcomeUnknown)?;
        histogram!(APPEND_SECONDS).record(since.elapsed());
        if let Ok(Verdict::Appended(_)) = verdict {
            counter!(EVENTS_APPENDED).increment(events);
        }
        verdict
    }

    /// The events after `after`, at most `limit`, without a gap. One that this program cannot
    /// read, or that is missing, is an error in its place.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn read(
        &self,
        tenant: &TenantId,
        after: Position,
        limit: u32,
    ) -> Result<Vec<Result<RecordedEvent, UnreadableEvent>>, sqlx::Error> {
        reader::read(&self.pool, tenant, after, limit).await
    }

    /// The same for whoever follows the log and is at its end, or nearly: what this program has just
    /// appended comes without asking the database. That may be less than there is, where another program
    /// has appended and was not heard of yet; whoever asks on from there gets the rest.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn follow(
        &self,
        tenant: &TenantId,
        after: Position,
        limit: u32,
    ) -> Result<Vec<Result<RecordedEvent, UnreadableEvent>>, sqlx::Error> {
        match self.append_cache.follow(tenant, after, limit) {
            Some(events) => Ok(events),
            None => self.read(tenant, after, limit).await,
        }
    }

    /// The events of resources after `after`, at most `limit`; other events lie between them.
    pub(crate) async fn read_resources(
        &self,
        tenant: &TenantId,
        after: Position,
        limit: u32,
    ) -> Result<Vec<Result<RecordedEvent, UnreadableEvent>>, sqlx::Error> {
        reader::read_resources(&self.pool, tenant, after, limit).await
    }

    /// The last event of a resource up to a position; the start, where there is none.
    pub(crate) async fn last_of_resources(
        &self,
        tenant: &TenantId,
        up_to: Position,
    ) -> Result<Position, sqlx::Error> {
        reader::last_of_resources(&self.pool, tenant, up_to).await
    }

    /// One stream's events after the `after`th, up to a position where one is given; at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn read_stream(
        &self,
        tenant: &TenantId,
        stream: &StreamId,
        (after, up_to): (u64, Option<Position>),
        limit: u32,
    ) -> Result<Vec<StreamEvent>, sqlx::Error> {
        let up_to = up_to.unwrap_or(Position::from_i64(i64::MAX));
        reader::read_stream(&self.pool, tenant, stream, StreamRange { after, up_to }, limit).await
    }

    /// The moment that is meant, if it has come.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn moment(
        &self,
        tenant: &TenantId,
        as_of: AsOf,
        now: DateTime<Utc>,
    ) -> Result<Result<Moment, NoMoment>, sqlx::Error> {
        moment::moment(&self.pool, tenant, as_of, now).await
    }

    /// Forgets the answers that idempotency keys got long ago: see [`OldAnswers`].
    #[must_use]
    pub fn old_answers(&self) -> OldAnswers {
        OldAnswers::new(self.pool.clone())
    }

    /// The end of every tenant's log: reads all tenants, so not for a hot path.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn heads(&self) -> Result<Vec<(TenantId, Position)>, sqlx::Error> {
        reader::heads(&self.pool).await
    }

    /// The end of one tenant's log; `None`: there is no such tenant.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn head(&self, tenant: &TenantId) -> Result<Option<Position>, sqlx::Error> {
        reader::head(&self.pool, tenant).await
    }

    /// Ticks after commits, of this program at once and of others soon. A hint: keep a timer too.
    #[must_use]
    pub fn wakeups(&self) -> watch::Receiver<u64> {
        self.wakeups.subscribe()
    }

    /// Tells whose logs have grown, by this program at once and by others soon. A hint too.
    #[must_use]
    pub fn appends(&self) -> Appends {
        self.wakeups.appends()
    }

    /// This program, for as long as it runs: what others know it by.
    #[must_use]
    pub fn program(&self) -> Uuid {
        self.wakeups.program()
    }

    /// What is remembered of keys, until it is heard that they have ended.
    pub(crate) fn remembered_keys(&self) -> Arc<Remembered> {
        self.wakeups.keys()
    }

    /// Whether others can see that this program lives ([`has_ended`]), and are heard of.
    #[must_use]
    pub fn listening(&self) -> watch::Receiver<bool> {
        self.wakeups.listening()
    }
}
