//! Read models of the log, and the runner that keeps them up to date.
//!
//! A projection is a folder: its tables, how a batch of events changes them, and the queries that
//! read them. [`Runner`] brings every projection of every tenant up to the end of the log, and each
//! event changes its rows exactly once. [`Progress`] tells how far each one is.
//!
//! Architecture invariants:
//! * Nothing here writes an event; whatever is here can be thrown away and made again.
//! * A projection's version is part of its schema's name. Tables are never altered: a program whose
//!   tables differ raises the version, and builds its own beside the old ones.
//! * Rows and checkpoint change in one transaction, in which the checkpoint moves by
//!   compare-and-set.

pub mod analytics;
mod array;
pub mod catalogue;
mod checkpoint;
pub mod client_history;
pub mod conflicts;
mod needed;
mod page;
mod progress;
mod projection;
mod runner;
mod schema;
pub mod search;
pub mod sessions;
mod tables;
#[cfg(test)]
mod tests;
pub mod utilisation;
pub mod waiting;

pub use page::{CursorError, Limit, LimitError, Page};
pub use progress::{Lag, Progress, WaitError};
pub use projection::{ApplyError, Projection, ProjectionId};
pub use runner::{Runner, RunnerSettings};
pub use schema::prepare;
pub use tables::{Schema, Tables};
