//! Mail: a message is put together, and handed to a relay (RFC 6409, RFC 5321) so that it is known what has become of it.
//!
//! * `settings`: which relay, and from whom. `letter`: a message. `invitation`: what of it calendars read. `relay`: the hand-over.
//!
//! What is written to whom is decided elsewhere: whoever reminds, confirms or invites has a text and an address. Neither is ever
//! logged, and neither is what a relay says: it quotes addresses. Its codes say enough.

mod invitation;
mod letter;
mod relay;
mod settings;

pub use lettre::message::Mailbox;

pub use invitation::{Invitation, Method};
pub use letter::{CalendarPart, Letter, LetterError, Mail};
pub use relay::{Handed, Relay, Stage};
pub use settings::{RelaySettings, SettingsError, StartTls, sender};
