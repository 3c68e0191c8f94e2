//! What a notice is.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    NoticeBegun, NoticeBegunAgain, NoticeEvent, NoticeGivenUp, NoticeSkipped, Subject, Told, Why,
};
use super::{What, due};
use crate::HasPersonal;
use crate::sending::{Course, Failed, Failure, Recorded, SendState};

/// What a client was told of an appointment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::large_enum_variant, reason = "what is loaded is known; a box costs all of them")]
pub enum Notice {
    /// Nothing (yet).
    #[default]
    Unbegun,
    /// Something was begun, or skipped.
    Known(Ledger),
}

/// What has become of what a client was to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// What the last message is about.
    pub of: Subject,
    /// What the client was told last, as far as is known: a message that may have been taken was.
    pub told: Option<Told>,
    pub course: Course<Why>,
}

impl Ledger {
    fn first(of: Subject, state: SendState<Why>) -> Self {
        Self { of, told: None, course: Course::first(state) }
    }

    fn begin(&mut self, NoticeBegunAgain { of, tried }: NoticeBegunAgain) {
        if self.course.message_id.as_ref() != Some(&tried.message_id) {
            self.course.anew();
        }
        self.of = of;
        self.course.begin(tried);
    }

    fn record(&mut self, recorded: Recorded<Why>) {
        let may_be_told = match recorded {
            Recorded::Sent(_) => true,
            Recorded::Failed(failed) => failed.failure == Failure::Unknown,
            Recorded::GivenUp(_) => false,
        };
        if may_be_told {
            self.told = Some(self.of.told.clone());
        }
        self.course.record(recorded);
    }

    fn evolve(&mut self, event: NoticeEvent) {
        match event {
            NoticeEvent::NoticeBegun(_) | NoticeEvent::NoticeSkipped(_) => {}
            NoticeEvent::NoticeBegunAgain(begun) => self.begin(begun),
            NoticeEvent::NoticeSent(sent) => self.record(Recorded::Sent(sent)),
            NoticeEvent::NoticeFailed(failed) => self.record(Recorded::Failed(failed)),
            NoticeEvent::NoticeGivenUp(NoticeGivenUp { of, why }) => {
                self.of = of;
                self.record(Recorded::GivenUp(why));
            }
        }
    }

    /// Whether the last message is to be tried again: nothing was decided of it.
    pub(super) const fn is_open(&self) -> bool {
        matches!(
            self.course.state,
            SendState::Begun { .. }
                | SendState::Failed(Failed { retry_at: Some(_), .. })
                | SendState::Asked { .. }
        )
    }

    /// Whether it is decided what becomes of this, and not only that something else is told instead.
    fn is_settled(&self, present: &Told) -> bool {
        !matches!(self.course.state, SendState::Skipped(Why::Superseded))
            && self.of.told == *present
    }
}

impl Notice {
    /// All about it, once something was begun.
    #[must_use]
    pub const fn ledger(&self) -> Option<&Ledger> {
        match self {
            Self::Unbegun => None,
            Self::Known(ledger) => Some(ledger),
        }
    }

    /// What the client is to be told of what is so at present, once nothing else is under way; `None`: nothing.
    #[must_use]
    pub fn due(&self, present: &Told, is_offered: bool) -> Option<What> {
        let ledger = self.ledger();
        let last = ledger.and_then(|ledger| ledger.told.as_ref());
        let is_settled = ledger.is_some_and(|ledger| ledger.is_settled(present));
        due(last, present, is_offered).filter(|_| !is_settled)
    }

    /// When there is something to be done, where this is so at present since then.
    #[must_use]
    pub fn next(
        &self,
        present: Option<&Told>,
        is_offered: bool,
        changed_at: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let Some(ledger) = self.ledger().filter(|ledger| ledger.is_open()) else {
            return self.due(present?, is_offered).map(|_| changed_at);
        };
        let is_begun = matches!(ledger.course.state, SendState::Begun { .. });
        // What is not so any more is given up at once.
        let is_so = present == Some(&ledger.of.told);
        if is_begun || is_so { ledger.course.state.next() } else { Some(changed_at) }
    }

    /// Takes note of what happened.
    pub fn evolve(&mut self, event: NoticeEvent) {
        match (event, self) {
            (NoticeEvent::NoticeBegun(NoticeBegun { of, tried }), this) => {
                let state = SendState::Begun { lapses_at: tried.lapses_at };
                let mut ledger = Ledger::first(of.clone(), state);
                ledger.begin(NoticeBegunAgain { of, tried });
                *this = Self::Known(ledger);
            }
            (NoticeEvent::NoticeSkipped(NoticeSkipped { of, why }), this) => {
                *this = Self::Known(Ledger::first(of, SendState::Skipped(why)));
            }
            (event, Self::Known(ledger)) => ledger.evolve(event),
            // Nothing can happen to what was never begun; `verify` reports such a log.
            (_, Self::Unbegun) => {}
        }
    }
}

impl HasPersonal for Notice {}
