//! What is agreed about a service.

use serde::{Deserialize, Serialize};

use super::rules::{BookingRules, Broken, Proposal, RulesPatch};
use super::{Choose, DailyLimit, Price, PricePatch, ReminderRules, Roles, SessionPlaces};
use crate::patch::{Change, Replace, patch};
use crate::time::{Buffer, Duration};
use crate::{Category, Location, Metadata, MetadataPatch, Name, Reference, Tags};

/// What is agreed about a service: the whole of it, each time it is defined or revised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
    /// What an appointment costs. `None`: nothing is said about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// By which rules it is booked.
    #[serde(default, skip_serializing_if = "BookingRules::is_empty")]
    pub rules: BookingRules,
    /// The resources it needs, by role.
    #[serde(default, skip_serializing_if = "Roles::is_empty")]
    pub needs: Roles,
    /// Which resources fill the roles that a booking names nobody for.
    #[serde(default, skip_serializing_if = "Choose::is_default")]
    pub choose: Choose,
    /// The most of its appointments that one client can have on one local day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_per_client_per_day: Option<DailyLimit>,
    /// How many clients share one session of it, unless a session says otherwise. `None`: it is given
    /// to one client at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_places: Option<SessionPlaces>,
    /// Where its appointments take place, unless one says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// When clients are reminded of its appointments.
    #[serde(default, skip_serializing_if = "ReminderRules::is_empty")]
    pub reminders: ReminderRules,
    /// What the caller's own system calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Reference>,
    /// What the caller keeps with it.
    #[serde(default, skip_serializing_if = "Metadata::is_empty")]
    pub metadata: Metadata,
}

patch! {
    /// What changes of a service's terms.
    TermsPatch of ServiceTerms {
        name: Replace<Name>,
        category: Replace<Category>,
        tags: Change<Tags>,
        duration as "duration_minutes": Replace<Duration>,
        buffer_before as "buffer_before_minutes": Change<Buffer>,
        buffer_after as "buffer_after_minutes": Change<Buffer>,
        price: Change<PricePatch>,
        rules: Change<RulesPatch>,
        needs: Change<Roles>,
        choose: Change<Choose>,
        limit_per_client_per_day: Change<DailyLimit>,
        session_places: Change<SessionPlaces>,
        location: Change<Location>,
        reminders: Change<ReminderRules>,
        reference: Change<Reference>,
        metadata: Change<MetadataPatch>,
    }
}

impl ServiceTerms {
    /// Every rule that a booking breaks: those about its length, and those about when it is.
    pub fn broken_by<'a>(
        &'a self,
        proposal: &'a Proposal<'a>,
        length: Duration,
    ) -> impl Iterator<Item = Broken> + 'a {
        let length = self.rules.durations.broken_by(self.duration, length);
        length.into_iter().chain(self.rules.broken_by(proposal))
    }

    /// What an appointment of this length costs.
    #[must_use]
    pub fn price_of(&self, length: Duration) -> Option<Price> {
        let chosen = self.rules.durations.choice(length).and_then(|choice| choice.price);
        chosen.or(self.price)
    }
}
