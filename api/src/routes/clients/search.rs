//! `POST /v1/clients/search`: somebody of whom something is known. What that is stands in the body: a URL is written down wherever it
//! passes, and is no place for personal data.

use axum::Json;
use axum::extract::State;
use daybook_domain::client::Client;
use daybook_domain::{Email, Personal, Phone};
use daybook_projections::catalogue::{Catalogue, CatalogueFilter, CatalogueStatus, Facet};
use daybook_projections::search::TitleWords;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::App;
use crate::http::{At, Body, Caller, Problem, Query, auth};
use crate::routes::listing::{List, PageParams};
use crate::routes::problems::ReadProblems;
use crate::views::{ClientView, Recorded};

/// What is known of a client: one of these at least, and all that are given must be so.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientSearchBody {
    /// Their e-mail address, in any case.
    #[schema(max_length = 254, format = "email", example = "client@example.org")]
    email: Option<Personal<Email>>,
    /// Their phone number: what counts is its digits, and whether a country is before them (`+` or `00`).
    #[schema(max_length = 40, example = "+47 22 33 44 55")]
    phone: Option<Personal<Phone>>,
    /// Whole words of their name, at most 8, in any order and however they are spelt.
    #[schema(max_length = 200, example = "Client")]
    name: Option<String>,
}

/// Search clients
///
/// By what is known of them: as a list finds them, but nothing of it is in a URL, and words of a name are whole words. In the order
/// in which they were registered. The next page is asked for with the same body.
#[utoipa::path(
    post, path = "/v1/clients/search", tag = "clients", params(PageParams),
    request_body = ClientSearchBody, security(("api_key" = ["personal"])),
    responses((status = 200, description = "A page", body = List<Recorded<ClientView>>),
              ReadProblems)
)]
pub(crate) async fn search_clients(
    State(app): State<App>,
    caller: Caller<auth::Personal>,
    Query(page): Query<PageParams>,
    Body(body): Body<ClientSearchBody>,
) -> Result<At<Json<List<Recorded<ClientView>>>>, Problem> {
    let (tenant, filter) = (&caller.tenant, body.filter()?);
    let reading = app.reading(tenant, (None, None), page.fresh, Catalogue::ID).await?;
    let asked = (page.cursor.as_ref(), page.limit());
    let found = app.catalogue.page::<Client>(tenant, &filter, asked).await?;
    let next_cursor = found.next.map(|cursor| cursor.to_string());
    let items = found.items.into_iter().map(|client| {
        let times = (client.created_at, client.updated_at);
        Recorded::new(ClientView::listed(client), times)
    });
    Ok(At(reading.position, Json(List { items: items.collect(), next_cursor })))
}

impl ClientSearchBody {
    fn filter(&self) -> Result<CatalogueFilter, Problem> {
        let name = self.name.as_deref().map(TitleWords::parse).transpose();
        let name = name.map_err(|error| Problem::bad_body(format!("name: {error}")))?;
        let email = self.email.as_ref().and_then(Personal::reveal).map(Facet::email);
        let phone = self.phone.as_ref().and_then(Personal::reveal).map(Facet::phone);
        if name.is_none() && email.is_none() && phone.is_none() {
            return Err(Problem::bad_body("say an `email`, a `phone` or words of a `name`"));
        }
        let filter = CatalogueFilter {
            name: name.map(Personal::new),
            whole_words: true,
            // Those who are erased are nobody to be found, and those who are restricted are not looked for.
            status: Some(CatalogueStatus::Active),
            ..CatalogueFilter::default()
        };
        Ok(filter.with_any(email).with_any(phone))
    }
}
