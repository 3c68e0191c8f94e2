//! What a template can name.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike as _, Timelike as _};
use chrono_tz::Tz;
use daybook_domain::sending::Kind;
use minijinja::Value;

use crate::{Said, example};

/// Something that can be named, with dots between its parts, and what it is.
type Named = (String, Value);

/// Everything that templates of a kind can name.
#[must_use]
pub fn names(kind: Kind) -> Vec<String> {
    named(&example(kind)).into_iter().map(|(name, _)| name).collect()
}

/// The same, with what it is, as a template is given it.
pub(super) fn of(said: &Said<'_>) -> Value {
    nested(named(said))
}

/// This list is all that there is: what is not in it cannot be written to a client by a tenant's words.
fn named(said: &Said<'_>) -> Vec<Named> {
    let mut named = vec![
        ("client.name".to_owned(), said.client.into()),
        ("appointment.service".to_owned(), said.service.into()),
        ("appointment.location".to_owned(), said.location.into()),
        ("appointment.zone".to_owned(), said.zone.name().into()),
    ];
    named.extend(moment("appointment.start", said.at(said.start)));
    named.extend(moment("appointment.end", said.at(said.end)));
    if said.kind == Kind::Offer {
        named.extend(moment("offer.until", said.at(said.until.unwrap_or(said.start))));
    }
    named
}

/// By the clocks of the place. How days and months are called is the template's business, so there are numbers: Monday is 1.
fn moment(name: &str, at: DateTime<Tz>) -> impl Iterator<Item = Named> + '_ {
    let members: [(&str, Value); 8] = [
        ("date", at.format("%Y-%m-%d").to_string().into()),
        ("time", at.format("%H:%M").to_string().into()),
        ("year", at.year().into()),
        ("month", at.month().into()),
        ("day", at.day().into()),
        ("weekday", at.weekday().number_from_monday().into()),
        ("hour", at.hour().into()),
        ("minute", at.minute().into()),
    ];
    members.into_iter().map(move |(member, value)| (format!("{name}.{member}"), value))
}

/// A map of maps: a name for each part between dots.
fn nested(named: Vec<Named>) -> Value {
    let mut inner: BTreeMap<String, Vec<Named>> = BTreeMap::new();
    let mut values: BTreeMap<String, Value> = BTreeMap::new();
    for (name, value) in named {
        match name.split_once('.') {
            Some((first, rest)) => {
                inner.entry(first.to_owned()).or_default().push((rest.to_owned(), value));
            }
            None => {
                values.insert(name, value);
            }
        }
    }
    values.extend(inner.into_iter().map(|(first, named)| (first, nested(named))));
    values.into()
}
