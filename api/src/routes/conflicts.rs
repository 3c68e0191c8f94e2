//! `GET /v1/conflicts`

use axum::extract::State;
use axum::http::Uri;
use chrono::{DateTime, NaiveDate, Utc};
use daybook_domain::appointment::{Conflict, Status};
use daybook_domain::{ClientId, ResourceIds, ServiceId, Title};
use daybook_projections::Cursor;
use daybook_projections::conflicts::{ConflictFilter, Conflicts, InConflict};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::appointments::ConflictView;
use super::listing::{List, Listed, limit};
use super::problems::ReadProblems;
use crate::App;
use crate::http::{Caller, Params, Problem, Read};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_conflicts))
}

/// The filters, for the documentation. All that are given must be met.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by `list_conflicts`; this is how it is documented")]
pub(crate) struct ConflictFilters {
    /// Starts on this day or later (`YYYY-MM-DD`, in `tz`).
    from: Option<NaiveDate>,
    /// Starts on this day or earlier (`YYYY-MM-DD`, in `tz`).
    to: Option<NaiveDate>,
    /// The IANA zone of `from` and `to`; else the tenant's.
    tz: Option<String>,
    /// This resource is in conflict.
    resource_id: Option<Uuid>,
    /// The most items of a page: 1 to 200, 50 where it is left out.
    limit: Option<u32>,
    /// The `next_cursor` of the page before; the other parameters must be the same as then.
    cursor: Option<String>,
    /// Show at least what had happened at this position of the log: the `Daybook-Position` of a
    /// command shows what that command did.
    min_position: Option<u64>,
}

/// An appointment to come that uses resources when they cannot be had.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConflictSummary {
    id: Uuid,
    #[schema(value_type = StandingStatus)]
    status: Status,
    version: u64,
    #[schema(value_type = Uuid)]
    service_id: ServiceId,
    #[schema(value_type = Vec<Uuid>)]
    resource_ids: ResourceIds,
    #[schema(value_type = Uuid)]
    client_id: ClientId,
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    #[schema(value_type = String)]
    title: Title,
    /// Until when it can be confirmed, where it is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    hold_expires_at: Option<DateTime<Utc>>,
    /// What is in conflict, and why.
    #[schema(value_type = Vec<ConflictView>)]
    conflicts: Vec<Conflict>,
}

/// What an appointment that can be in conflict is.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
#[expect(dead_code, reason = "it documents `Status`")]
enum StandingStatus {
    Held,
    Booked,
}

impl From<InConflict> for ConflictSummary {
    fn from(found: InConflict) -> Self {
        Self {
            id: found.appointment_id.uuid(),
            status: found.status(),
            version: found.version,
            service_id: found.service_id,
            resource_ids: found.resource_ids,
            client_id: found.client_id,
            start: found.during.start(),
            end: found.during.end(),
            title: found.title,
            hold_expires_at: found.hold_expires_at,
            conflicts: found.conflicts,
        }
    }
}

/// List conflicts
///
/// The appointments that are held or booked, have not begun, and use a resource that is closed then
/// or has been retired. Each stays on the list until it is moved, reassigned, cancelled or accepted,
/// or the resource can be had again. What was booked by an override of just that is not on it.
#[utoipa::path(
    get, path = "/v1/conflicts", tag = "appointments", params(ConflictFilters),
    security(("api_key" = ["read"])),
    responses((status = 200, description = "A page, by start", body = List<ConflictSummary>),
              ReadProblems)
)]
pub(crate) async fn list_conflicts(
    State(app): State<App>,
    caller: Caller<Read>,
    uri: Uri,
    mut params: Params,
) -> Result<Listed<ConflictSummary>, Problem> {
    let (from, to) = app.days(&caller.tenant, &mut params).await?;
    let filter = ConflictFilter { from, to, resource_id: params.id("resource_id")? };
    let limit = limit(&mut params)?;
    let cursor = params.text("cursor")?.map(Cursor::new);
    app.wait(&caller.tenant, Conflicts::ID, &mut params).await?;
    params.finish()?;
    let now = app.engine.clock().now();
    let page = app.conflicts.page(&caller.tenant, &filter, cursor.as_ref(), limit, now).await?;
    Ok(Listed::of(uri, page, ConflictSummary::from))
}
