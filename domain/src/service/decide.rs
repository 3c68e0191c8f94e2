//! What may be done with a service.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Service, ServiceDefined, ServiceEvent, ServiceRetired, ServiceRevised, ServiceTerms, TermsPatch,
};
use crate::patch::{PatchMisfit, Patches as _};
use crate::rights::Placed;
use crate::{Decide, Facts, Meaning};

/// What can be asked of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceCommand {
    /// Make something bookable.
    DefineService(ServiceTerms),
    /// Change some of the terms.
    ReviseService(TermsPatch),
    /// Take no further bookings.
    RetireService,
}

/// Why a service's command is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
    /// The change does not go together with what stays.
    #[error(transparent)]
    PatchMisfit(#[from] PatchMisfit),
}

impl ServiceRefusal {
    pub(crate) const fn meaning(&self) -> Meaning {
        match self {
            Self::ServiceNotFound => Meaning::NOT_FOUND,
            Self::ServiceExists => Meaning::EXISTS,
            Self::ServiceRetired => Meaning::RETIRED,
            Self::PatchMisfit(_) => Meaning::PATCH_MISFIT,
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
            (Self::Offered(terms), ReviseService(patch)) => {
                let mut terms = terms.clone();
                patch.patch(&mut terms)?;
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

    fn sets(command: &ServiceCommand) -> bool {
        matches!(command, ServiceCommand::ReviseService(_))
    }

    fn placed(&self, _: Uuid) -> Placed<'_> {
        self.terms().map_or(Placed::Nowhere, Placed::Service)
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
        for command in [RetireService, ReviseService(TermsPatch::default())] {
            given::<Service>([defined(), retired()])
                .when(command)
                .then_refused(ServiceRefusal::ServiceRetired);
        }
    }

    #[test]
    fn what_was_never_defined_cannot_be_revised() {
        given::<Service>([])
            .when(ReviseService(TermsPatch::default()))
            .then_refused(ServiceRefusal::ServiceNotFound);
    }
    fn patched(terms: &ServiceTerms, patch: &str) -> Result<ServiceTerms, PatchMisfit> {
        let mut patched = terms.clone();
        serde_json::from_str::<TermsPatch>(patch).unwrap().patch(&mut patched)?;
        Ok(patched)
    }

    #[test]
    fn a_revision_changes_what_it_names_also_within_rules_and_price() {
        let plain = terms();
        let first = r#"{"duration_minutes": 45, "price": {"amount_minor": 500, "currency": "NOK"},
            "rules": {"slot_step_minutes": 15, "minimum_notice_minutes": 60}}"#;
        let first = patched(&plain, first).unwrap();
        assert_eq!((&first.name, first.duration.minutes()), (&plain.name, 45));
        let dearer = patched(&first, r#"{"price": {"amount_minor": 700}}"#).unwrap();
        let price = serde_json::to_string(&dearer.price).unwrap();
        assert_eq!(price, r#"{"amount_minor":700,"currency":"NOK"}"#);
        let fewer = r#"{"rules": {"minimum_notice_minutes": null, "booking_horizon_days": 9}}"#;
        let fewer = patched(&dearer, fewer).unwrap();
        let rules = serde_json::to_string(&fewer.rules).unwrap();
        assert_eq!(rules, r#"{"slot_step_minutes":15,"booking_horizon_days":9}"#);
        let none = patched(&fewer, r#"{"rules": null, "price": null}"#).unwrap();
        assert_eq!(none, ServiceTerms { duration: first.duration, ..plain });
    }

    #[test]
    fn a_revision_that_does_not_go_together_with_what_stays_is_refused() {
        let refused = |patch: &str| patched(&terms(), patch).unwrap_err();
        assert_eq!(refused(r#"{"price": {"amount_minor": 1}}"#).member, "price");
        let offset = refused(r#"{"rules": {"slot_offset_minutes": 5}}"#);
        assert_eq!(
            (&*offset.member, &*offset.why),
            ("rules", "slot_offset_minutes needs slot_step_minutes")
        );
        let refusal = ServiceRefusal::PatchMisfit(offset);
        let stored = r#"{"code":"patch-misfit","member":"rules","why":"slot_offset_minutes needs slot_step_minutes"}"#;
        assert_eq!(serde_json::to_string(&refusal).unwrap(), stored);
        assert_eq!(serde_json::from_str::<ServiceRefusal>(stored).unwrap(), refusal);
    }
}
