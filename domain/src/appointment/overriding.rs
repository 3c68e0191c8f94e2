//! Rules that are broken: refused, or overridden by staff with a reason.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{AppointmentRefusal, Slot};
use crate::personal::stored;
use crate::service::rules::{Broken, Rule};
use crate::time::Interval;
use crate::{Personal, Reason, ResourceId};

/// That staff overrode rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Overridden {
    /// Why, in their words.
    #[serde(deserialize_with = "stored")]
    pub reason: Personal<Reason>,
    /// Which rules would have refused it; none, where none would.
    pub rules: BTreeSet<Rule>,
    /// The resources that were closed, where any was. Overrides that are older than this say only
    /// that some were, by the rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<BTreeSet<ResourceId>>,
}

impl Overridden {
    /// All of these, for that reason.
    pub(crate) fn all(breaches: impl Iterator<Item = Breach>, reason: Personal<Reason>) -> Self {
        let (mut rules, mut closed) = (BTreeSet::new(), BTreeSet::new());
        for breach in breaches {
            rules.insert(breach.rule());
            if let Breach::Closed { resource_id, .. } = breach {
                closed.insert(resource_id);
            }
        }
        Self { reason, rules, closed: (!closed.is_empty()).then_some(closed) }
    }

    /// The same once the appointment no longer uses a resource, and is where `slot` says.
    pub(super) fn without(mut self, resource_id: ResourceId, slot: &Slot) -> Self {
        if self.rules.contains(&Rule::OpeningHours) {
            let mut closed =
                self.closed.take().unwrap_or_else(|| slot.resource_ids.iter().collect());
            closed.remove(&resource_id);
            if closed.is_empty() {
                self.rules.remove(&Rule::OpeningHours);
            }
            self.closed = (!closed.is_empty()).then_some(closed);
        }
        self
    }
}

/// A rule that is broken and can be overridden. What cannot be (time that is taken, what is
/// unknown or retired, the past, a wrong status) is no breach but a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Breach {
    /// One of the service's.
    Service(Broken),
    /// A resource is closed for some of the time.
    Closed { resource_id: ResourceId, during: Interval },
}

impl Breach {
    const fn rule(&self) -> Rule {
        match self {
            Self::Service(broken) => broken.rule(),
            Self::Closed { .. } => Rule::OpeningHours,
        }
    }
}

impl From<Breach> for AppointmentRefusal {
    fn from(breach: Breach) -> Self {
        match breach {
            Breach::Service(broken) => Self::RuleBroken(broken),
            Breach::Closed { resource_id, during } => {
                Self::OutsideOpeningHours { resource_id, during }
            }
        }
    }
}

/// Refuses by the first breach, if there is any and it is not overridden.
pub(crate) fn allowed(
    mut breaches: impl Iterator<Item = Breach>,
    overriding: Option<&Personal<Reason>>,
) -> Result<(), AppointmentRefusal> {
    match (overriding, breaches.next()) {
        (None, Some(breach)) => Err(breach.into()),
        _ => Ok(()),
    }
}

/// What comes of breaches: without an override the first of them is the refusal; with one, all of
/// them are named beside its reason.
pub(super) fn settled(
    breaches: impl Iterator<Item = Breach>,
    overriding: Option<Personal<Reason>>,
) -> Result<Option<Overridden>, AppointmentRefusal> {
    match overriding {
        None => allowed(breaches, None).map(|()| None),
        Some(reason) => Ok(Some(Overridden::all(breaches, reason))),
    }
}
