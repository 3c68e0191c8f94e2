//! What happens to services.

use serde::{Deserialize, Serialize};

use super::ServiceTerms;
use crate::claim::Claims;

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
