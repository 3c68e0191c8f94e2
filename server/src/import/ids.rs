//! Ids made from what a file says: the same file gives the same ids.

use daybook_domain::{Email, TenantId};
use daybook_integrations::calendar::Entry;
use daybook_store::personal::Tokens;
use uuid::Uuid;

/// The namespace of imported ids (UUIDv5, RFC 9562 section 5.5).
const NAMESPACE: Uuid = Uuid::from_u128(0x2f0e_9a1c_57c4_4d0b_9d8e_6b1f_3a7c_5e21);

/// The ids of one tenant's imports.
#[derive(Debug, Clone)]
pub(super) struct Ids {
    id: Uuid,
    /// Of what must not be told from its id.
    tokens: Tokens,
}

impl Ids {
    pub(super) fn of(tenant: &TenantId, tokens: Tokens) -> Self {
        Self { id: Uuid::new_v5(&NAMESPACE, tenant.as_str().as_bytes()), tokens }
    }

    pub(super) const fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// Of all events that are with nobody in particular.
    pub(super) fn client(&self) -> Uuid {
        self.id("client", "")
    }

    /// Of somebody with this address: it cannot be told from that.
    pub(super) fn person(&self, email: &Email) -> Uuid {
        self.tokens.id("person", &email.as_str().to_lowercase())
    }

    pub(super) fn service(&self, category: &str) -> Uuid {
        self.id("service", category)
    }

    pub(super) fn resource(&self, place: &str) -> Uuid {
        self.id("resource", place)
    }

    /// Where the same calendar comes from, time and again.
    pub(super) fn source(&self, name: &str) -> SourceIds {
        let (id, is_default) = (self.id("source", name), name == DEFAULT_SOURCE);
        SourceIds { tenant: self.clone(), id, is_default }
    }

    fn id(&self, kind: &str, name: &str) -> Uuid {
        Uuid::new_v5(&self.id, format!("{kind}\n{name}").as_bytes())
    }
}

/// The source of calendars that say no name.
pub(super) const DEFAULT_SOURCE: &str = "calendar";

/// The ids of what one source tells.
#[derive(Debug, Clone)]
pub(super) struct SourceIds {
    tenant: Ids,
    pub(super) id: Uuid,
    is_default: bool,
}

impl SourceIds {
    /// All that is known of a UID.
    pub(super) fn series(&self, uid: &str) -> Uuid {
        self.of("series", uid)
    }

    pub(super) fn entry(&self, entry: &Entry) -> Uuid {
        // A UID has no line breaks, so the two parts cannot run into each other.
        self.of("entry", &format!("{}\n{}", entry.uid, entry.occurrence_text()))
    }

    /// The first appointment that is made of an entry.
    pub(super) fn appointment(&self, entry: &Entry) -> Uuid {
        let name = format!("{}\n{}", entry.uid, entry.occurrence_text());
        // As it was before there were sources.
        if self.is_default {
            self.tenant.id("appointment", &name)
        } else {
            self.of("appointment", &name)
        }
    }

    /// The next one, where that was cancelled and is to take place all the same.
    pub(super) fn again(&self, appointment: Uuid) -> Uuid {
        self.of("again", &appointment.to_string())
    }

    /// What a source says of an entry, to be compared with what it said before: nobody guesses it from this.
    pub(super) fn content(&self, text: &str) -> Uuid {
        self.tenant.tokens.id("content", &format!("{}\n{text}", self.id))
    }

    fn of(&self, kind: &str, name: &str) -> Uuid {
        Uuid::new_v5(&self.id, format!("{kind}\n{name}").as_bytes())
    }
}
