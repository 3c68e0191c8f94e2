//! Read models of the log, and the runner that keeps them up to date.
//!
//! A projection is a folder: its tables, how a batch of events changes them, and the queries that
//! read them. [`Runner`] brings every projection of every tenant up to the end of the log, and each
//! event changes its rows exactly once. [`Progress`] tells how far each one is.
//!
//! Architecture invariants:
//! * Nothing here writes an event; whatever is here can be thrown away and made again.
//! * A projection's version is part of its schema's name. Tables are never altered: a program whose
//!   tables differ raises the version, and builds its own next to the old ones.
//! * Rows and checkpoint change in one transaction, in which the checkpoint moves by
//!   compare-and-set.

pub mod agenda;
mod all;
pub mod analytics;
pub mod appointments;
mod basis;
mod bulk;
pub mod catalogue;
mod change;
mod checkpoint;
pub mod client_history;
pub mod conflicts;
mod deployments;
pub mod due;
pub mod history;
mod kit;
mod lag;
mod leftovers;
pub mod notices;
mod out_of_step;
mod page;
mod progress;
mod projection;
mod rebuild;
pub mod reminders;
pub mod retention;
mod runner;
mod schema;
pub mod search;
pub mod sessions;
mod status;
mod tables;
#[cfg(test)]
mod tests;
pub mod utilisation;
mod verify;
pub mod waiting;
mod within;

pub use all::all;
pub use basis::Basis;
pub use bulk::{Backfill, Bulk, FoldStream};
pub use deployments::{Deployment, Heard};
pub use due::{Due, DueQuery};
pub use kit::{CopyRows, TableSpec};
pub use leftovers::{Leftover, all_schemas, drop_leftover, leftovers};
pub use out_of_step::OutOfStep;
pub use page::{Cursor, CursorError, Limit, LimitError, Page, PageError, Recorded, RecordedOrder};
pub use progress::{Progress, WaitError};
pub use projection::{ApplyError, Projection, ProjectionId, RowsDisagree};
pub use rebuild::{Phase, RebuildError, Rebuilder, Rebuilt};
pub use runner::{Runner, RunnerSettings};
pub use schema::prepare;
pub use status::{BuildStatus, RebuildProgress, State, Status, TenantStatus};
pub use tables::{Schema, Tables};
pub use verify::{Difference, Verification, verify};

/// How many things are done concurrently: more than there are processors would only be in the
/// way of who books.
fn at_once() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 8)
}
