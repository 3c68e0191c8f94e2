//! Writes the audit log beside requests: plain reads within a second of each other, together; what must not be lost at once,
//! and whoever did it waits.
//!
//! What waits in memory is bounded: where the database does not take it, what should be noted is refused.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::{Notify, oneshot};
use tokio::time::{sleep, timeout};

use super::chain::{self, Owner};
use super::{AuditEntry, AuditKind};
use crate::Repeated;

/// How long plain reads are gathered.
const GATHERED: Duration = Duration::from_millis(500);

/// How long the writer waits after it has failed.
const PAUSE: Duration = Duration::from_millis(500);

/// How long whoever must know that it is written waits.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many entries may wait, and how many subjects they may name.
const MOST: usize = 10_000;
const MOST_SUBJECTS: usize = 200_000;

/// How many are written by one transaction.
const BATCH: usize = 2_000;

static WRITE: Repeated = Repeated::new("write the audit log");

/// It could not be recorded, so it must not be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the audit log cannot be written at present")]
pub struct NotRecorded;

/// Writes the audit log. Cheap to clone; clones are one.
#[derive(Clone)]
pub struct Recorder {
    pool: PgPool,
    waiting: Arc<Mutex<Waiting>>,
    /// Somebody waits for it.
    at_once: Arc<Notify>,
    /// One batch at a time, in order.
    writing: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
struct Waiting {
    entries: Vec<Pending>,
    subjects: usize,
    /// Whether somebody is to write them.
    is_seen_to: bool,
}

struct Pending {
    owner: Owner,
    entry: AuditEntry,
    written: Option<oneshot::Sender<()>>,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}

impl Recorder {
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool, waiting: Arc::default(), at_once: Arc::default(), writing: Arc::default() }
    }

    /// Takes note of it; it is written within a second.
    ///
    /// # Errors
    /// When there is no room for it, for the database has taken none for a while.
    pub fn note(&self, owner: Owner, entry: AuditEntry) -> Result<(), NotRecorded> {
        self.push(Pending { owner, entry, written: None })
    }

    /// Writes it, with what was noted before.
    ///
    /// # Errors
    /// When it cannot be written: then it may have been all the same.
    pub async fn record(&self, owner: Owner, entry: AuditEntry) -> Result<(), NotRecorded> {
        let (written, is_written) = oneshot::channel();
        self.push(Pending { owner, entry, written: Some(written) })?;
        self.at_once.notify_one();
        match timeout(PATIENCE, is_written).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(NotRecorded),
        }
    }

    /// Writes what was noted, at the end of the program; `false`: it could not.
    pub async fn flush(&self) -> bool {
        let _turn = self.writing.lock().await;
        let entries = self.waiting().take();
        self.write(entries).await
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, pending: Pending) -> Result<(), NotRecorded> {
        let mut waiting = self.waiting();
        let subjects = waiting.subjects + pending.entry.subjects.len();
        if waiting.entries.len() >= MOST || subjects > MOST_SUBJECTS {
            return Err(NotRecorded);
        }
        if waiting.counts_with(&pending) {
            return Ok(());
        }
        waiting.subjects = subjects;
        waiting.entries.push(pending);
        if !mem::replace(&mut waiting.is_seen_to, true) {
            tokio::spawn(self.clone().write_all());
        }
        Ok(())
    }

    /// Writes until there is nothing to write.
    async fn write_all(self) {
        loop {
            let _ = timeout(GATHERED, self.at_once.notified()).await;
            let turn = self.writing.lock().await;
            let entries = {
                let mut waiting = self.waiting();
                waiting.is_seen_to = !waiting.entries.is_empty();
                waiting.take()
            };
            if entries.is_empty() {
                return;
            }
            let is_written = self.write(entries).await;
            drop(turn);
            if !is_written {
                sleep(PAUSE).await;
            }
        }
    }

    /// `false`: some are not written, and wait again; but those for whom somebody waits, who is told.
    async fn write(&self, mut entries: Vec<Pending>) -> bool {
        while !entries.is_empty() {
            let left = entries.split_off(entries.len().min(BATCH));
            let written = self.append(&entries).await;
            WRITE.note(&written);
            if written.is_err() {
                entries.extend(left);
                entries.retain(|pending| pending.written.is_none());
                self.waiting().put_back(entries);
                return false;
            }
            for written in entries.into_iter().filter_map(|pending| pending.written) {
                // Whoever waited may have gone.
                let _ = written.send(());
            }
            entries = left;
        }
        true
    }

    async fn append(&self, entries: &[Pending]) -> Result<(), sqlx::Error> {
        let entries: Vec<_> =
            entries.iter().map(|it| (it.owner.clone(), it.entry.clone())).collect();
        let written = async {
            let mut tx = self.pool.begin().await?;
            chain::append(&mut tx, &entries).await?;
            tx.commit().await
        };
        timeout(PATIENCE, written).await.unwrap_or_else(|late| Err(sqlx::Error::Io(late.into())))
    }
}

impl Waiting {
    fn take(&mut self) -> Vec<Pending> {
        self.subjects = 0;
        mem::take(&mut self.entries)
    }

    fn put_back(&mut self, mut entries: Vec<Pending>) {
        entries.append(&mut self.entries);
        self.subjects = entries.iter().map(|pending| pending.entry.subjects.len()).sum();
        self.entries = entries;
    }

    /// Whether it is refused once more what was refused a moment ago: then that is counted.
    fn counts_with(&mut self, pending: &Pending) -> bool {
        let Pending { owner, entry, written: None } = pending else { return false };
        if entry.kind != AuditKind::Refused {
            return false;
        }
        let is_same = |other: &&mut Pending| {
            let there = &other.entry;
            other.owner == *owner
                && (there.kind, &there.actor, &there.route, &there.object)
                    == (entry.kind, &entry.actor, &entry.route, &entry.object)
        };
        let Some(same) = self.entries.iter_mut().rev().take(LOOKED_AT).find(is_same) else {
            return false;
        };
        same.entry.times += 1;
        true
    }
}

/// How many of those that wait are compared with a refusal.
const LOOKED_AT: usize = 100;
