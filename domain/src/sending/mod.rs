//! What reminders and notices have in common: a message to a client is begun in the log before anything is handed over, and
//! what has become of each try is recorded after it.
//!
//! * `course`: how far a message has come. `outcome`: what becomes of a try. `retry`: when it is tried again.
//! * `kind`: what messages are for. `silence`: why a client is not written to.
//!
//! What is to be sent, and whether it still is, each says itself: it depends on the appointment as it is then.

mod course;
mod kind;
mod outcome;
mod retry;
mod silence;

pub(crate) use course::NotNow;
pub use course::{Course, SendState, Status, Try, UnknownStatus};
pub use kind::{Kind, UnknownKind};
pub use outcome::{Failed, Failure, Outcome, Recorded, Sent, UnknownFailure};
pub use retry::MAX_LATE;
#[cfg(test)]
pub(crate) use retry::{MAX_TRIES, MAX_UNKNOWN, next};
pub(crate) use silence::{Silence, silence};
