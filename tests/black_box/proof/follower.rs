//! A reader that follows a log while it grows.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::Row as _;

use super::Finding;
use crate::harness::Sql;

/// How long it waits where there is nothing new.
const PAUSE: Duration = Duration::from_millis(2);

/// How far a reader has come.
#[derive(Default)]
pub(super) struct Follower {
    position: i64,
    recorded_at: DateTime<Utc>,
    /// The last sequence of each stream.
    sequences: HashMap<String, i64>,
    /// How often it found something new.
    pub(super) pages: usize,
}

impl Follower {
    /// How many events it has seen.
    pub(super) fn events(&self) -> i64 {
        self.position
    }

    /// Follows a log until it is over, and to its end.
    pub(super) fn follow(
        mut self,
        sql: &mut Sql,
        tenant: &str,
        over: &AtomicBool,
    ) -> Result<Self, Finding> {
        loop {
            let was_over = over.load(Ordering::Acquire);
            let before = self.position;
            self.catch_up(sql, tenant)?;
            if self.position == before {
                if was_over {
                    return Ok(self);
                }
                thread::sleep(PAUSE);
            }
        }
    }

    /// Reads on to the present end of a log: positions without a gap, each stream's sequence
    /// without a gap, and time that never goes back.
    pub(super) fn catch_up(&mut self, sql: &mut Sql, tenant: &str) -> Result<(), Finding> {
        loop {
            let page = sql.rows_after(
                "SELECT position, aggregate_type || '/' || aggregate_id AS stream, sequence,
                        recorded_at
                   FROM events
                  WHERE tenant_id = $1 AND position > $2
                  ORDER BY position
                  LIMIT 1000",
                tenant,
                self.position,
            );
            if page.is_empty() {
                return Ok(());
            }
            for row in &page {
                self.read(row.get(0), row.get(1), row.get(2), row.get(3))?;
            }
            self.pages += 1;
        }
    }

    fn read(
        &mut self,
        position: i64,
        stream: String,
        sequence: i64,
        recorded_at: DateTime<Utc>,
    ) -> Result<(), Finding> {
        if position != self.position + 1 {
            return Err(Finding::Gap { after: self.position, found: position });
        }
        let last = self.sequences.entry(stream.clone()).or_default();
        if sequence != *last + 1 {
            return Err(Finding::OutOfSequence { position, stream, after: *last, found: sequence });
        }
        if recorded_at < self.recorded_at {
            return Err(Finding::WentBack { position, before: self.recorded_at, recorded_at });
        }
        *last = sequence;
        (self.position, self.recorded_at) = (position, recorded_at);
        Ok(())
    }
}
