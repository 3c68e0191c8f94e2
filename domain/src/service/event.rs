//! What happens to services.

use cqrs_es::Aggregate as _;
use serde::{Deserialize, Serialize};

use super::{Service, ServiceTerms};
use crate::claim::{Claim, Claims, reference};

/// A service was defined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ServiceDefined {
    /// Its first terms.
    #[serde(flatten)]
    pub terms: ServiceTerms,
}

/// A service got new terms; appointments made before keep theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ServiceRevised {
    /// Its terms from now on.
    #[serde(flatten)]
    pub terms: ServiceTerms,
}

/// A service can no longer be booked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ServiceRetired {}

/// Everything that happens to a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "type")]
pub enum ServiceEvent {
    ServiceDefined(ServiceDefined),
    ServiceRevised(ServiceRevised),
    ServiceRetired(ServiceRetired),
}

// 1.0 of `ServiceDefined` was never stored.
crate::event_types!(ServiceEvent:
    creating ServiceDefined = "2.0";
    then ServiceRevised, ServiceRetired
);

impl Claims for ServiceEvent {
    fn reference_after(&self) -> Option<Vec<Claim>> {
        match self {
            Self::ServiceDefined(defined) => {
                reference::first(Service::TYPE, defined.terms.reference.as_ref())
            }
            Self::ServiceRevised(revised) => {
                Some(reference::changed(Service::TYPE, revised.terms.reference.as_ref()))
            }
            Self::ServiceRetired(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_service_defined_before_rules_existed_has_none() {
        let stored = json!({"type": "ServiceDefined", "name": "Check-up", "category": "care",
            "tags": [], "duration_minutes": 30, "buffer_before_minutes": 0,
            "buffer_after_minutes": 10});
        let event: ServiceEvent = serde_json::from_value(stored.clone()).unwrap();
        let ServiceEvent::ServiceDefined(defined) = &event else { panic!("another event") };
        assert!(defined.terms.rules.is_empty() && defined.terms.price.is_none());
        assert_eq!(serde_json::to_value(&event).unwrap(), stored);
    }
}
