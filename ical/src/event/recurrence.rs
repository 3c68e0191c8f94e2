//! How an event recurs: rules, and dates that are named by themselves.

use super::{Length, lasting, until};
use crate::component::Component;
use crate::duration::Duration;
use crate::fault::Fault;
use crate::property::Property;
use crate::recur::Rule;
use crate::text::excerpt;
use crate::time::{Moment, bad_time};
use crate::zone::Zones;

/// More dates than any series has.
const MAX_DATES: usize = 10_000;

/// More rules than any series has: RFC 5545 §3.8.5.3 wants one at most.
const MAX_RULES: usize = 20;

/// How an event recurs (RFC 5545 §3.8.5).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recurrence {
    pub rules: Vec<Rule>,
    /// EXRULE, of RFC 2445.
    pub left_out_by_rule: Vec<Rule>,
    pub dates: Vec<Extra>,
    pub left_out: Vec<Moment>,
}

/// An occurrence that is named by itself (RDATE).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extra {
    pub start: Moment,
    /// How long it is, where that is said (a PERIOD).
    pub length: Option<Length>,
}

impl Recurrence {
    /// Whether it is the event alone.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.rules.is_empty() && self.dates.is_empty()
    }
}

/// Reads what a component says of it.
pub(super) fn read(component: &Component, zones: &Zones) -> Result<Recurrence, Fault> {
    let rules = |name: &str| {
        let rule_of = |rule: &Property| {
            rule.value.parse::<Rule>().map_err(|error| Fault::BadRule {
                property: rule.name.clone(),
                value: excerpt(rule.value.trim()),
                error,
            })
        };
        let given = component.all(name).filter(|rule| !rule.value.trim().is_empty());
        given.map(rule_of).collect::<Result<Vec<_>, _>>()
    };
    let (mut dates, mut left_out) = (Vec::new(), Vec::new());
    for (property, value) in values(component, "RDATE").take(MAX_DATES + 1) {
        dates.push(extra(value, property, zones)?);
    }
    for (property, value) in values(component, "EXDATE").take(MAX_DATES + 1) {
        left_out.push(Moment::of(value, property, zones)?);
    }
    if dates.len().max(left_out.len()) > MAX_DATES {
        return Err(Fault::TooManyOccurrences { max: MAX_DATES });
    }
    let (rules, left_out_by_rule) = (rules("RRULE")?, rules("EXRULE")?);
    if rules.len() + left_out_by_rule.len() > MAX_RULES {
        return Err(Fault::TooManyRules { max: MAX_RULES });
    }
    Ok(Recurrence { rules, left_out_by_rule, dates, left_out })
}

fn values<'c>(
    component: &'c Component,
    name: &'c str,
) -> impl Iterator<Item = (&'c Property, &'c str)> {
    component.all(name).flat_map(|property| {
        let values = property.value.split([',', ';']).map(str::trim);
        values.filter(|value| !value.is_empty()).map(move |value| (property, value))
    })
}

/// A moment, or a PERIOD (RFC 5545 §3.3.9).
fn extra(value: &str, property: &Property, zones: &Zones) -> Result<Extra, Fault> {
    let Some((start, end)) = value.split_once('/') else {
        return Ok(Extra { start: Moment::of(value, property, zones)?, length: None });
    };
    let start = Moment::of(start, property, zones)?;
    let length = match Duration::parse(end) {
        Some(duration) => lasting(&start, duration)?,
        None => until(&start, &Moment::of(end, property, zones)?)
            .ok_or_else(|| bad_time(value, property))?,
    };
    Ok(Extra { start, length: Some(length) })
}
