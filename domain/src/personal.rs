//! Data about a person.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Something that identifies or describes a client: a name, an address, a note.
///
/// It is the one place to touch when personal data is to be sealed with the client's own key.
/// Until then it serialises as its content. It never shows itself in a debug print, so no log
/// line can leak it; code that needs the content says so with [`Personal::reveal`].
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Personal<T>(T);

impl<T> Personal<T> {
    /// Marks `content` as personal.
    pub const fn new(content: T) -> Self {
        Self(content)
    }

    /// The content, for those who have a right to it.
    pub const fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Personal(..)")
    }
}

/// Its schema says that it is personal: it can be withheld.
#[cfg(test)]
impl<T: schemars::JsonSchema> schemars::JsonSchema for Personal<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let mut schema = generator.subschema_for::<T>();
        schema.insert("x-personal".to_owned(), Value::Bool(true));
        schema
    }
}

/// The members that are [`Personal`] in the events of each type of aggregate.
pub(crate) const PERSONAL_MEMBERS: &[(&str, &[&str])] = &[
    ("client", &["name", "email", "phone", "notes", "reference", "metadata"]),
    ("appointment", &["note"]),
];

/// Takes what is personal out of an event, as it is written, of this type of aggregate.
pub fn withhold_personal(aggregate_type: &str, event: &mut Value) {
    let Some(fields) = event.as_object_mut() else { return };
    let of_type = PERSONAL_MEMBERS.iter().filter(|(aggregate, _)| *aggregate == aggregate_type);
    for member in of_type.flat_map(|(_, members)| *members) {
        fields.remove(*member);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::appointment::{AppointmentEvent, AppointmentHeld, Details};
    use crate::client::{ClientContactChanged, ClientEvent, ClientRegistered, Contact};
    use crate::testing::{at, details};
    use crate::{Email, Name, Note, Phone, Reference};

    const SECRET: &str = "Lovelace";

    fn note() -> Personal<Note> {
        Personal::new(Note::new(SECRET).unwrap())
    }

    /// With all members named, so that a new one is a reason to look here again.
    fn contact() -> Contact {
        Contact {
            name: Personal::new(Name::new(SECRET).unwrap()),
            email: Some(Personal::new(Email::new("Lovelace@example.org").unwrap())),
            phone: Some(Personal::new(Phone::new("+47 22 33 44 55").unwrap())),
            notes: Some(note()),
            reference: Some(Personal::new(Reference::new(SECRET).unwrap())),
            metadata: Personal::new(serde_json::from_str(r#"{"known as": "Lovelace"}"#).unwrap()),
        }
    }

    fn withheld(aggregate_type: &str, event: &impl Serialize) -> Value {
        let mut event = serde_json::to_value(event).unwrap();
        withhold_personal(aggregate_type, &mut event);
        event
    }

    #[test]
    fn nothing_personal_is_left_of_an_event_that_it_is_withheld_from() {
        let (first, changed) = (contact(), contact());
        let registered = ClientEvent::ClientRegistered(ClientRegistered { contact: first });
        let changed = ClientEvent::ClientContactChanged(ClientContactChanged { contact: changed });
        for event in [registered, changed] {
            let left = withheld("client", &event);
            assert_eq!(left.as_object().unwrap().keys().collect::<Vec<_>>(), ["type"]);
        }
        let details = Details { note: Some(note()), ..details("2026-11-23T09:00:00Z") };
        let expires_at = at("2026-11-23T08:00:00Z");
        let held = AppointmentHeld { details: details.clone(), expires_at };
        let held = AppointmentEvent::AppointmentHeld(held);
        let events = [AppointmentEvent::AppointmentBooked(details), held];
        for event in events {
            assert!(serde_json::to_string(&event).unwrap().contains(SECRET));
            let left = withheld("appointment", &event);
            assert!(!left.to_string().contains(SECRET), "{left}");
            assert!(left["slot"].is_object() && left["tags"].is_array(), "{left}");
        }
    }

    #[test]
    fn personal_data_never_shows_in_a_debug_print() {
        let name = Personal::new("Ada Lovelace");
        assert!(!format!("{name:?}").contains("Ada"));
        assert_eq!(*name.reveal(), "Ada Lovelace");
    }
}
