//! What happens to services.

use serde::{Deserialize, Serialize};

use super::{Choose, DailyLimit, Roles};
use crate::claim::Claims;
use crate::time::{Buffer, Duration};
use crate::{Category, Name, Tags};

/// What is agreed about a service: the whole of it, each time it is defined or revised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceTerms {
    /// What it is called.
    pub name: Name,
    /// The category of its appointments, unless one says otherwise.
    pub category: Category,
    /// The tags of its appointments, unless one says otherwise.
    pub tags: Tags,
    /// How long an appointment takes.
    #[serde(rename = "duration_minutes")]
    pub duration: Duration,
    /// Time kept free before each appointment.
    #[serde(rename = "buffer_before_minutes")]
    pub buffer_before: Buffer,
    /// Time kept free after each appointment.
    #[serde(rename = "buffer_after_minutes")]
    pub buffer_after: Buffer,
    /// The resources it needs, by role.
    #[serde(default, skip_serializing_if = "Roles::is_empty")]
    pub needs: Roles,
    /// Which resources fill the roles that a booking names nobody for.
    #[serde(default, skip_serializing_if = "Choose::is_default")]
    pub choose: Choose,
    /// The most of its appointments that one client can have on one local day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_per_client_per_day: Option<DailyLimit>,
}

/// A service was defined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceDefined {
    /// Its first terms.
    #[serde(flatten)]
    pub terms: ServiceTerms,
}

/// A service got new terms; appointments made before keep theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceRevised {
    /// Its terms from now on.
    #[serde(flatten)]
    pub terms: ServiceTerms,
}

/// A service can no longer be booked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceRetired {}

/// Everything that happens to a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
#[expect(missing_docs, reason = "each variant is documented by its struct")]
pub enum ServiceEvent {
    ServiceDefined(ServiceDefined),
    ServiceRevised(ServiceRevised),
    ServiceRetired(ServiceRetired),
}

impl cqrs_es::DomainEvent for ServiceEvent {
    fn event_type(&self) -> String {
        match self {
            Self::ServiceDefined(_) => "ServiceDefined",
            Self::ServiceRevised(_) => "ServiceRevised",
            Self::ServiceRetired(_) => "ServiceRetired",
        }
        .to_owned()
    }

    fn event_version(&self) -> String {
        match self {
            // 1.0 called the duration `duration` and knew no buffers: see `upcasters`.
            Self::ServiceDefined(_) => "2.0",
            Self::ServiceRevised(_) | Self::ServiceRetired(_) => "1.0",
        }
        .to_owned()
    }
}

impl Claims for ServiceEvent {}
