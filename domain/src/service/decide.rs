//! What may be done with a service.

use serde::{Deserialize, Serialize};

use super::{Service, ServiceDefined, ServiceEvent, ServiceRetired, ServiceRevised, ServiceTerms};
use crate::{Decide, Facts, Meaning};

/// What can be asked of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceCommand {
    /// Make something bookable.
    DefineService(ServiceTerms),
    /// Replace the terms.
    ReviseService(ServiceTerms),
    /// Take no further bookings.
    RetireService,
}

/// Why a service's command is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum ServiceRefusal {
    /// There is no such service.
    #[error("there is no such service")]
    ServiceNotFound,
    /// This id is taken.
    #[error("a service with this id exists already")]
    ServiceExists,
    /// It has been retired.
    #[error("the service has been retired")]
    ServiceRetired,
}

impl ServiceRefusal {
    pub(crate) const fn meaning(&self) -> Meaning {
        match self {
            Self::ServiceNotFound => Meaning::NOT_FOUND,
            Self::ServiceExists => Meaning::EXISTS,
            Self::ServiceRetired => Meaning::RETIRED,
        }
    }
}

impl Decide for Service {
    fn decide(
        &self,
        command: ServiceCommand,
        _facts: &Facts,
    ) -> Result<ServiceEvent, ServiceRefusal> {
        use ServiceCommand::{DefineService, RetireService, ReviseService};
        match (self, command) {
            (Self::Undefined, DefineService(terms)) => {
                Ok(ServiceEvent::ServiceDefined(ServiceDefined { terms }))
            }
            (_, DefineService(_)) => Err(ServiceRefusal::ServiceExists),
            (Self::Offered(_), ReviseService(terms)) => {
                Ok(ServiceEvent::ServiceRevised(ServiceRevised { terms }))
            }
            (Self::Offered(_), RetireService) => {
                Ok(ServiceEvent::ServiceRetired(ServiceRetired {}))
            }
            (Self::Retired(_), ReviseService(_) | RetireService) => {
                Err(ServiceRefusal::ServiceRetired)
            }
            (Self::Undefined, ReviseService(_) | RetireService) => {
                Err(ServiceRefusal::ServiceNotFound)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ServiceCommand::{DefineService, RetireService, ReviseService};
    use super::*;
    use crate::testing::{given, terms};

    fn defined() -> ServiceEvent {
        ServiceEvent::ServiceDefined(ServiceDefined { terms: terms() })
    }

    fn retired() -> ServiceEvent {
        ServiceEvent::ServiceRetired(ServiceRetired {})
    }

    /// What the log has of before services said what they need.
    #[test]
    fn a_service_of_before_there_were_roles_needs_none_and_is_written_as_it_was() {
        let stored = r#"{"type":"ServiceRevised","name":"Check-up","category":"care","tags":[],"duration_minutes":30,"buffer_before_minutes":0,"buffer_after_minutes":0}"#;
        let event: ServiceEvent = serde_json::from_str(stored).unwrap();
        let ServiceEvent::ServiceRevised(revised) = &event else { panic!("another event") };
        assert!(revised.terms.needs.is_empty());
        assert_eq!(revised.terms.limit_per_client_per_day, None);
        assert_eq!(serde_json::to_string(&event).unwrap(), stored);
    }

    #[test]
    fn a_defined_service_is_offered() {
        let service = given::<Service>([]).when(DefineService(terms())).then(defined());
        assert_eq!(service.state(), Service::Offered(terms()));
    }

    #[test]
    fn a_service_is_defined_once() {
        given::<Service>([defined()])
            .when(DefineService(terms()))
            .then_refused(ServiceRefusal::ServiceExists);
    }

    #[test]
    fn a_retired_service_stays_retired() {
        for command in [RetireService, ReviseService(terms())] {
            given::<Service>([defined(), retired()])
                .when(command)
                .then_refused(ServiceRefusal::ServiceRetired);
        }
    }

    #[test]
    fn what_was_never_defined_cannot_be_revised() {
        given::<Service>([])
            .when(ReviseService(terms()))
            .then_refused(ServiceRefusal::ServiceNotFound);
    }
}
