//! Data about a person.
//!
//! In a command it is clear. In the log, and in all that is made of the log, it is sealed with a key of that person alone
//! ([`Sealed`]): without the key it is nobody's any more, and the log stays as it is. Who seals and opens is the store; here
//! is what there is to be sealed ([`HasPersonal`]) and what it looks like in an event.

mod has;
mod json;
mod member;
mod wire;

use std::fmt;

#[cfg(test)]
use serde_json::Value;
use uuid::Uuid;

pub use has::{HasPersonal, Subject};
#[cfg(test)]
pub(crate) use json::PERSONAL_MEMBERS;
pub use json::{PersonalJson, withhold_personal};
pub use member::{PersonalMember, Sealable};
pub(crate) use wire::{stored, stored_option};

/// Something that identifies or describes a person: a name, an address, a note.
///
/// It never shows itself in a debug print, so no log line can leak it.
#[derive(Clone, PartialEq, Eq)]
pub enum Personal<T> {
    /// The content itself.
    Clear(T),
    /// The content as the log has it.
    Sealed(Box<Sealed>),
    /// The key is destroyed, and the content with it.
    Erased,
    /// It is there, and not for whoever asks.
    Withheld,
}

/// Personal data as ciphertext: `{"v": 1, "k": …, "c": …}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Which key seals it.
    pub key: Uuid,
    /// What is sealed, in base64url without padding.
    pub ciphertext: String,
    /// What stands for the content where no two may have the same: nothing can be read from it.
    pub token: Option<Uuid>,
}

impl<T> Personal<T> {
    /// Marks `content` as personal.
    pub const fn new(content: T) -> Self {
        Self::Clear(content)
    }

    /// The content, for those who have a right to it; `None`: it is not open.
    pub const fn reveal(&self) -> Option<&T> {
        match self {
            Self::Clear(content) => Some(content),
            Self::Sealed(_) | Self::Erased | Self::Withheld => None,
        }
    }
}

impl<T: Default> Default for Personal<T> {
    fn default() -> Self {
        Self::Clear(T::default())
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

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;
    use crate::appointment::{AppointmentEvent, AppointmentHeld, Details};
    use crate::claim::Claims as _;
    use crate::client::{ClientContactChanged, ClientEvent, ClientRegistered, Contact, Reminding};
    use crate::testing::{at, details};
    use crate::{Email, FreeTitle, Language, Name, Note, Phone, Reference, Title};

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
            language: Some(Personal::new(Language::new("nb").unwrap())),
            reminders: Reminding::ByRule,
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
        let title = FreeTitle::from(Title::new("Public").unwrap());
        let details = Details { note: Some(note()), title, ..details("2026-11-23T09:00:00Z") };
        let expires_at = at("2026-11-23T08:00:00Z");
        let held = AppointmentHeld { details: details.clone(), expires_at };
        let held = AppointmentEvent::AppointmentHeld(held);
        let events = [AppointmentEvent::AppointmentBooked(details), held];
        for event in events {
            assert!(serde_json::to_string(&event).unwrap().contains(SECRET));
            let left = withheld("appointment", &event);
            assert!(!left.to_string().contains(SECRET), "{left}");
            assert!(left["slot"].is_object() && left["title"] == "Public", "{left}");
        }
    }

    #[test]
    fn a_sealed_event_is_read_as_it_was_stored_and_claims_by_its_token() {
        let stored = r#"{"type":"ClientRegistered","name":{"v":1,"k":"00000000-0000-0000-0000-000000000009","c":"AAEC"},"reference":{"v":1,"k":"00000000-0000-0000-0000-000000000009","c":"AAED","t":"00000000-0000-0000-0000-00000000000a"}}"#;
        let event: ClientEvent = serde_json::from_str(stored).unwrap();
        assert_eq!(serde_json::to_string(&event).unwrap(), stored);
        let claims = event.reference_after().unwrap();
        assert_eq!(claims[0].resource.uuid(), Uuid::from_u128(10));
    }

    #[test]
    fn personal_data_never_shows_in_a_debug_print() {
        let name = Personal::new("Ada Lovelace");
        assert!(!format!("{name:?}").contains("Ada"));
        assert_eq!(name.reveal(), Some(&"Ada Lovelace"));
    }
}
