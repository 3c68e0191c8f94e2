//! Why a command of a reminder is refused.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::Meaning;
use crate::sending::NotNow;

/// Why a command of a reminder is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum ReminderRefusal {
    /// There is no such reminder.
    #[error("there is no such reminder, or nothing has become of it yet")]
    ReminderNotFound,
    /// It is not time for it, or there is no such reminder by now.
    #[error("the reminder is not due")]
    ReminderNotDue,
    /// Somebody is at it.
    #[error("the reminder is being sent, until {lapses_at} at the latest")]
    ReminderUnderWay { lapses_at: DateTime<Utc> },
    /// It has been decided what becomes of it.
    #[error("the reminder is sent, skipped or has failed for good")]
    ReminderSettled,
    /// No such try is under way.
    #[error("no such try is under way")]
    ReminderNotUnderWay,
    /// What it reminds of is over.
    #[error("the appointment has started: nobody is reminded of it")]
    ReminderTooLate,
}

impl ReminderRefusal {
    pub(crate) const fn meaning(&self) -> Meaning {
        match self {
            Self::ReminderNotFound => Meaning::NOT_FOUND,
            Self::ReminderNotDue => Meaning::conflict("The reminder is not due"),
            Self::ReminderUnderWay { .. } => Meaning::conflict("The reminder is being sent"),
            Self::ReminderSettled => Meaning::conflict("The reminder is settled"),
            Self::ReminderNotUnderWay => Meaning::conflict("The reminder is not being sent"),
            Self::ReminderTooLate => Meaning::conflict("It is too late for the reminder"),
        }
    }
}

impl From<NotNow> for ReminderRefusal {
    fn from(not_now: NotNow) -> Self {
        match not_now {
            NotNow::UnderWay { lapses_at } => Self::ReminderUnderWay { lapses_at },
            NotNow::NotDue => Self::ReminderNotDue,
            NotNow::Settled => Self::ReminderSettled,
        }
    }
}
