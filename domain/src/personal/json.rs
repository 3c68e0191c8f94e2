//! Personal members of events, where these are told as JSON.

use serde_json::Value;

use super::has::Named;
use super::{HasPersonal, Personal, PersonalMember, stored};

/// The members that are [`Personal`] in the events of each type of aggregate.
pub(crate) const PERSONAL_MEMBERS: &[(&str, &[&str])] = &[
    ("client", &["name", "email", "phone", "notes", "reference", "metadata"]),
    ("appointment", &["note"]),
];

/// Takes what is personal out of an event, as it is written, of this type of aggregate.
pub fn withhold_personal(aggregate_type: &str, event: &mut Value) {
    let Some(fields) = event.as_object_mut() else { return };
    for member in members(aggregate_type) {
        fields.remove(member);
    }
}

fn members(aggregate_type: &str) -> impl Iterator<Item = &'static str> {
    let of_type =
        PERSONAL_MEMBERS.iter().filter(move |(aggregate, _)| *aggregate == aggregate_type);
    of_type.flat_map(|(_, members)| members.iter().copied())
}

/// What is personal of an event that is told as JSON.
pub struct PersonalJson(Vec<(&'static str, Personal<Value>)>);

impl PersonalJson {
    /// Takes it out of an event of this type of aggregate.
    ///
    /// # Errors
    /// When something is sealed in a form that is not known.
    pub fn take(aggregate_type: &str, event: &mut Value) -> Result<Self, serde_json::Error> {
        let Some(fields) = event.as_object_mut() else { return Ok(Self(Vec::new())) };
        let taken = members(aggregate_type).filter_map(|name| Some((name, fields.remove(name)?)));
        let taken = taken.map(|(name, value)| Ok((name, stored(value)?)));
        taken.collect::<Result<_, _>>().map(Self)
    }

    /// Puts it back, but for what is erased.
    pub fn put_back(self, event: &mut Value) {
        let Some(fields) = event.as_object_mut() else { return };
        for (name, personal) in self.0 {
            if let Personal::Clear(content) = personal {
                fields.insert(name.to_owned(), content);
            }
        }
    }
}

impl HasPersonal for PersonalJson {
    fn personal(&mut self) -> Vec<Named<'_>> {
        self.0.iter_mut().map(|(name, it)| (*name, it as &mut dyn PersonalMember)).collect()
    }
}
