//! How a client is shown.

use daybook_domain::client::{Client, Contact, Reminding};
use daybook_domain::{Email, Language, Metadata, Name, Note, Personal, Phone, Reference};
use daybook_projections::catalogue::{CatalogueStatus, Listed};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Viewed;

/// A client.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct ClientView {
    id: Uuid,
    /// Its version: how many events it has had.
    version: u64,
    name: Personal<Name>,
    /// Nothing is known of them any more; they are called `erased`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(default = false)]
    erased: bool,
    /// What is known of them is only kept: it is told with the scope `privacy`, and is `withheld` otherwise.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(default = false)]
    restricted: bool,
    #[serde(skip_serializing_if = "none_is_known")]
    email: Option<Personal<Email>>,
    #[serde(skip_serializing_if = "none_is_known")]
    phone: Option<Personal<Phone>>,
    #[serde(skip_serializing_if = "none_is_known")]
    language: Option<Personal<Language>>,
    /// Left out where they are reminded as services say.
    #[serde(skip_serializing_if = "is_by_rule")]
    reminders: Reminding,
    #[serde(skip_serializing_if = "none_is_known")]
    notes: Option<Personal<Note>>,
    /// What your own system calls them.
    #[serde(skip_serializing_if = "none_is_known")]
    reference: Option<Personal<Reference>>,
    /// What you keep with them; left out where there is nothing.
    #[serde(skip_serializing_if = "nothing")]
    #[schema(value_type = crate::schema::Pairs)]
    metadata: Personal<Metadata>,
}

/// Whether there is nothing, or nothing any more.
#[expect(clippy::ref_option, reason = "serde's signature")]
pub(crate) fn none_is_known<T>(personal: &Option<Personal<T>>) -> bool {
    personal.as_ref().is_none_or(|personal| personal.reveal().is_none())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_by_rule(reminders: &Reminding) -> bool {
    *reminders == Reminding::ByRule
}

pub(crate) fn nothing(metadata: &Personal<Metadata>) -> bool {
    metadata.reveal().is_none_or(Metadata::is_empty)
}

impl ClientView {
    pub(crate) fn new(id: Uuid, version: u64, contact: Contact) -> Self {
        let Contact { name, email, phone, language, reminders, notes, reference, metadata } =
            contact;
        let (erased, restricted) = (name == Personal::Erased, name == Personal::Withheld);
        let name = match name {
            Personal::Erased => Personal::new(Name::erased()),
            Personal::Withheld => Personal::new(Name::withheld()),
            name => name,
        };
        Self {
            id,
            version,
            name,
            erased,
            restricted,
            email,
            phone,
            language,
            reminders,
            notes,
            reference,
            metadata,
        }
    }

    /// One of a list.
    pub(crate) fn listed(client: Listed<Client>) -> Self {
        let restricted = client.status == CatalogueStatus::Restricted;
        Self::new(client.id.uuid(), client.version, client.document).restricted(restricted)
    }

    /// The same, restricted: by what it says itself, or by today's right.
    fn restricted(self, restricted: bool) -> Self {
        Self { restricted: restricted || self.restricted, ..self }
    }

    /// What they are called, as far as it is told.
    pub(crate) fn name(&self) -> Option<&Name> {
        self.name.reveal()
    }

    /// They may be long, and are for whoever looks at the client.
    pub(crate) fn without_notes(self) -> Self {
        Self { notes: None, ..self }
    }
}

impl Viewed for Client {
    type View = ClientView;

    const PATH: &'static str = "/v1/clients";

    fn view(self, id: Uuid, version: u64) -> Option<ClientView> {
        match self {
            Self::Unregistered => None,
            Self::Registered(record) => {
                let restricted = record.restriction.is_some();
                Some(ClientView::new(id, version, record.contact).restricted(restricted))
            }
            Self::Erased { .. } => Some(ClientView::new(id, version, Contact::erased())),
        }
    }

    /// Who registers a client need not be one who is told who they are.
    fn withheld(view: ClientView) -> ClientView {
        if view.erased {
            return view;
        }
        let named = Contact::named(Name::withheld());
        ClientView::new(view.id, view.version, named).restricted(view.restricted)
    }
}
