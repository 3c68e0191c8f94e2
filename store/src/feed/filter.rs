//! Which events are asked for.

use std::collections::BTreeSet;

use daybook_domain::rights::Limits;
use daybook_domain::{Category, EVENT_TYPES, ResourceId, aggregate_type, is_event_type};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::CloudEvent;
use super::within::TOLD;

/// Which events are asked for: all conditions that are set must be met.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FeedFilter {
    /// Of any of these types; none: of all.
    pub(super) types: BTreeSet<String>,
    /// Of this type of aggregate.
    pub(super) aggregate_type: Option<&'static str>,
    /// Of this aggregate.
    pub aggregate_id: Option<Uuid>,
    /// Of what was in one of these categories, before it or after it, however they are spelt; none: of anything.
    pub categories: Vec<Category>,
    /// Of what used this resource, before it or after it, and of the resource itself.
    pub resource_id: Option<ResourceId>,
    /// Of what lies within these, whatever else is asked for.
    pub within: Limits,
    /// Whether personal data is among it.
    pub privacy: Privacy,
}

/// Whether personal data is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Privacy {
    /// It is left out.
    #[default]
    Withheld,
    /// It is there, for those who have a right to it.
    Told,
}

/// A filter that nothing can pass.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// No event is called that.
    #[error("there is no event type {0:?}")]
    UnknownType(String),
    /// Nothing is called that.
    #[error(
        "there is no aggregate {0:?}: service, resource, client, appointment, session, series or waiting"
    )]
    UnknownAggregate(String),
}

impl FeedFilter {
    /// Also events of this type, with or without `daybook.` before it.
    ///
    /// # Errors
    /// When there is no such type.
    pub fn add_type(&mut self, name: &str) -> Result<(), FilterError> {
        let bare = name.strip_prefix(CloudEvent::TYPE_PREFIX).unwrap_or(name);
        if !is_event_type(bare) {
            return Err(FilterError::UnknownType(name.chars().take(64).collect()));
        }
        self.types.insert(bare.to_owned());
        Ok(())
    }

    /// Only of this type of aggregate.
    ///
    /// # Errors
    /// When there is no such type.
    pub fn only_of(&mut self, aggregate: &str) -> Result<(), FilterError> {
        let known = aggregate_type(aggregate);
        let unknown = || FilterError::UnknownAggregate(aggregate.chars().take(64).collect());
        self.aggregate_type = Some(known.ok_or_else(unknown)?);
        Ok(())
    }

    /// The types of events, where not all are asked for.
    pub(super) fn types(&self) -> Option<Vec<&str>> {
        (!self.types.is_empty()).then(|| self.types.iter().map(String::as_str).collect())
    }

    /// The types of aggregates whose events can pass.
    pub(super) fn aggregate_types(&self) -> Vec<&'static str> {
        let can_be = |aggregate: &str| match (self.categories.is_empty(), self.resource_id) {
            (true, None) => true,
            (false, None) => ["appointment", "session", "service"].contains(&aggregate),
            (true, Some(_)) => ["appointment", "session", "resource"].contains(&aggregate),
            (false, Some(_)) => ["appointment", "session"].contains(&aggregate),
        };
        let all = EVENT_TYPES.iter().map(|(aggregate, _)| *aggregate);
        let wanted = all.filter(|one| self.aggregate_type.is_none_or(|only| only == *one));
        let is_told = |one: &&str| self.within.are_none() || TOLD.contains(one);
        wanted.filter(|one| can_be(one)).filter(is_told).collect()
    }

    /// Whether it is found out by other events which of them are asked for.
    pub(super) fn looks_closely(&self) -> bool {
        self.is_about_something() || !self.within.are_none()
    }

    /// Whether it asks for what an event may not say itself.
    pub(super) fn is_about_something(&self) -> bool {
        !self.categories.is_empty() || self.resource_id.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_known_with_and_without_its_prefix() {
        let mut filter = FeedFilter::default();
        filter.add_type("AppointmentBooked").unwrap();
        filter.add_type("daybook.AppointmentBooked").unwrap();
        assert_eq!(filter.types(), Some(vec!["AppointmentBooked"]));
        assert!(filter.add_type("AppointmentBoked").is_err());
        assert!(filter.only_of("appointments").is_err());
    }

    #[test]
    fn who_asks_for_a_category_is_told_of_nothing_that_cannot_have_one() {
        let categories = vec![Category::new("care").unwrap()];
        let filter = FeedFilter { categories, ..FeedFilter::default() };
        assert_eq!(filter.aggregate_types(), ["service", "appointment", "session"]);
    }
}
