//! What the catalogue has of services, resources and clients.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use cqrs_es::Aggregate as _;
use daybook_domain::client::{Client, ClientEvent, ClientRecord, Contact, RestrictionReason};
use daybook_domain::resource::{Resource, ResourceEvent, ResourceProfile};
use daybook_domain::service::{Service, ServiceEvent, ServiceTerms};
use daybook_domain::{ClientId, HasPersonal, ResourceId, ServiceId};
use daybook_store::{AnyEvent, Position};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::FromRow;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::facets::FoundBy;
use crate::kit::{Column, Json, Table, column};
use crate::search::terms::TermsOf;

/// Whether something can be booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CatalogueStatus {
    /// It can.
    Active,
    /// It could once.
    Retired,
    /// A client of whom what is known is only kept.
    Restricted,
}

impl CatalogueStatus {
    /// Its name in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Restricted => "restricted",
        }
    }

    /// The schema lets no other name in.
    pub(crate) fn named(name: &str) -> Self {
        let named = [Self::Retired, Self::Restricted].into_iter().find(|it| it.as_str() == name);
        named.unwrap_or(Self::Active)
    }
}

/// An aggregate that the catalogue lists.
pub trait CatalogueEntity: Default + Send + Sync + 'static {
    /// What identifies it.
    type Id: From<Uuid> + Copy + Send + Unpin;
    /// What happens to it.
    type Event: Clone;
    /// What is known of it.
    type Document: HasPersonal + Serialize + DeserializeOwned + Clone + Send + Sync + Unpin;

    /// Its type, as the log has it.
    const KIND: &'static str;
    /// Its table.
    const TABLE: &'static str;
    /// The column of its id.
    const ID: &'static str;
    /// The column of its document.
    const DOCUMENT: &'static str;

    /// The event, if it is one of this kind.
    fn event(event: &AnyEvent) -> Option<(Uuid, &Self::Event)>;
    /// Its id as a UUID.
    fn uuid(id: Self::Id) -> Uuid;
    /// It after this event.
    #[must_use]
    fn after(self, event: Self::Event) -> Self;
    /// What the catalogue has of it; `None`: it was never made.
    fn into_document(self) -> Option<(Self::Document, CatalogueStatus)>;
    /// What it is found by.
    fn found_by(document: &Self::Document) -> FoundBy;
    /// It as the catalogue has it.
    fn from_document(document: Self::Document, status: CatalogueStatus) -> Self;
}

/// Something in a list: a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<E: CatalogueEntity> {
    pub id: E::Id,
    /// What is known of it.
    pub document: E::Document,
    /// Whether it can be booked.
    pub status: CatalogueStatus,
    /// The number of its events.
    pub version: u64,
    /// Where its last event is in the log; in a list of the past, of which position that is.
    pub position: Position,
    /// When its first event was recorded.
    pub created_at: DateTime<Utc>,
    /// When its last event was.
    pub updated_at: DateTime<Utc>,
}

/// Something in a list, and what it is found by.
pub(super) struct Row<E: CatalogueEntity> {
    pub(super) listed: Listed<E>,
    /// Its terms; what is read does not need them.
    found_by: Vec<i64>,
}

impl<E: CatalogueEntity> Row<E> {
    /// It is found by what is open of its document.
    pub(super) fn of(listed: Listed<E>, open: &E::Document, terms: &TermsOf) -> Self {
        Self { found_by: E::found_by(open).terms(terms), listed }
    }
}

pub(super) static SERVICES: LazyLock<Table<Row<Service>>> = LazyLock::new(table);
pub(super) static RESOURCES: LazyLock<Table<Row<Resource>>> = LazyLock::new(table);
pub(super) static CLIENTS: LazyLock<Table<Row<Client>>> = LazyLock::new(table);

fn table<E: CatalogueEntity>() -> Table<Row<E>> {
    Table::new(
        E::TABLE,
        [
            Column::value(E::ID, |row: &Row<E>| E::uuid(row.listed.id)).key(),
            Column::json(E::DOCUMENT, |row| &row.listed.document),
            Column::field("status", |row| &row.listed.status),
            Column::field("version", |row| &row.listed.version),
            Column::field("position", |row| &row.listed.position),
            Column::field("created_at", |row| &row.listed.created_at),
            Column::field("updated_at", |row| &row.listed.updated_at),
            Column::field("found_by", |row| &row.found_by),
        ],
    )
}

impl<E: CatalogueEntity> FromRow<'_, PgRow> for Row<E> {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self { listed: Listed::from_row(row)?, found_by: Vec::new() })
    }
}

