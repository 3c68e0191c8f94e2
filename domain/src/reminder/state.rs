//! What a reminder is.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    Failure, Occasion, ReminderAsked, ReminderBegun, ReminderBegunAgain, ReminderEvent,
    ReminderFailed, ReminderGivenUp, ReminderResendAsked, ReminderSent, ReminderSkipped, Try, Why,
};
use crate::HasPersonal;

/// A reminder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reminder {
    /// Nothing has become of it (yet).
    #[default]
    Unbegun,
    /// Something has.
    Known(Ledger),
}

/// What has become of a reminder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    pub of: Occasion,
    /// How many tries were begun.
    pub attempts: u16,
    /// How many since it was asked for, if it was asked for again.
    pub tries: u16,
    /// Of how many of these it is unknown what has become of them.
    pub unknown: u16,
    /// What its message is known by, once it was begun.
    pub message_id: Option<String>,
    pub state: ReminderState,
}

/// Where a reminder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReminderState {
    /// Somebody sends it.
    Begun { lapses_at: DateTime<Utc> },
    /// A server has taken it on.
    Sent { code: u16 },
    /// The last try has failed.
    Failed(ReminderFailed),
    /// Nothing is sent.
    Skipped(Why),
    /// It is to be sent once more.
    Asked { at: DateTime<Utc> },
}

/// The name of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It will be due.
    Planned,
    Begun,
    Sent,
    Failed,
    Skipped,
    Asked,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 6] =
        [Self::Planned, Self::Begun, Self::Sent, Self::Failed, Self::Skipped, Self::Asked];

    /// Its name on the wire and in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Begun => "begun",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Asked => "asked",
        }
    }
}

crate::words!(Status, "status", UnknownStatus);

impl ReminderState {
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::Begun { .. } => Status::Begun,
            Self::Sent { .. } => Status::Sent,
            Self::Failed(_) => Status::Failed,
            Self::Skipped(_) => Status::Skipped,
            Self::Asked { .. } => Status::Asked,
        }
    }

    /// When there is something to be done with it.
    #[must_use]
    pub const fn next(self) -> Option<DateTime<Utc>> {
        match self {
            Self::Begun { lapses_at } => Some(lapses_at),
            Self::Failed(failed) => failed.retry_at,
            Self::Asked { at } => Some(at),
            Self::Sent { .. } | Self::Skipped(_) => None,
        }
    }
}

impl Ledger {
    fn first(of: Occasion, state: ReminderState) -> Self {
        Self { of, attempts: 0, tries: 0, unknown: 0, message_id: None, state }
    }

    fn begin(&mut self, tried: Try) {
        self.attempts = tried.attempt;
        self.tries += 1;
        self.message_id = Some(tried.message_id);
        self.state = ReminderState::Begun { lapses_at: tried.lapses_at };
    }

    /// Takes note of what happened after it began.
    fn evolve(&mut self, event: ReminderEvent) {
        match event {
            ReminderEvent::ReminderBegun(_)
            | ReminderEvent::ReminderSkipped(_)
            | ReminderEvent::ReminderAsked(_) => {}
            ReminderEvent::ReminderBegunAgain(ReminderBegunAgain { tried }) => self.begin(tried),
            ReminderEvent::ReminderSent(ReminderSent { code }) => {
                self.state = ReminderState::Sent { code };
            }
            ReminderEvent::ReminderFailed(failed) => {
                self.unknown += u16::from(failed.failure == Failure::Unknown);
                self.state = ReminderState::Failed(failed);
            }
            ReminderEvent::ReminderGivenUp(ReminderGivenUp { why }) => {
                self.state = ReminderState::Skipped(why);
            }
            ReminderEvent::ReminderResendAsked(ReminderResendAsked { at }) => {
                (self.tries, self.unknown, self.message_id) = (0, 0, None);
                self.state = ReminderState::Asked { at };
            }
        }
    }
}

impl Reminder {
    /// All about it, once something has become of it.
    #[must_use]
    pub const fn ledger(&self) -> Option<&Ledger> {
        match self {
            Self::Unbegun => None,
            Self::Known(ledger) => Some(ledger),
        }
    }

    /// Takes note of what happened.
    pub fn evolve(&mut self, event: ReminderEvent) {
        match (event, self) {
            (ReminderEvent::ReminderBegun(ReminderBegun { of, tried }), this) => {
                let at = tried.lapses_at;
                let mut ledger = Ledger::first(of, ReminderState::Begun { lapses_at: at });
                ledger.begin(tried);
                *this = Self::Known(ledger);
            }
            (ReminderEvent::ReminderSkipped(ReminderSkipped { of, why }), this) => {
                *this = Self::Known(Ledger::first(of, ReminderState::Skipped(why)));
            }
            (ReminderEvent::ReminderAsked(ReminderAsked { of, at }), this) => {
                *this = Self::Known(Ledger::first(of, ReminderState::Asked { at }));
            }
            (event, Self::Known(ledger)) => ledger.evolve(event),
            // Nothing can happen to what was never begun; `verify` reports such a log.
            (_, Self::Unbegun) => {}
        }
    }
}

impl HasPersonal for Reminder {}
