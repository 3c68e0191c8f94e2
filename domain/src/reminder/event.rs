//! What happens to reminders. No event has an address, or what a mail server has said: that quotes addresses.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::claim::Claims;
use crate::sending::{Failed, Recorded, Sent, Silence, Try};
use crate::service::ReminderRule;
use crate::{AppointmentId, ClientId, HasPersonal, ReminderId, ServiceId};

/// What ids of reminders are made in.
const NAMESPACE: Uuid = Uuid::from_u128(0x6d29_1c1b_5c0e_4f0a_9a3c_0d8e_77f1_2b64);

/// Of what a reminder reminds, and by which rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Occasion {
    pub appointment_id: AppointmentId,
    pub service_id: ServiceId,
    pub client_id: ClientId,
    pub rule: ReminderRule,
    /// When the appointment starts: moved, it is another occasion; moved back, it is this one again.
    #[serde(rename = "start_at")]
    pub start: DateTime<Utc>,
    /// When the reminder is due by its rule.
    #[serde(rename = "due_at")]
    pub due: DateTime<Utc>,
}

impl Occasion {
    /// The reminder's id: the same whoever works it out, so that there is one.
    #[must_use]
    pub fn id(&self) -> ReminderId {
        let start = self.start.to_rfc3339_opts(SecondsFormat::Micros, true);
        let name = format!("{}/{}/{start}", self.appointment_id, self.rule);
        Uuid::new_v5(&NAMESPACE, name.as_bytes()).into()
    }
}

/// It is about to be sent for the first time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReminderBegun {
    #[serde(flatten)]
    pub of: Occasion,
    #[serde(flatten)]
    pub tried: Try,
}

/// It is about to be sent once more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReminderBegunAgain {
    #[serde(flatten)]
    pub tried: Try,
}

/// It is due, and whoever follows the log is to remind the client: by a webhook, say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReminderDue {
    #[serde(flatten)]
    pub of: Occasion,
    /// The version of the appointment that it rests on.
    pub appointment_version: u64,
    /// The version of the client that it rests on.
    pub client_version: u64,
}

/// It is due once more, because somebody asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReminderDueAgain {
    #[serde(flatten)]
    pub of: Occasion,
    /// The version of the appointment that it rests on.
    pub appointment_version: u64,
    /// The version of the client that it rests on.
    pub client_version: u64,
}

/// Why nothing is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "WhyNotReminded"))]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The appointment is cancelled.
    Cancelled,
    /// It is at another time by now.
    Moved,
    /// The client has come, or did not.
    Over,
    /// The service has no such reminder any more.
    RuleGone,
    /// It has started, or the reminder was due too long ago.
    TooLate,
    /// A later reminder of the same appointment is due, too.
    Superseded,
    /// The client is not to be reminded.
    NotWanted,
    /// What is known of the client is only kept.
    Restricted,
    /// No address of the client is known.
    NoAddress,
}

impl Why {
    pub const ALL: [Self; 9] = [
        Self::Cancelled,
        Self::Moved,
        Self::Over,
        Self::RuleGone,
        Self::TooLate,
        Self::Superseded,
        Self::NotWanted,
        Self::Restricted,
        Self::NoAddress,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::Moved => "moved",
            Self::Over => "over",
            Self::RuleGone => "rule-gone",
            Self::TooLate => "too-late",
            Self::Superseded => "superseded",
            Self::NotWanted => "not-wanted",
            Self::Restricted => "restricted",
            Self::NoAddress => "no-address",
        }
    }
}

crate::words!(Why, "reason", UnknownWhy);

impl From<Silence> for Why {
    fn from(silence: Silence) -> Self {
        match silence {
            Silence::NotWanted => Self::NotWanted,
            Silence::Restricted => Self::Restricted,
            Silence::NoAddress | Silence::Gone => Self::NoAddress,
        }
    }
}

/// It was due, and nothing was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReminderSkipped {
    #[serde(flatten)]
    pub of: Occasion,
    pub why: Why,
}

/// It was begun, and is not tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReminderGivenUp {
    pub why: Why,
}

/// Somebody wants it to be sent before it is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReminderAsked {
    #[serde(flatten)]
    pub of: Occasion,
    #[serde(rename = "asked_at")]
    pub at: DateTime<Utc>,
}

/// Somebody wants it to be sent once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReminderResendAsked {
    #[serde(rename = "asked_at")]
    pub at: DateTime<Utc>,
}

/// Everything that happens to a reminder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "type")]
pub enum ReminderEvent {
    ReminderBegun(ReminderBegun),
    ReminderSkipped(ReminderSkipped),
    ReminderAsked(ReminderAsked),
    ReminderDue(ReminderDue),
    ReminderDueAgain(ReminderDueAgain),
    ReminderBegunAgain(ReminderBegunAgain),
    ReminderSent(Sent),
    ReminderFailed(Failed),
    ReminderGivenUp(ReminderGivenUp),
    ReminderResendAsked(ReminderResendAsked),
}

crate::event_types!(ReminderEvent:
    creating ReminderBegun, ReminderSkipped, ReminderAsked, ReminderDue;
    then ReminderBegunAgain, ReminderSent, ReminderFailed, ReminderGivenUp, ReminderResendAsked,
        ReminderDueAgain
);

impl From<Recorded<Why>> for ReminderEvent {
    fn from(recorded: Recorded<Why>) -> Self {
        match recorded {
            Recorded::Sent(sent) => Self::ReminderSent(sent),
            Recorded::Failed(failed) => Self::ReminderFailed(failed),
            Recorded::GivenUp(why) => Self::ReminderGivenUp(ReminderGivenUp { why }),
        }
    }
}

impl Claims for ReminderEvent {}
impl HasPersonal for ReminderEvent {}
