//! `/v1/clients`: who books.

mod change;
mod history;
mod read;
mod register;

use daybook_domain::client::{Client, Contact};
use daybook_domain::{Email, Name, Note, Personal, Phone};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::commands::Shown;
use crate::App;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(register::register_client, read::list_clients))
        .routes(routes!(read::get_client))
        .routes(routes!(change::change_client_contact))
        .routes(routes!(history::get_client_history))
}

/// How a client is called and reached.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientBody {
    /// What they are called.
    #[schema(value_type = String, max_length = 200, example = "A. Client")]
    name: Personal<Name>,
    /// Where mail reaches them.
    #[schema(value_type = Option<String>, max_length = 254, format = "email")]
    email: Option<Personal<Email>>,
    /// Where a call or a text message reaches them.
    #[schema(value_type = Option<String>, max_length = 40)]
    phone: Option<Personal<Phone>>,
    /// What the front desk should know.
    #[schema(value_type = Option<String>, max_length = 4000)]
    notes: Option<Personal<Note>>,
}

impl From<ClientBody> for Contact {
    fn from(body: ClientBody) -> Self {
        let ClientBody { name, email, phone, notes } = body;
        Self { name, email, phone, notes }
    }
}

/// A client.
#[derive(Serialize, ToSchema)]
pub(crate) struct ClientView {
    id: Uuid,
    /// Its version: how many events it has had.
    version: u64,
    #[schema(value_type = String)]
    name: Personal<Name>,
    #[schema(value_type = Option<String>)]
    email: Option<Personal<Email>>,
    #[schema(value_type = Option<String>)]
    phone: Option<Personal<Phone>>,
    #[schema(value_type = Option<String>)]
    notes: Option<Personal<Note>>,
}

impl ClientView {
    fn new(id: Uuid, version: u64, contact: Contact) -> Self {
        let Contact { name, email, phone, notes } = contact;
        Self { id, version, name, email, phone, notes }
    }
}

impl Shown for Client {
    type View = ClientView;

    const PATH: &'static str = "/v1/clients";

    fn show(self, id: Uuid, version: u64) -> Option<ClientView> {
        match self {
            Self::Unregistered => None,
            Self::Registered(contact) => Some(ClientView::new(id, version, contact)),
        }
    }
}
