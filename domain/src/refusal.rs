//! Every reason for which a command can be refused.

use serde::{Deserialize, Serialize};

use crate::appointment::AppointmentRefusal;
use crate::client::ClientRefusal;
use crate::resource::ResourceRefusal;
use crate::service::ServiceRefusal;

/// A refusal: nothing happened, and here is why.
///
/// It is stored with an idempotency key, so that a retry gets the same answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "aggregate", rename_all = "kebab-case")]
pub enum Refusal {
    /// By a service's rules.
    #[error(transparent)]
    Service(#[from] ServiceRefusal),
    /// By a resource's rules.
    #[error(transparent)]
    Resource(#[from] ResourceRefusal),
    /// By a client's rules.
    #[error(transparent)]
    Client(#[from] ClientRefusal),
    /// By an appointment's rules.
    #[error(transparent)]
    Appointment(#[from] AppointmentRefusal),
    /// The caller has seen an older version than the current one.
    #[error("it is at version {actual}, not at version {expected}")]
    StaleVersion {
        /// The version that the caller has seen.
        expected: u64,
        /// The version it has.
        actual: u64,
    },
}
