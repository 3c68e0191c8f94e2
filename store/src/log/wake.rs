//! Telling readers that there is something to read, and where.
//!
//! A wake-up is a hint. It names those tenants whose logs have grown, as far as they are few; it may be lost, and
//! whoever waits for one has a timer besides: a lost wake-up costs a tick, never an event.
//!
//! The same connection hears of keys that end, which is no hint but must be heard: whoever has lost the connection asks again.
//!
//! The connection that hears of other programs' commits also shows that this one lives: it holds the lock of
//! [`liveness`], which goes with it.

use std::sync::Arc;
use std::time::Duration;

use daybook_domain::TenantId;
use sqlx::postgres::PgListener;
use sqlx::{Executor as _, PgPool};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::append_cache::AppendCache;
use super::appended::{AppendedTo, Appends, Mailboxes};
use super::{Position, liveness, notification};
use crate::keys::{self, Remembered};

const CHANNEL: &str = "daybook_log";

/// Other programs are told of commits at most this often: NOTIFY takes a database-wide lock at
/// commit, so it is sent on its own, after the batches, and many batches share one.
const NOTIFY_PAUSE: Duration = Duration::from_millis(20);

const RECONNECT_PAUSE: Duration = Duration::from_secs(1);

/// After so long without a word, the listening connection is asked whether it is still there: a server whose
/// machine has gone says nothing, and neither does one whose clients are idle.
const SILENCE: Duration = Duration::from_secs(5);

/// How long it may take to answer that.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// Wakes readers in this program at once, and those in other programs soon.
#[derive(Debug)]
pub(super) struct Wakeups {
    /// This program.
    program: Uuid,
    append_cache: Arc<AppendCache>,
    /// Ticks after each commit of anybody.
    readers: watch::Sender<u64>,
    /// Those in this program who hear of every commit.
    appends: Mailboxes,
    /// What other programs are to be told: commits of this one.
    own: Mailboxes,
    /// Whether it can be seen that this program lives.
    listening: watch::Sender<bool>,
    /// What is to be forgotten when a key ends.
    keys: Arc<Remembered>,
}

impl Wakeups {
    pub(super) fn new(append_cache: Arc<AppendCache>) -> Self {
        Self {
            program: Uuid::now_v7(),
            append_cache,
            readers: watch::Sender::new(0),
            appends: Mailboxes::default(),
            own: Mailboxes::default(),
            listening: watch::Sender::new(false),
            keys: Arc::default(),
        }
    }

    pub(super) const fn program(&self) -> Uuid {
        self.program
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.readers.subscribe()
    }

    pub(super) fn appends(&self) -> Appends {
        self.appends.subscribe()
    }

    pub(super) fn keys(&self) -> Arc<Remembered> {
        Arc::clone(&self.keys)
    }

    pub(super) fn listening(&self) -> watch::Receiver<bool> {
        self.listening.subscribe()
    }

    /// After a commit of this program, with which a tenant's log ends there.
    pub(super) fn committed(&self, tenant: &TenantId, position: Position) {
        self.appends.add(tenant, position);
        self.own.add(tenant, position);
        self.tick();
    }

    fn tick(&self) {
        self.readers.send_modify(|tick| *tick = tick.wrapping_add(1));
    }

    /// Tells other programs, and hears from them, until cancelled.
    pub(super) async fn run(&self, pool: PgPool, cancel: CancellationToken) {
        let both = async { tokio::join!(self.notify(&pool), self.listen(&pool)) };
        tokio::select! {
            () = cancel.cancelled() => {}
            _ = both => {}
        }
    }

    async fn notify(&self, pool: &PgPool) {
        let mut own = self.own.subscribe();
        loop {
            let payload = notification::encode(self.program, &own.next().await);
            let notify = sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(payload);
            let sent = notify.execute(pool).await;
            if let Err(error) = sent {
                tracing::debug!(%error, "other programs will see the commit at their next tick");
            }
            tokio::time::sleep(NOTIFY_PAUSE).await;
        }
    }

    async fn listen(&self, pool: &PgPool) {
        loop {
            let heard = self.hear(pool).await;
            self.listening.send_replace(false);
            self.keys.listens_no_more();
            if let Err(error) = heard {
                tracing::debug!(%error, "not listening for other programs' commits");
            }
            tokio::time::sleep(RECONNECT_PAUSE).await;
        }
    }

    /// Returns when the connection is lost.
    async fn hear(&self, pool: &PgPool) -> Result<(), sqlx::Error> {
        let mut listener = PgListener::connect_with(pool).await?;
        // Whoever has lost it has also lost what was said meanwhile, and the lock.
        listener.eager_reconnect(false);
        liveness::show(&mut listener, self.program).await?;
        listener.listen_all([CHANNEL, keys::CHANNEL]).await?;
        self.listening.send_replace(true);
        self.keys.listens();
        self.heard(&AppendedTo::Any);
        loop {
            let Ok(received) = timeout(SILENCE, listener.try_recv()).await else {
                let answered = timeout(ANSWER_TIMEOUT, listener.execute("SELECT 1")).await;
                answered.map_err(|late| sqlx::Error::Io(late.into()))??;
                continue;
            };
            let Some(notification) = received? else { return Ok(()) };
            if notification.channel() == keys::CHANNEL {
                self.keys.heard(notification.payload());
                continue;
            }
            let (program, grown) = notification::decode(notification.payload());
            if program != Some(self.program) {
                self.heard(&grown);
            }
        }
    }

    /// Other programs have appended.
    fn heard(&self, grown: &AppendedTo) {
        match grown {
            AppendedTo::Tenants(tenants) => {
                for (tenant, position) in tenants {
                    self.append_cache.forget_of(tenant);
                    self.appends.add(tenant, *position);
                }
            }
            AppendedTo::Any => {
                self.append_cache.forget();
                self.appends.add_any();
            }
        }
        self.tick();
    }
}