impl<E: CatalogueEntity> FromRow<'_, PgRow> for Listed<E> {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let Json(document) = column(row, E::DOCUMENT)?;
        Ok(Self {
            id: column::<Uuid>(row, E::ID)?.into(),
            document,
            status: column(row, "status")?,
            version: column(row, "version")?,
            position: column(row, "position")?,
            created_at: column(row, "created_at")?,
            updated_at: column(row, "updated_at")?,
        })
    }
}

impl CatalogueEntity for Service {
    type Id = ServiceId;
    type Event = ServiceEvent;
    type Document = ServiceTerms;

    const KIND: &'static str = Self::TYPE;
    const TABLE: &'static str = "services";
    const ID: &'static str = "service_id";
    const DOCUMENT: &'static str = "terms";

    fn event(event: &AnyEvent) -> Option<(Uuid, &ServiceEvent)> {
        if let AnyEvent::Service(id, event) = event { Some((id.uuid(), event)) } else { None }
    }

    fn uuid(id: ServiceId) -> Uuid {
        id.uuid()
    }

    fn after(mut self, event: ServiceEvent) -> Self {
        self.evolve(event);
        self
    }

    fn into_document(self) -> Option<(ServiceTerms, CatalogueStatus)> {
        match self {
            Self::Undefined => None,
            Self::Offered(terms) => Some((terms, CatalogueStatus::Active)),
            Self::Retired(terms) => Some((terms, CatalogueStatus::Retired)),
        }
    }

    fn found_by(terms: &ServiceTerms) -> FoundBy {
        FoundBy::service(terms)
    }

    fn from_document(terms: ServiceTerms, status: CatalogueStatus) -> Self {
        match status {
            CatalogueStatus::Active | CatalogueStatus::Restricted => Self::Offered(terms),
            CatalogueStatus::Retired => Self::Retired(terms),
        }
    }
}

impl CatalogueEntity for Resource {
    type Id = ResourceId;
    type Event = ResourceEvent;
    type Document = ResourceProfile;

    const KIND: &'static str = Self::TYPE;
    const TABLE: &'static str = "resources";
    const ID: &'static str = "resource_id";
    const DOCUMENT: &'static str = "profile";

    fn event(event: &AnyEvent) -> Option<(Uuid, &ResourceEvent)> {
        if let AnyEvent::Resource(id, event) = event { Some((id.uuid(), event)) } else { None }
    }

    fn uuid(id: ResourceId) -> Uuid {
        id.uuid()
    }

    fn after(mut self, event: ResourceEvent) -> Self {
        self.evolve(event);
        self
    }

    fn into_document(self) -> Option<(ResourceProfile, CatalogueStatus)> {
        match self {
            Self::Unregistered => None,
            Self::Active(profile) => Some((profile, CatalogueStatus::Active)),
            Self::Retired(profile) => Some((profile, CatalogueStatus::Retired)),
        }
    }

    fn found_by(profile: &ResourceProfile) -> FoundBy {
        FoundBy::resource(profile)
    }

    fn from_document(profile: ResourceProfile, status: CatalogueStatus) -> Self {
        match status {
            CatalogueStatus::Active | CatalogueStatus::Restricted => Self::Active(profile),
            CatalogueStatus::Retired => Self::Retired(profile),
        }
    }
}

impl CatalogueEntity for Client {
    type Id = ClientId;
    type Event = ClientEvent;
    type Document = Contact;

    const KIND: &'static str = Self::TYPE;
    const TABLE: &'static str = "clients";
    const ID: &'static str = "client_id";
    const DOCUMENT: &'static str = "contact";

    fn event(event: &AnyEvent) -> Option<(Uuid, &ClientEvent)> {
        if let AnyEvent::Client(id, event) = event { Some((id.uuid(), event)) } else { None }
    }

    fn uuid(id: ClientId) -> Uuid {
        id.uuid()
    }

    fn after(mut self, event: ClientEvent) -> Self {
        self.evolve(event);
        self
    }

    fn into_document(self) -> Option<(Contact, CatalogueStatus)> {
        match self {
            Self::Unregistered => None,
            Self::Registered(ClientRecord { contact, restriction: None, .. }) => {
                Some((contact, CatalogueStatus::Active))
            }
            Self::Registered(record) => Some((record.contact, CatalogueStatus::Restricted)),
            Self::Erased { .. } => Some((Contact::erased(), CatalogueStatus::Retired)),
        }
    }

    fn found_by(contact: &Contact) -> FoundBy {
        FoundBy::client(contact)
    }

    fn from_document(contact: Contact, status: CatalogueStatus) -> Self {
        match status {
            CatalogueStatus::Active => Self::Registered(contact.into()),
            // Why, is not told here.
            CatalogueStatus::Restricted => Self::Registered(ClientRecord {
                restriction: Some(RestrictionReason::ObjectionPending),
                ..contact.into()
            }),
            CatalogueStatus::Retired => Self::Erased { finished: true },
        }
    }
}
