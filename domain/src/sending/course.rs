//! How far a message has come.

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::retry::{self, MAX_TRIES, MAX_UNKNOWN};
use super::{Failed, Failure, Outcome, Recorded, Sent};
use crate::SeenVersions;

/// A try to send a message, as it was begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Try {
    /// Which one it is, from 1.
    pub attempt: u16,
    /// The version of the appointment that it rests on.
    pub appointment_version: u64,
    /// The version of the client that it rests on.
    pub client_version: u64,
    /// What the message is known by (RFC 5322 section 3.6.4), without its angle brackets: the same for each try.
    pub message_id: String,
    /// When it is unknown what has become of it, if nothing is recorded before.
    pub lapses_at: DateTime<Utc>,
}

/// How far a message has come. Nothing is sent for a reason, a `W`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Course<W> {
    /// How many tries were begun.
    pub attempts: u16,
    /// How many of this message: since it was asked for again, or another one was to be sent.
    pub tries: u16,
    /// Of how many of these it is unknown what has become of them.
    pub unknown: u16,
    /// What the message is known by, once it was begun.
    pub message_id: Option<String>,
    pub state: SendState<W>,
}

/// Where a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SendState<W> {
    /// Somebody sends it.
    Begun { lapses_at: DateTime<Utc> },
    /// A server has taken it on.
    Sent { code: u16 },
    /// The last try has failed.
    Failed(Failed),
    /// Nothing is sent.
    Skipped(W),
    /// It is to be sent once more.
    Asked { at: DateTime<Utc> },
    /// It is told in the log that it is due; whoever follows that does the rest.
    Announced,
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
    Announced,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 7] = [
        Self::Planned,
        Self::Begun,
        Self::Sent,
        Self::Failed,
        Self::Skipped,
        Self::Asked,
        Self::Announced,
    ];

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
            Self::Announced => "announced",
        }
    }
}

crate::words!(Status, "status", UnknownStatus);

impl<W: Copy> SendState<W> {
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::Begun { .. } => Status::Begun,
            Self::Sent { .. } => Status::Sent,
            Self::Failed(_) => Status::Failed,
            Self::Skipped(_) => Status::Skipped,
            Self::Asked { .. } => Status::Asked,
            Self::Announced => Status::Announced,
        }
    }

    /// When there is something to be done with it.
    #[must_use]
    pub const fn next(self) -> Option<DateTime<Utc>> {
        match self {
            Self::Begun { lapses_at } => Some(lapses_at),
            Self::Failed(failed) => failed.retry_at,
            Self::Asked { at } => Some(at),
            Self::Sent { .. } | Self::Skipped(_) | Self::Announced => None,
        }
    }
}

/// Why it is not tried now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotNow {
    /// Somebody is at it.
    UnderWay { lapses_at: DateTime<Utc> },
    /// It is not time for it.
    NotDue,
    /// It has been decided what becomes of it.
    Settled,
}

impl<W: Copy> Course<W> {
    pub(crate) const fn first(state: SendState<W>) -> Self {
        Self { attempts: 0, tries: 0, unknown: 0, message_id: None, state }
    }

    /// What comes next is another message.
    pub(crate) fn anew(&mut self) {
        (self.tries, self.unknown, self.message_id) = (0, 0, None);
    }

    /// The next try, by what is seen now.
    pub(crate) fn next_try(
        &self,
        message_id: String,
        seen: SeenVersions,
        (now, lasts): (DateTime<Utc>, TimeDelta),
    ) -> Try {
        Try {
            attempt: self.attempts + 1,
            appointment_version: seen.appointment,
            client_version: seen.client,
            message_id: self.message_id.clone().unwrap_or(message_id),
            lapses_at: (now + lasts).trunc_subsecs(6),
        }
    }

    /// A try has begun.
    pub(crate) fn begin(&mut self, tried: Try) {
        self.attempts = tried.attempt;
        self.tries += 1;
        self.message_id = Some(tried.message_id);
        self.state = SendState::Begun { lapses_at: tried.lapses_at };
    }

    /// Something has become of it.
    pub(crate) fn record(&mut self, recorded: Recorded<W>) {
        self.state = match recorded {
            Recorded::Sent(Sent { code }) => SendState::Sent { code },
            Recorded::Failed(failed) => {
                self.unknown += u16::from(failed.failure == Failure::Unknown);
                SendState::Failed(failed)
            }
            Recorded::GivenUp(why) => SendState::Skipped(why),
        };
    }

    /// Whether it can be tried now; within: whether that is because somebody has asked for it.
    pub(crate) fn may_be_tried(&self, now: DateTime<Utc>) -> Result<bool, NotNow> {
        match self.state {
            SendState::Begun { lapses_at } => Err(NotNow::UnderWay { lapses_at }),
            SendState::Failed(Failed { retry_at: Some(at), .. }) if at <= now => Ok(false),
            SendState::Asked { at } if at <= now => Ok(true),
            SendState::Failed(Failed { retry_at: Some(_), .. }) | SendState::Asked { .. } => {
                Err(NotNow::NotDue)
            }
            SendState::Failed(_)
            | SendState::Sent { .. }
            | SendState::Skipped(_)
            | SendState::Announced => Err(NotNow::Settled),
        }
    }

    /// What is recorded of a try, of which this has become; `None`: no such try is under way. It is tried again before `until`
    /// only.
    pub(crate) fn settle(
        &self,
        (attempt, outcome, jitter): (u16, Outcome<W>, u8),
        (now, until): (DateTime<Utc>, DateTime<Utc>),
    ) -> Option<Recorded<W>> {
        let lapsed =
            matches!(self.state, SendState::Failed(Failed { failure: Failure::Unknown, .. }));
        let is_known = matches!(self.state, SendState::Begun { .. });
        // Whoever learns late that it was taken says so, unless it has been begun again.
        let is_late = lapsed && matches!(outcome, Outcome::Accepted { .. });
        if self.attempts != attempt || !(is_known || is_late) {
            return None;
        }
        let next = || retry::next(self.tries, jitter, now, until);
        let failed = |failure, code, retry_at| Recorded::Failed(Failed { failure, code, retry_at });
        Some(match outcome {
            Outcome::Accepted { code } => Recorded::Sent(Sent { code }),
            Outcome::Transient { code } => failed(Failure::Transient, code, next()),
            Outcome::Permanent { code } => failed(Failure::Permanent, code, None),
            Outcome::Unknown => Recorded::Failed(self.unknown(next(), until)),
            Outcome::Nothing(why) => Recorded::GivenUp(why),
        })
    }

    /// What is recorded of a try of which nothing was recorded for too long; `None`: there is none.
    pub(crate) fn lapse(&self, now: DateTime<Utc>, until: DateTime<Utc>) -> Option<Failed> {
        match self.state {
            SendState::Begun { lapses_at } if lapses_at <= now => {
                Some(self.unknown(Some(now.trunc_subsecs(6)), until))
            }
            _ => None,
        }
    }

    /// Once more, and no more often.
    fn unknown(&self, retry_at: Option<DateTime<Utc>>, until: DateTime<Utc>) -> Failed {
        let is_bounded = self.unknown < MAX_UNKNOWN && self.tries < MAX_TRIES;
        let retry_at = retry_at.filter(|at| is_bounded && *at < until);
        Failed { failure: Failure::Unknown, code: None, retry_at }
    }
}
