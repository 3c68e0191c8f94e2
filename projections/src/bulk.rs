//! How a projection is made from the whole log faster than by following it.

use std::sync::Arc;

use daybook_domain::TenantId;
use daybook_store::RecordedEvent;
use sqlx::encode::IsNull;
use sqlx::postgres::PgArgumentBuffer;
use sqlx::{Encode, Postgres};

use crate::ApplyError;

/// How a projection's tables are filled when it is rebuilt.
pub enum Backfill {
    /// In the order of the log, by [`Projection::apply`](crate::Projection::apply). This always works.
    InOrder,
    /// Stream by stream, by `apply`: what these aggregates' events make of the rows depends on nothing
    /// but the aggregate, and the events of all others are nothing to the projection. What `apply` needs of
    /// keys must be among the tables: indexes come last.
    ByStream(&'static [&'static str]),
    /// Stream by stream, and written with COPY.
    Copy(Arc<dyn Bulk>),
}

/// A projection whose rows each come from one stream, or are added up from such rows.
pub trait Bulk: Send + Sync {
    /// The types of the aggregates whose streams are folded.
    fn kinds(&self) -> &'static [&'static str];

    /// The tables that streams have rows in, each with the columns that are given:
    /// `search_3.listed (tenant_id, start_at)`.
    fn tables(&self) -> Vec<String>;

    /// Who folds the streams of this tenant, of all kinds, many of them one after the other.
    fn folder<'a>(&'a self, tenant: &'a TenantId) -> Box<dyn FoldStream + Send + 'a>;

    /// What follows from the rows of many streams: a statement that adds it up, of all tenants at once. It
    /// is run once, when all streams are folded; indexes may not have been made yet.
    fn totals(&self) -> Option<&'static str> {
        None
    }
}

/// Makes rows of streams.
pub trait FoldStream {
    /// Adds the rows of one stream, which is whole, to those of each table, in the order of
    /// [`Bulk::tables`]. They must be what [`Projection::apply`](crate::Projection::apply) would make.
    ///
    /// # Errors
    /// When an event makes no sense.
    fn fold(&mut self, stream: &[RecordedEvent], rows: &mut [CopyRows]) -> Result<(), ApplyError>;
}

/// Rows in the form in which COPY takes them: `FORMAT binary`.
#[derive(Default)]
pub struct CopyRows {
    buffer: PgArgumentBuffer,
    rows: u64,
}

impl std::fmt::Debug for CopyRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CopyRows").field("rows", &self.rows).finish_non_exhaustive()
    }
}

/// What a binary COPY begins with: the signature, no flags, no extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// Instead of a row's number of columns: there are no more.
const TRAILER: [u8; 2] = (-1_i16).to_be_bytes();

impl CopyRows {
    /// Begins a row of so many columns, which are then pushed in their order.
    pub fn row(&mut self, columns: i16) -> &mut Self {
        if self.rows == 0 {
            self.buffer.extend_from_slice(HEADER);
        }
        self.rows += 1;
        self.buffer.extend_from_slice(&columns.to_be_bytes());
        self
    }

    /// Adds a column.
    ///
    /// # Errors
    /// When the value has no form in PostgreSQL.
    pub fn push<'q, T: Encode<'q, Postgres>>(&mut self, value: T) -> Result<&mut Self, ApplyError> {
        let at = self.buffer.len();
        self.buffer.extend_from_slice(&(-1_i32).to_be_bytes());
        let null = value
            .encode_by_ref(&mut self.buffer)
            .map_err(|error| ApplyError::Database(sqlx::Error::Encode(error)))?;
        if matches!(null, IsNull::No) {
            let length = i32::try_from(self.buffer.len() - at - 4)
                .map_err(|error| ApplyError::Database(sqlx::Error::Encode(error.into())))?;
            self.buffer[at..at + 4].copy_from_slice(&length.to_be_bytes());
        }
        Ok(self)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// All that COPY is sent.
    pub(crate) fn finished(&mut self) -> &[u8] {
        self.buffer.extend_from_slice(&TRAILER);
        &self.buffer
    }
}
