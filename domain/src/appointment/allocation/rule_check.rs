//! The rules of a service, in the zones of the resources that an appointment may get.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::appointment::Agreed;
use crate::service::ServiceTerms;
use crate::service::rules::{Broken, Proposal};
use crate::time::{Duration, Interval};

/// By which rules it is judged whether an appointment can be at a time.
#[derive(Debug, Clone, Copy)]
pub(in crate::appointment) struct RuleCheck<'a> {
    terms: Option<&'a ServiceTerms>,
    /// How long is asked for; `None`: that was agreed before.
    length: Option<Duration>,
    during: Interval,
    now: DateTime<Utc>,
}

impl<'a> RuleCheck<'a> {
    pub(in crate::appointment) const fn of_booking(
        terms: &'a ServiceTerms,
        during: Interval,
        length: Duration,
        now: DateTime<Utc>,
    ) -> Self {
        Self { terms: Some(terms), length: Some(length), during, now }
    }

    pub(in crate::appointment) const fn of_move(
        terms: Option<&'a ServiceTerms>,
        during: Interval,
        now: DateTime<Utc>,
    ) -> Self {
        Self { terms, length: None, during, now }
    }

    /// Every rule that is broken, where the resources are in these zones.
    pub(in crate::appointment) fn broken(&self, zones: &[Tz]) -> Vec<Broken> {
        let proposal = Proposal { during: self.during, now: self.now, zones };
        match (self.terms, self.length) {
            (Some(terms), Some(length)) => terms.broken_by(&proposal, length).collect(),
            (Some(terms), None) => terms.rules.broken_by(&proposal).collect(),
            (None, _) => Vec::new(),
        }
    }

    /// What is agreed with a booking.
    pub(in crate::appointment) fn agreed(&self) -> Option<Agreed> {
        Some(Agreed::by(self.terms?, self.length?))
    }
}
