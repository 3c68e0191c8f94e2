//! Why a command of a notice is refused.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::Meaning;
use crate::sending::NotNow;

/// Why a command of a notice is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum NoticeRefusal {
    /// There is no such notice.
    #[error("nothing was told of this appointment yet")]
    NoticeNotFound,
    /// There is nothing to tell, or it is not time for it.
    #[error("there is nothing to tell")]
    NoticeNotDue,
    /// Somebody is at it.
    #[error("the notice is being sent, until {lapses_at} at the latest")]
    NoticeUnderWay { lapses_at: DateTime<Utc> },
    /// No such try is under way.
    #[error("no such try is under way")]
    NoticeNotUnderWay,
}

impl NoticeRefusal {
    pub(crate) const fn meaning(&self) -> Meaning {
        match self {
            Self::NoticeNotFound => Meaning::NOT_FOUND,
            Self::NoticeNotDue => Meaning::conflict("There is nothing to tell"),
            Self::NoticeUnderWay { .. } => Meaning::conflict("The notice is being sent"),
            Self::NoticeNotUnderWay => Meaning::conflict("The notice is not being sent"),
        }
    }
}

impl From<NotNow> for NoticeRefusal {
    fn from(not_now: NotNow) -> Self {
        match not_now {
            NotNow::UnderWay { lapses_at } => Self::NoticeUnderWay { lapses_at },
            NotNow::NotDue | NotNow::Settled => Self::NoticeNotDue,
        }
    }
}
