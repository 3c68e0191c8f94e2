//! When keys were used last: written at most once a minute for each key, by one statement for all of that moment.

use std::collections::HashSet;
use std::mem;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use tokio::time::sleep;

use super::text::SecretHash;
use crate::Clock;

/// How often it is written of one key, in seconds.
const EVERY_SECONDS: i64 = 60;

/// How long uses are gathered.
const GATHERED: Duration = Duration::from_millis(500);

/// How many keys may wait to be written; those beyond it are noted when they are used again.
const MOST: usize = 10_000;

/// What is to be written.
#[derive(Clone)]
pub(super) struct Used {
    pool: PgPool,
    clock: Arc<dyn Clock>,
    waiting: Arc<Mutex<Waiting>>,
}

#[derive(Default)]
struct Waiting {
    keys: HashSet<SecretHash>,
    /// Whether somebody is to write them.
    is_seen_to: bool,
}

impl Used {
    pub(super) fn new(pool: PgPool, clock: Arc<dyn Clock>) -> Self {
        Self { pool, clock, waiting: Arc::default() }
    }

    /// A key is used now; it was noted last at `noted_at`.
    pub(super) fn note(&self, hash: SecretHash, noted_at: &AtomicI64, now: DateTime<Utc>) {
        let (now, last) = (now.timestamp(), noted_at.load(Ordering::Relaxed));
        let is_due = now.saturating_sub(last) >= EVERY_SECONDS;
        let is_ours = || noted_at.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed);
        if !is_due || is_ours().is_err() {
            return;
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.keys.len() >= MOST {
            return;
        }
        waiting.keys.insert(hash);
        if !mem::replace(&mut waiting.is_seen_to, true) {
            tokio::spawn(self.clone().write());
        }
    }

    /// Writes until there is nothing to write.
    async fn write(self) {
        loop {
            sleep(GATHERED).await;
            let keys = {
                let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
                waiting.is_seen_to = !waiting.keys.is_empty();
                mem::take(&mut waiting.keys)
            };
            if keys.is_empty() {
                return;
            }
            let keys: Vec<Vec<u8>> = keys.iter().map(|hash| hash.to_vec()).collect();
            // By the primary key. What another program is writing at this moment it writes.
            let written = sqlx::query(
                "UPDATE api_keys SET last_used_at = $2
                  WHERE (key_hash, tenant_id) IN
                        (SELECT key_hash, tenant_id FROM api_keys
                          WHERE key_hash = ANY ($1)
                            AND (last_used_at IS NULL OR last_used_at <= $2 - interval '1 minute')
                            FOR UPDATE SKIP LOCKED)",
            )
            .bind(keys)
            .bind(self.clock.now())
            .execute(&self.pool)
            .await;
            if let Err(error) = written {
                tracing::debug!(%error, "not written when keys were used; it is when they are used again");
            }
        }
    }
}

impl std::fmt::Debug for Used {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Used").finish_non_exhaustive()
    }
}
