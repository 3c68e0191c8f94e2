//! The rules of scheduling, and nothing else.
//!
//! Each aggregate is a folder: its commands, its events, its state, and `decide`, which turns a
//! command into events or into a typed refusal. Everything here is a pure function of its
//! arguments: no database, no HTTP, no clock. The time comes in with the [`Facts`].
//!
//! How events are stored is `daybook-store`'s business; how they are read, `daybook-projections`'.

mod aggregates;
pub mod appointment;
pub mod availability;
pub mod claim;
pub mod client;
mod directory;
mod event_types;
mod facts;
mod ids;
mod legible;
mod matching;
mod metadata;
pub mod notice;
pub mod patch;
mod personal;
mod quota;
mod refusal;
pub mod reminder;
pub mod resource;
pub mod rights;
mod schemas;
pub mod sending;
pub mod series;
pub mod service;
pub mod session;
mod settings;
mod spelling;
#[cfg(test)]
mod testing;
mod text;
pub mod time;
mod title;
mod upcast;
pub mod waiting;
#[doc(hidden)]
pub mod words;

pub use directory::Directory;
pub(crate) use event_types::event_types;
pub use event_types::{AggregateEvent, EVENT_TYPES, aggregate_type, is_event_type};
pub use facts::{Decide, Facts, Needs, SeenVersions};
pub use ids::{
    AppointmentId, ClientId, ExceptionId, HolidayId, IdError, InvalidResources, NoticeId,
    ReminderId, ResourceId, ResourceIds, SeriesId, ServiceId, SessionId, TenantId, WaitingEntryId,
};
pub use legible::{Illegible, legible};
pub use metadata::{Metadata, MetadataPatch};
pub use personal::{
    HasPersonal, Personal, PersonalJson, PersonalMember, Sealable, Sealed, Subject,
    withhold_personal,
};
pub use quota::{QuotaRule, QuotaSlot};
pub use refusal::{Meaning, Refusal, RefusalKind};
pub use schemas::EVENT_SCHEMAS;
pub use settings::{
    ImportDays, ImportDaysError, LeastBookedDays, LeastBookedDaysError, RetentionDays,
    RetentionDaysError, TenantSettings,
};
pub use spelling::{folded, words};
pub use text::{
    Category, Email, Language, Location, MetadataKey, MetadataValue, Name, Note, Phone, Reason,
    Reference, RoleName, RuleText, Tag, Tags, TextError, Title,
};
pub use title::{FreeTitle, Titles, UnknownTitles};
pub use upcast::upcasters;
