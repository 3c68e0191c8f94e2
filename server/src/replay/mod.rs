//! `daybook replay`: events as they happened, or what would have become of them by other rules.

mod event_stream;
mod what_if;

pub(crate) use event_stream::run;
pub(crate) use what_if::run as what_if;
