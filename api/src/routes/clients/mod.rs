//! `/v1/clients`: who books.

mod change;
mod history;
mod read;
mod register;

use daybook_domain::client::{Contact, ContactPatch};
use daybook_domain::{Email, Name, Note, Personal, Phone};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::App;
use crate::http::patch::patch_form;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(register::register_client, read::list_clients))
        .routes(routes!(read::get_client, change::change_client))
        .routes(routes!(history::get_client_history))
}

/// How a client is called and reached.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientBody {
    /// What they are called.
    #[schema(max_length = 200, example = "A. Client")]
    name: Personal<Name>,
    /// Where mail reaches them.
    #[schema(max_length = 254, format = "email")]
    email: Option<Personal<Email>>,
    /// Where a call or a text message reaches them.
    #[schema(max_length = 40)]
    phone: Option<Personal<Phone>>,
    /// What the front desk should know.
    #[schema(max_length = 16000)]
    notes: Option<Personal<Note>>,
}

patch_form! {
    /// What changes of how a client is called and reached.
    ClientChanges: ContactPatch of ClientBody
}

impl From<ClientBody> for Contact {
    fn from(body: ClientBody) -> Self {
        let ClientBody { name, email, phone, notes } = body;
        Self { name, email, phone, notes }
    }
}
