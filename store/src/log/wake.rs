//! Telling readers that there is something to read.
//!
//! A wake-up is a hint. It carries nothing but who sends it, it may be lost, and whoever waits for one has a timer
//! besides: a lost wake-up costs a tick, never an event.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::append_cache::AppendCache;

const CHANNEL: &str = "daybook_log";

/// Other programs are told of commits at most this often: NOTIFY takes a database-wide lock at
/// commit, so it is sent on its own, after the batches, and many batches share one.
const NOTIFY_PAUSE: Duration = Duration::from_millis(20);

const RECONNECT_PAUSE: Duration = Duration::from_secs(1);

/// Wakes readers in this program at once, and those in other programs soon.
#[derive(Debug)]
pub(super) struct Wakeups {
    /// This program, to itself.
    me: String,
    append_cache: Arc<AppendCache>,
    readers: watch::Sender<u64>,
    appended: watch::Sender<u64>,
}

impl Wakeups {
    pub(super) fn new(append_cache: Arc<AppendCache>) -> Self {
        let (readers, appended) = (watch::Sender::new(0), watch::Sender::new(0));
        Self { me: Uuid::now_v7().to_string(), append_cache, readers, appended }
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.readers.subscribe()
    }

    /// After a commit of this program.
    pub(super) fn committed(&self) {
        self.readers.send_modify(|tick| *tick = tick.wrapping_add(1));
        self.appended.send_modify(|tick| *tick = tick.wrapping_add(1));
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
        let mut appended = self.appended.subscribe();
        while appended.changed().await.is_ok() {
            let notify = sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(&self.me);
            let sent = notify.execute(pool).await;
            if let Err(error) = sent {
                tracing::debug!(%error, "other programs will see the commit at their next tick");
            }
            tokio::time::sleep(NOTIFY_PAUSE).await;
        }
    }

    async fn listen(&self, pool: &PgPool) {
        loop {
            if let Err(error) = self.hear(pool).await {
                tracing::debug!(%error, "not listening for other programs' commits");
            }
            tokio::time::sleep(RECONNECT_PAUSE).await;
        }
    }

    async fn hear(&self, pool: &PgPool) -> Result<(), sqlx::Error> {
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(CHANNEL).await?;
        loop {
            let notification = listener.recv().await?;
            if notification.payload() == self.me {
                continue;
            }
            self.append_cache.forget();
            self.readers.send_modify(|tick| *tick = tick.wrapping_add(1));
        }
    }
}
