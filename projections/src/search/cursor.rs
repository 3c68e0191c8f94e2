//! Where a search goes on.

use std::fmt;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::CursorError;
use crate::page::seal::{self, Fingerprint};

/// Where the next page of a search starts: an opaque text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(String);

impl Cursor {
    /// A cursor as a client sends it back; whether it is one is seen when it is used.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn after(place: Place, search: Fingerprint) -> Self {
        let mut bytes = [0; 24];
        bytes[..8].copy_from_slice(&place.start_at.timestamp_micros().to_be_bytes());
        bytes[8..].copy_from_slice(place.id.as_bytes());
        Self(seal::seal(search, &bytes))
    }

    pub(crate) fn place(&self, search: Fingerprint) -> Result<Place, CursorError> {
        let bytes: [u8; 24] = seal::open(search, &self.0)?;
        let (start, id) = bytes.split_first_chunk::<8>().ok_or(CursorError::Damaged)?;
        let start_at = DateTime::from_timestamp_micros(i64::from_be_bytes(*start));
        Ok(Place {
            start_at: start_at.ok_or(CursorError::Damaged)?,
            id: Uuid::from_slice(id).map_err(|_| CursorError::Damaged)?,
        })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A place in the order of all appointments of a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) start_at: DateTime<Utc>,
    pub(crate) id: Uuid,
}

impl Place {
    /// Between all that start before this instant and all that start at it or later.
    pub(super) const fn just_before(start_at: DateTime<Utc>) -> Self {
        Self { start_at, id: Uuid::nil() }
    }
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The cursor does not say where to go on.
    #[error(transparent)]
    Cursor(#[from] CursorError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}
