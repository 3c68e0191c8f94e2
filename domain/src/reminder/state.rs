//! What a reminder is.

use serde::{Deserialize, Serialize};

use super::{
    Occasion, ReminderAsked, ReminderBegun, ReminderBegunAgain, ReminderDue, ReminderEvent,
    ReminderGivenUp, ReminderResendAsked, ReminderSkipped, Why,
};
use crate::HasPersonal;
use crate::sending::{Course, Recorded, SendState};

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
    pub course: Course<Why>,
}

impl Ledger {
    fn first(of: Occasion, state: SendState<Why>) -> Self {
        Self { of, course: Course::first(state) }
    }

    /// Takes note of what happened after it began.
    fn evolve(&mut self, event: ReminderEvent) {
        match event {
            ReminderEvent::ReminderBegun(_)
            | ReminderEvent::ReminderSkipped(_)
            | ReminderEvent::ReminderAsked(_)
            | ReminderEvent::ReminderDue(_) => {}
            ReminderEvent::ReminderDueAgain(_) => self.course.state = SendState::Announced,
            ReminderEvent::ReminderBegunAgain(ReminderBegunAgain { tried }) => {
                self.course.begin(tried);
            }
            ReminderEvent::ReminderSent(sent) => self.course.record(Recorded::Sent(sent)),
            ReminderEvent::ReminderFailed(failed) => self.course.record(Recorded::Failed(failed)),
            ReminderEvent::ReminderGivenUp(ReminderGivenUp { why }) => {
                self.course.record(Recorded::GivenUp(why));
            }
            ReminderEvent::ReminderResendAsked(ReminderResendAsked { at }) => {
                self.course.anew();
                self.course.state = SendState::Asked { at };
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
                let mut ledger = Ledger::first(of, SendState::Begun { lapses_at: at });
                ledger.course.begin(tried);
                *this = Self::Known(ledger);
            }
            (ReminderEvent::ReminderSkipped(ReminderSkipped { of, why }), this) => {
                *this = Self::Known(Ledger::first(of, SendState::Skipped(why)));
            }
            (ReminderEvent::ReminderAsked(ReminderAsked { of, at }), this) => {
                *this = Self::Known(Ledger::first(of, SendState::Asked { at }));
            }
            (ReminderEvent::ReminderDue(ReminderDue { of, .. }), this) => {
                *this = Self::Known(Ledger::first(of, SendState::Announced));
            }
            (event, Self::Known(ledger)) => ledger.evolve(event),
            // Nothing can happen to what was never begun; `verify` reports such a log.
            (_, Self::Unbegun) => {}
        }
    }
}

impl HasPersonal for Reminder {}
