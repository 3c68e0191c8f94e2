//! What the runner needs to know of a projection.

use std::fmt;

use daybook_domain::TenantId;
use daybook_store::personal::KeyringError;
use daybook_store::{Position, RecordedEvent, UnreadableEvent};
use futures::future::BoxFuture;

use crate::{Backfill, TableSpec, Tables};

/// A projection's name and version; together they name its schema: `appointments_1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProjectionId {
    /// What it is called.
    pub name: &'static str,
    /// Raised whenever its tables, or what is in them, are to differ.
    pub version: i32,
}

impl fmt::Display for ProjectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.name, self.version)
    }
}

/// A read model of the log.
pub trait Projection: Send + Sync + 'static {
    /// Its name and version.
    fn id(&self) -> ProjectionId;

    /// Makes its tables, in a schema that is empty.
    fn ddl(&self) -> &str;

    /// Makes the indexes that it needs to change its rows and to answer. A rebuild that fills the
    /// tables by itself runs them last: concurrently, and the last one when all others are done.
    #[expect(clippy::unnecessary_literal_bound, reason = "a projection may put its own together")]
    fn indexes(&self) -> &str {
        ""
    }

    /// The tables that it writes by the kit: a test compares them with what [`ddl`](Self::ddl) makes.
    fn tables(&self) -> Vec<&'static dyn TableSpec> {
        Vec::new()
    }

    /// How its tables are filled when it is rebuilt.
    fn backfill(&self) -> Backfill {
        Backfill::InOrder
    }

    /// A statement that does what its indexes have deferred, if they defer anything: it is run
    /// apart from the batches, so that none of them has to wait for it.
    fn maintenance(&self) -> Option<&'static str> {
        None
    }

    /// Changes the rows of one tenant as these events say.
    ///
    /// The events are consecutive and each is given once, whatever crashes: `tables` are changed in the
    /// transaction that moves the checkpoint. They are folded in memory and written with a few
    /// statements, never row by row. After an error, nothing of it remains.
    ///
    /// # Errors
    /// See [`ApplyError`].
    fn apply<'a>(
        &'a self,
        tables: &'a mut Tables<'_>,
        tenant: &'a TenantId,
        events: &'a [RecordedEvent],
    ) -> BoxFuture<'a, Result<(), ApplyError>>;
}

/// Why a batch was not applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// This event makes no sense to the projection. It is stalled until a program comes that can
    /// apply it.
    #[error("the event at position {position} cannot be applied: {reason}")]
    Event {
        /// Where it is.
        position: Position,
        reason: String,
    },
    /// Rows are not what they must be, so that nothing of the batch is written.
    #[error(transparent)]
    RowsDisagree(#[from] RowsDisagree),
    /// The database failed, or refused what was written.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// A statement did not write the rows that it was given: rows are missing, or the tenant is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{written} of {given} rows of {table} were {verb}")]
pub struct RowsDisagree {
    /// In which table.
    pub table: String,
    /// What was to be done with them.
    pub verb: &'static str,
    /// How many rows it was given.
    pub given: usize,
    /// How many it wrote.
    pub written: u64,
}

impl ApplyError {
    /// What cannot be opened holds its tenant up at the position that it is needed at, and no other.
    pub(crate) fn closed(error: KeyringError, position: Position) -> Self {
        match error {
            KeyringError::Database(error) => Self::Database(error),
            other => Self::Event { position, reason: other.to_string() },
        }
    }
}

impl From<UnreadableEvent> for ApplyError {
    fn from(UnreadableEvent { position, reason }: UnreadableEvent) -> Self {
        Self::Event { position, reason }
    }
}
