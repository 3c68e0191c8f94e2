//! What the catalogue keeps of services, resources and clients.

use daybook_domain::client::{Client, ClientEvent, Contact};
use daybook_domain::resource::{Resource, ResourceEvent, ResourceProfile};
use daybook_domain::service::{Service, ServiceEvent, ServiceTerms};
use daybook_domain::{ClientId, ResourceId, ServiceId};
use daybook_store::AnyEvent;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// Whether something can be booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// It can.
    Active,
    /// It could once.
    Retired,
}

impl Standing {
    /// Its name in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Retired => "retired",
        }
    }
}

/// An aggregate that the catalogue lists.
pub(super) trait Kept: Default {
    type Id: From<Uuid>;
    type Event: Clone;
    type Document: Serialize + DeserializeOwned + Send + Unpin + Clone;

    const TABLE: &'static str;
    const ID: &'static str;
    const DOCUMENT: &'static str;

    /// The event, if it is one of this kind.
    fn event(event: &AnyEvent) -> Option<(Uuid, &Self::Event)>;
    /// Whether what was before does not matter.
    fn makes(event: &Self::Event) -> bool;
    fn take_note(&mut self, event: Self::Event);
    /// What is kept of it; `None`: it was never made.
    fn kept(&self) -> Option<(&Self::Document, Standing)>;
    fn again(document: Self::Document, standing: Standing) -> Self;
}

impl Kept for Service {
    type Id = ServiceId;
    type Event = ServiceEvent;
    type Document = ServiceTerms;

    const TABLE: &'static str = "catalogue_1.services";
    const ID: &'static str = "service_id";
    const DOCUMENT: &'static str = "terms";

    fn event(event: &AnyEvent) -> Option<(Uuid, &ServiceEvent)> {
        if let AnyEvent::Service(id, event) = event { Some((id.uuid(), event)) } else { None }
    }

    fn makes(event: &ServiceEvent) -> bool {
        matches!(event, ServiceEvent::ServiceDefined(_))
    }

    fn take_note(&mut self, event: ServiceEvent) {
        self.evolve(event);
    }

    fn kept(&self) -> Option<(&ServiceTerms, Standing)> {
        match self {
            Self::Undefined => None,
            Self::Offered(terms) => Some((terms, Standing::Active)),
            Self::Retired(terms) => Some((terms, Standing::Retired)),
        }
    }

    fn again(terms: ServiceTerms, standing: Standing) -> Self {
        match standing {
            Standing::Active => Self::Offered(terms),
            Standing::Retired => Self::Retired(terms),
        }
    }
}

impl Kept for Resource {
    type Id = ResourceId;
    type Event = ResourceEvent;
    type Document = ResourceProfile;

    const TABLE: &'static str = "catalogue_1.resources";
    const ID: &'static str = "resource_id";
    const DOCUMENT: &'static str = "profile";

    fn event(event: &AnyEvent) -> Option<(Uuid, &ResourceEvent)> {
        if let AnyEvent::Resource(id, event) = event { Some((id.uuid(), event)) } else { None }
    }

    fn makes(event: &ResourceEvent) -> bool {
        matches!(event, ResourceEvent::ResourceRegistered(_))
    }

    fn take_note(&mut self, event: ResourceEvent) {
        self.evolve(event);
    }

    fn kept(&self) -> Option<(&ResourceProfile, Standing)> {
        match self {
            Self::Unregistered => None,
            Self::Active(profile) => Some((profile, Standing::Active)),
            Self::Retired(profile) => Some((profile, Standing::Retired)),
        }
    }

    fn again(profile: ResourceProfile, standing: Standing) -> Self {
        match standing {
            Standing::Active => Self::Active(profile),
            Standing::Retired => Self::Retired(profile),
        }
    }
}

impl Kept for Client {
    type Id = ClientId;
    type Event = ClientEvent;
    type Document = Contact;

    const TABLE: &'static str = "catalogue_1.clients";
    const ID: &'static str = "client_id";
    const DOCUMENT: &'static str = "contact";

    fn event(event: &AnyEvent) -> Option<(Uuid, &ClientEvent)> {
        if let AnyEvent::Client(id, event) = event { Some((id.uuid(), event)) } else { None }
    }

    fn makes(event: &ClientEvent) -> bool {
        matches!(event, ClientEvent::ClientRegistered(_))
    }

    fn take_note(&mut self, event: ClientEvent) {
        self.evolve(event);
    }

    fn kept(&self) -> Option<(&Contact, Standing)> {
        match self {
            Self::Unregistered => None,
            Self::Registered(contact) => Some((contact, Standing::Active)),
        }
    }

    fn again(contact: Contact, _: Standing) -> Self {
        Self::Registered(contact)
    }
}
