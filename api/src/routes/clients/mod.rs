//! `/v1/clients`: who books.

mod change;
mod erase;
pub(super) mod history;
mod keeping;
mod personal_data;
mod read;
mod register;
mod search;
mod within;

use daybook_domain::client::{Contact, ContactPatch, Reminding};
use daybook_domain::{Email, Language, Metadata, Name, Note, Personal, Phone, Reference};
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
        .routes(routes!(search::search_clients))
        .routes(routes!(erase::erase_client))
        .routes(routes!(keeping::get_client_privacy))
        .routes(routes!(keeping::restrict_client))
        .routes(routes!(keeping::lift_client_restriction))
        .routes(routes!(keeping::place_legal_hold))
        .routes(routes!(keeping::release_legal_hold))
        .routes(routes!(history::get_client_history))
        .routes(routes!(personal_data::get_personal_data))
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
    /// In which language they are written to (BCP 47), where there is a text in it.
    #[schema(max_length = 35, example = "nb")]
    language: Option<Personal<Language>>,
    #[serde(default)]
    reminders: Reminding,
    /// What the front desk should know.
    #[schema(max_length = 16000)]
    notes: Option<Personal<Note>>,
    /// What your own system calls them; found by `reference`. No two clients have the same.
    #[schema(max_length = 200, example = "A-1041")]
    reference: Option<Personal<Reference>>,
    /// What you keep with them: at most 50 pairs, keys of at most 40 characters and values of at most 500,
    /// together 8 KiB; found by `metadata[key]=value`.
    #[serde(default, skip_serializing_if = "crate::views::client::nothing")]
    #[schema(value_type = crate::schema::Pairs)]
    metadata: Personal<Metadata>,
}

patch_form! {
    /// What changes of how a client is called and reached.
    ClientChanges: ContactPatch of ClientBody
}

impl From<ClientBody> for Contact {
    fn from(body: ClientBody) -> Self {
        let ClientBody { name, email, phone, language, reminders, notes, reference, metadata } =
            body;
        Self { name, email, phone, language, reminders, notes, reference, metadata }
    }
}
