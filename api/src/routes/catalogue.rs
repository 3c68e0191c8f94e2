//! What the lists of services, resources and clients have in common.

use daybook_domain::TenantId;
use daybook_projections::catalogue::{Catalogue, CatalogueStatus};
use daybook_projections::{Cursor, Limit};
use utoipa::IntoParams;

use super::listing::limit;
use crate::App;
use crate::http::params::invalid;
use crate::http::{Params, Problem};

/// Which page, for the documentation.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by `page_asked`; this is how it is documented")]
pub(super) struct PageParams {
    /// The most items of a page: 1 to 200, 50 where it is left out.
    limit: Option<u32>,
    /// The `next_cursor` of the page before; the other parameters must be the same as then.
    cursor: Option<String>,
    /// Show at least what had happened at this position of the log: the `Daybook-Position` of a
    /// command shows what that command did.
    min_position: Option<u64>,
}

/// Those that can be booked, or the others, for the documentation.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by `standing`; this is how it is documented")]
pub(super) struct StandingFilter {
    /// Only those with this status.
    status: Option<String>,
}

/// Which page is asked for.
pub(super) struct PageAsked {
    pub(super) cursor: Option<Cursor>,
    pub(super) limit: Limit,
}

impl App {
    /// Takes the rest of the query, and waits until the list is as far as it asks for.
    pub(super) async fn page_asked(
        &self,
        tenant: &TenantId,
        mut params: Params,
    ) -> Result<PageAsked, Problem> {
        let limit = limit(&mut params)?;
        let cursor = params.text("cursor")?.map(Cursor::new);
        self.wait(tenant, Catalogue::ID, &mut params).await?;
        params.finish()?;
        Ok(PageAsked { cursor, limit })
    }
}

/// Takes `status` out of the query; `active` is what this kind of thing calls it.
pub(super) fn standing(
    params: &mut Params,
    active: &str,
) -> Result<Option<CatalogueStatus>, Problem> {
    match params.text("status")?.as_deref() {
        None => Ok(None),
        Some("retired") => Ok(Some(CatalogueStatus::Retired)),
        Some(status) if status == active => Ok(Some(CatalogueStatus::Active)),
        Some(_) => Err(invalid("status", format!("it is {active} or retired"))),
    }
}
