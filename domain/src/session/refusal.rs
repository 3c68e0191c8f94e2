//! Why a session's command is refused.

use serde::{Deserialize, Serialize};

use crate::{Meaning, ServiceId};

/// Why a session's command is refused. Where its resources cannot be had, it is refused as an
/// appointment is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum SessionRefusal {
    /// There is no such session.
    #[error("there is no such session")]
    SessionNotFound,
    /// This id is taken.
    #[error("a session with this id exists already")]
    SessionExists,
    /// It was cancelled.
    #[error("the session was cancelled")]
    SessionIsCancelled,
    /// The service is given to one client at a time.
    #[error("service {service_id} is not given in sessions")]
    NotInSessions { service_id: ServiceId },
}

impl SessionRefusal {
    pub(crate) const fn meaning(&self) -> Meaning {
        match self {
            Self::SessionNotFound => Meaning::NOT_FOUND,
            Self::SessionExists => Meaning::EXISTS,
            Self::SessionIsCancelled => Meaning::conflict("The session was cancelled"),
            Self::NotInSessions { .. } => Meaning::invalid("The service is not given in sessions"),
        }
    }
}
