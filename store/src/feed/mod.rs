//! The log as others read it: every event as a CloudEvent, by position, filtered.
//!
//! * `event`: one event as a CloudEvent; the feed, the stream, the export and the replay all tell it so.
//! * `filter`: which events are asked for; `about` says what an event is about that does not say so
//!   itself; `within` what is told to whoever is limited to some of the tenant.
//! * `window`: a bounded stretch of the log at a time; `boundary`: where in it a moment is.
//!
//! Positions are gapless and in commit order, so whoever has read up to one needs to remember nothing
//! else.

mod about;
mod boundary;
mod event;
mod filter;
#[cfg(test)]
mod tests;
mod window;
mod within;

use std::time::Duration;

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use sqlx::PgPool;
use tokio::time::timeout;

pub use boundary::{Boundary, UnknownBoundary};
pub use event::CloudEvent;
pub use filter::{FeedFilter, FilterError, Privacy};
pub use within::leave_out_elsewhere;

use crate::personal::Keyring;
use crate::{Log, Position};

/// How long a read may take: streams and exports take turns at it, and a server that has gone without a word would keep
/// them.
const READ_TIMEOUT: Duration = Duration::from_secs(5);

/// One tenant's log, filtered.
#[derive(Debug, Clone)]
pub struct Feed {
    pool: PgPool,
    tenant: TenantId,
    filter: FeedFilter,
    keyring: Option<Keyring>,
}

/// What one stretch of the log has of what is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Stretch {
    /// The events, in order.
    pub events: Vec<CloudEvent>,
    /// There is none other up to here: reading on after this position leaves nothing out.
    pub read_to: Position,
    /// How large what was read is, also what did not pass the filter.
    pub bytes: usize,
}

/// Up to where a reader can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Until {
    /// The last position that is wanted and there.
    pub position: Position,
    /// Whether none that comes later can be wanted.
    pub is_final: bool,
    /// The end of the log.
    pub head: Position,
}

impl Feed {
    /// How many positions one [`read`](Self::read) looks at, at most.
    pub const STRETCH: u64 = 5_000;

    /// How many bytes of payloads one [`read`](Self::read) reads: no event begins after so many.
    pub const MAX_BYTES: usize = 1024 * 1024;

    /// The events of a tenant that pass the filter.
    #[must_use]
    pub fn new(log: &Log, tenant: TenantId, filter: FeedFilter) -> Self {
        Self { pool: log.pool().clone(), tenant, filter, keyring: None }
    }

    /// The same, which tells personal data that is sealed to whoever asks for it.
    #[must_use]
    pub fn opened_by(self, keyring: Option<Keyring>) -> Self {
        Self { keyring, ..self }
    }

    /// After which position to begin, to read what was recorded from an instant on.
    ///
    /// # Errors
    /// When the database fails, or takes longer than any read should.
    pub async fn before(&self, from: DateTime<Utc>) -> Result<Position, sqlx::Error> {
        in_time(boundary::last_before(&self.pool, &self.tenant, from)).await
    }

    /// Up to where there is something to read now that was recorded before `to`.
    ///
    /// # Errors
    /// When the database fails, or takes longer than any read should.
    pub async fn until(&self, to: Option<DateTime<Utc>>) -> Result<Until, sqlx::Error> {
        in_time(self.find_until(to)).await
    }

    async fn find_until(&self, to: Option<DateTime<Utc>>) -> Result<Until, sqlx::Error> {
        let head = boundary::head(&self.pool, &self.tenant).await?;
        // What comes later was recorded no earlier than the end of the log.
        let Some(to) = to.filter(|to| head.recorded_at >= *to) else {
            return Ok(Until { position: head.position, is_final: false, head: head.position });
        };
        let position = boundary::last_before(&self.pool, &self.tenant, to).await?;
        Ok(Until { position, is_final: true, head: head.position })
    }

    /// Reads a stretch of the log after a position, at most up to another: no more than
    /// [`STRETCH`](Self::STRETCH) positions and `limit` events, and hardly more than a megabyte, so that one
    /// read is never long.
    ///
    /// # Errors
    /// When the database fails, or takes longer than any read should.
    pub async fn read(
        &self,
        after: Position,
        until: Position,
        limit: usize,
    ) -> Result<Stretch, sqlx::Error> {
        in_time(self.read_stretch(after, until, limit)).await
    }

    async fn read_stretch(
        &self,
        after: Position,
        until: Position,
        limit: usize,
    ) -> Result<Stretch, sqlx::Error> {
        if after >= until || limit == 0 {
            return Ok(Stretch { events: Vec::new(), read_to: after, bytes: 0 });
        }
        let Self { pool, tenant, filter, keyring } = self;
        let read = window::read(pool, tenant, filter, after, until, limit).await?;
        let window::Window { mut events, read_to, bytes } = read;
        if filter.is_about_something() {
            events = about::kept(pool, tenant, filter, events).await?;
        }
        if !filter.within.are_none() {
            events = within::kept(pool, tenant, &filter.within, events).await?;
        }
        match (filter.privacy, keyring) {
            (Privacy::Withheld, _) => events.iter_mut().for_each(CloudEvent::withhold_personal),
            (Privacy::Told, Some(keyring)) => event::open(keyring, &mut events).await?,
            (Privacy::Told, None) => {}
        }
        Ok(Stretch { events, read_to, bytes })
    }
}

async fn in_time<T>(read: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    let read = timeout(READ_TIMEOUT, read).await;
    read.unwrap_or_else(|late| Err(sqlx::Error::Io(late.into())))
}
