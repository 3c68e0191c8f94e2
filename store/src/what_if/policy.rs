//! Other rules: what is to be different in the terms of services.

use std::collections::BTreeMap;

use daybook_domain::ServiceId;
use daybook_domain::service::ServiceTerms;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Members of a service's terms, and of its rules, as events and requests have them.
const TERMS: [&str; 7] = [
    "duration_minutes",
    "buffer_before_minutes",
    "buffer_after_minutes",
    "needs",
    "choose",
    "limit_per_client_per_day",
    "session_places",
];
const RULES: [&str; 7] = [
    "durations",
    "slot_step_minutes",
    "slot_offset_minutes",
    "minimum_notice_minutes",
    "booking_horizon_days",
    "rescheduling_window_minutes",
    "cancellation_window_minutes",
];

/// Rules that are different: of all services, and of some, which go before those.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    #[serde(default)]
    all: Map<String, Value>,
    #[serde(default)]
    services: BTreeMap<ServiceId, Map<String, Value>>,
}

/// A policy that makes no sense.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// Nothing of a service is called that.
    #[error("nothing of a service is called {0:?}: it can be {terms}, {rules}", terms = TERMS.join(", "), rules = RULES.join(", "))]
    UnknownMember(String),
    /// The terms that a service would have cannot be.
    #[error("the terms of service {service_id} would be none: {why}")]
    NoTerms { service_id: ServiceId, why: serde_json::Error },
}

impl Policy {
    /// The services that it names.
    pub fn services(&self) -> impl Iterator<Item = ServiceId> {
        self.services.keys().copied()
    }

    /// Whether it is about something that services have.
    ///
    /// # Errors
    /// When it is not.
    pub fn check(&self) -> Result<(), PolicyError> {
        let members = self.services.values().chain([&self.all]).flat_map(Map::keys);
        match members
            .into_iter()
            .find(|name| !(TERMS.contains(&&***name) || RULES.contains(&&***name)))
        {
            Some(unknown) => Err(PolicyError::UnknownMember(unknown.clone())),
            None => Ok(()),
        }
    }

    /// The terms of a service by these rules.
    ///
    /// # Errors
    /// When there are no such terms: a buffer of a year, a notice in words.
    pub fn applied(
        &self,
        service_id: ServiceId,
        terms: &ServiceTerms,
    ) -> Result<ServiceTerms, PolicyError> {
        let no_terms = |why| PolicyError::NoTerms { service_id, why };
        let mut written = serde_json::to_value(terms).map_err(no_terms)?;
        let own = self.services.get(&service_id);
        for (name, value) in self.all.iter().chain(own.into_iter().flatten()) {
            if RULES.contains(&&**name) {
                written["rules"][name.as_str()] = value.clone();
            } else {
                written[name.as_str()] = value.clone();
            }
        }
        serde_json::from_value(written).map_err(no_terms)
    }
}

#[cfg(test)]
mod tests {
    use daybook_domain::time::LeadTime;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn policy(policy: Value) -> Policy {
        serde_json::from_value(policy).unwrap()
    }

    fn terms() -> ServiceTerms {
        serde_json::from_value(json!({
            "name": "Check-up", "category": "care", "tags": [], "duration_minutes": 30,
            "buffer_before_minutes": 0, "buffer_after_minutes": 5,
        }))
        .unwrap()
    }

    #[test]
    fn what_is_said_of_one_service_goes_before_what_is_said_of_all() {
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let policy = policy(json!({
            "all": {"buffer_after_minutes": 15, "minimum_notice_minutes": 60},
            "services": {one.to_string(): {"buffer_after_minutes": 20}},
        }));
        policy.check().unwrap();
        let of = |id: Uuid| policy.applied(id.into(), &terms()).unwrap();
        assert_eq!(of(one).buffer_after.minutes(), 20);
        assert_eq!(of(other).buffer_after.minutes(), 15);
        assert_eq!(of(other).rules.minimum_notice.map(LeadTime::minutes), Some(60));
        assert_eq!(of(other).duration, terms().duration);
    }

    #[test]
    fn rules_that_no_service_can_have_are_none() {
        let misspelt = policy(json!({"all": {"buffer_minutes": 15}}));
        assert!(matches!(misspelt.check(), Err(PolicyError::UnknownMember(_))));
        let in_words = policy(json!({"all": {"minimum_notice_minutes": "a day"}}));
        assert!(in_words.applied(Uuid::nil().into(), &terms()).is_err());
        assert!(serde_json::from_value::<Policy>(json!({"some": {}})).is_err());
    }
}
