//! The log, and the engine that appends to it.
//!
//! * [`log`]: one gapless, hash-chained log per tenant; group commit; claims and idempotency keys
//!   kept in the same transaction; reading and waking.
//! * [`engine`]: runs a command: loads what its decision needs, decides, appends, retries.
//! * [`feed`]: the log as others read it: filtered, each event as a CloudEvent.
//! * [`followers`]: who follows a log outside of daybook; [`webhooks`]: the endpoints among them.
//! * [`what_if`]: what would have become of the recorded commands by other rules.
//! * [`metrics`]: the names of what the program measures, here and above.
//! * [`database`]: where the log is kept, and what time it is there.
//! * [`promotions`]: how far those who wait were offered what has become available.
//! * [`retention`]: whose clients are erased when they have not been there for long.
//! * [`imports`]: what is known of events that were imported from other calendars.
//! * [`tenants`] and [`keys`]: who has a log, and who may use it; [`departures`]: tenants that are suspended or deleted.
//! * [`browser`]: sessions of browsers; [`calendar_feeds`]: calendars that whoever has their address is told;
//!   [`templates`]: what tenants write to clients in their own words.
//! * [`issuers`]: whom a tenant trusts to say who calls, by access tokens.
//! * [`personal`]: the keys of persons, which seal what is known of them.
//! * [`audit`]: who did or was told what, of whom.
//! * [`programs`]: which programs run on the database, and what each of them does.
//!
//! What a command means is `daybook-domain`'s business; what readers make of the events,
//! `daybook-projections`'.

pub mod audit;
pub mod browser;
pub mod calendar_feeds;
mod checked_text;
mod clock;
pub mod database;
pub mod departures;
pub mod doctor;
pub mod engine;
pub mod feed;
pub mod followers;
mod hex;
pub mod imports;
pub mod issuers;
pub mod json;
pub mod keys;
pub mod log;
pub mod metrics;
pub mod personal;
pub mod programs;
pub mod promotions;
pub mod reminding;
mod repeated;
pub mod retention;
mod schema;
pub mod templates;
pub mod tenants;
#[cfg(test)]
mod testing;
pub mod trace_context;
pub mod webhooks;
pub mod what_if;

pub use clock::{Clock, SystemClock};
pub use engine::{
    Abort, CommandContext, Engine, Executable, ExecuteError, Executed, Noted, RefusedCommand,
    Target, UnitContext, UnitOfWork, is_replay_so_far, noting,
};
pub use hex::hex;
pub use json::not_understood;
pub use log::{
    AnyEvent, AppendedTo, Appends, CommandKey, Log, LogSettings, Position, RecordedEvent, Streams,
    StreamsPart, UnreadableEvent, is_passing,
};
pub use programs::{Program, Role};
pub use repeated::Repeated;
pub use schema::migrate;
