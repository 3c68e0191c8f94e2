//! What a service is.

use serde::{Deserialize, Serialize};

use super::{ServiceDefined, ServiceEvent, ServiceRevised, ServiceTerms};

/// A service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Service {
    /// Not defined (yet).
    #[default]
    Undefined,
    /// Can be booked.
    Offered(ServiceTerms),
    /// Could once be booked.
    Retired(ServiceTerms),
}

impl Service {
    /// Its terms, or the last that it had.
    #[must_use]
    pub const fn terms(&self) -> Option<&ServiceTerms> {
        match self {
            Self::Undefined => None,
            Self::Offered(terms) | Self::Retired(terms) => Some(terms),
        }
    }

    /// Takes note of what happened.
    pub fn evolve(&mut self, event: ServiceEvent) {
        *self = match (event, std::mem::take(self)) {
            (
                ServiceEvent::ServiceDefined(ServiceDefined { terms })
                | ServiceEvent::ServiceRevised(ServiceRevised { terms }),
                _,
            ) => Self::Offered(terms),
            (ServiceEvent::ServiceRetired(_), Self::Offered(terms) | Self::Retired(terms)) => {
                Self::Retired(terms)
            }
            (ServiceEvent::ServiceRetired(_), Self::Undefined) => Self::Undefined,
        };
    }
}
