//! How a projection is made from the whole log faster than by following it.

use std::sync::Arc;

use daybook_domain::TenantId;
use daybook_store::RecordedEvent;

use crate::{ApplyError, CopyRows};

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
    /// Adds the rows of one stream, which is whole. They must be what
    /// [`Projection::apply`](crate::Projection::apply) would make.
    ///
    /// # Errors
    /// When an event makes no sense.
    fn fold(&mut self, stream: &[RecordedEvent], rows: &mut CopyRows) -> Result<(), ApplyError>;

    /// Adds the rows that were put off, once all streams are folded. It runs where a thread may wait.
    ///
    /// # Errors
    /// When something that is needed cannot be had.
    fn finish(&mut self, rows: &mut CopyRows) -> Result<(), ApplyError> {
        let _ = rows;
        Ok(())
    }
}
