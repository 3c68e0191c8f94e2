//! Calendars that are imported: what the routes ask of whoever can do it, and what becomes of it.
//!
//! The composition root knows how to read files; a route only hands over bytes. So there is a trait here, the one
//! place where the API does not know who does it.

use std::pin::Pin;

use axum::body::Bytes;
use chrono::TimeDelta;
use chrono_tz::Tz;
use daybook_domain::TenantId;
use futures::Stream;
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Imports calendars.
pub trait ImportService: Send + Sync {
    /// Takes all of a file, and begins to import it once it is known to be whole. What becomes of it is kept as
    /// that import's report; where it takes long, the answer does not wait for it.
    fn begin(
        &self,
        request: ImportRequest,
        file: ImportFile,
    ) -> BoxFuture<'static, Result<ImportBegun, ImportFault>>;
}

/// What there is of an import by the time of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportBegun {
    /// Its report is kept.
    Kept {
        /// Since an earlier request, which was the same.
        before: bool,
    },
    /// A dry run that is done: nothing of it is kept.
    Tried(ImportReport),
}

/// A file as it comes.
pub type ImportFile = Pin<Box<dyn Stream<Item = Result<Bytes, ImportFault>> + Send>>;

/// What is to be imported, and how.
#[derive(Debug, Clone)]
pub struct ImportRequest {
    pub id: Uuid,
    pub tenant: TenantId,
    /// Who asks for it.
    pub actor: String,
    /// What the file's calendar is called, where the file does not say so.
    pub name: Option<String>,
    /// The zone of times that name none, where the file does not say so. `None`: the tenant's.
    pub time_zone: Option<Tz>,
    /// What the source is called that is imported again and again.
    pub source: Option<String>,
    /// Where events are that name no place: a resource's id, or a name.
    pub resource: Option<String>,
    /// From where the category of events comes that name none.
    pub category_from: Option<String>,
    pub dry_run: bool,
    /// Whether the answer is not to wait for it.
    pub responds_at_once: bool,
}

/// Why a file is not imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportFault {
    /// It is larger than is taken.
    TooLarge,
    /// It did not come to its end.
    BrokenOff,
    /// It is no calendar, or not a whole one: why.
    NotACalendar(String),
    /// A parameter is not understood: which, and why.
    Parameter(&'static str, String),
    /// So many are under way as can be at once.
    TooMany,
    /// Its id was given to another request.
    KeyReused,
    /// It cannot be done at present: why, for the log alone.
    Unavailable(String),
}

/// An import of which its program has said nothing for so long was broken off.
pub const SILENT: TimeDelta = TimeDelta::minutes(2);

/// The largest file that is taken over HTTP, in bytes.
pub const MAX_IMPORT_BYTES: usize = 32 * 1024 * 1024;

/// So many outcomes are told one by one; of those after them, the numbers.
pub const MAX_TOLD: usize = 1_000;

/// What became of an import, as far as it has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportReport {
    /// Whether it only says what would happen.
    pub dry_run: bool,
    /// How many events the file has.
    pub events: u64,
    /// How many of them are done.
    pub done: u64,
    pub counts: ImportCounts,
    /// What was refused or left, by line; of a dry run, all that would happen. The first 1,000.
    pub outcomes: Vec<ImportOutcome>,
    /// Whether there are more outcomes than are told.
    pub more: bool,
    /// Why it ended before all was done, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// How many events, or occurrences of a series, came to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportCounts {
    pub booked: u64,
    /// To another time or place.
    pub moved: u64,
    /// Renamed, or of another category: but for where and when they are.
    pub changed: u64,
    pub cancelled: u64,
    pub already_there: u64,
    /// Those that do not take place, and never were here.
    pub not_taking_place: u64,
    /// Those that have changed in the calendar, and were changed here, too.
    pub left: u64,
    pub refused: u64,
    /// Series that go on after what was looked at.
    pub going_on: u64,
}

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportOutcome {
    pub outcome: ImportVerdict,
    /// Where the event is in the file, counted from 1.
    pub line: u32,
    /// What it is called there.
    pub event: String,
    /// Where and when it is, or why not.
    pub message: String,
}

impl ImportOutcome {
    /// Whether it is told by itself: what has happened as it was to is told by numbers.
    #[must_use]
    pub const fn is_told(&self, dry_run: bool) -> bool {
        dry_run || matches!(self.outcome, ImportVerdict::Left | ImportVerdict::Refused)
    }
}

/// What became of an event, or would.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ImportVerdict {
    Booked,
    Moved,
    Changed,
    Cancelled,
    /// It has changed in its calendar and was changed here since: it is left as it is.
    Left,
    Refused,
}
