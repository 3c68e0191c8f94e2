//! `GET /v1/tenant/retention`: who would be erased.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use daybook_domain::RetentionDays;
use daybook_projections::Limit;
use daybook_projections::retention::{IdleClient, IdleCount, Retention};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::listing::Freshness;
use super::problems::ReadProblems;
use crate::App;
use crate::http::query::{Within, query_params};
use crate::http::{At, Caller, Problem, Query, auth};
use crate::retention::before;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(preview_retention))
}

query_params! {
    /// What is tried.
    pub(crate) struct RetentionParams {
        /// As if clients were erased so many days after their last appointment; left out: as the tenant has settled on.
        days: Option<Within<1, { RetentionDays::MAX as usize }>>,
        /// How many clients are named: 1 to 200, 50 where it is left out.
        limit: Option<Limit>,
        ..fresh: Freshness,
    }
}

/// Who would be erased now.
#[derive(Default, Serialize, ToSchema)]
pub(crate) struct RetentionView {
    /// How many days after their last appointment; 0: nobody ever is.
    days: u16,
    /// They have nothing before them, and nothing behind them after this moment. Left out: nobody ever is.
    #[serde(skip_serializing_if = "Option::is_none")]
    cutoff_at: Option<DateTime<Utc>>,
    /// How many they are; 100,000: so many at least.
    due: u32,
    /// How many more there would be if what is known of them were not restricted.
    restricted: u32,
    /// How many more there would be if they were not under legal hold.
    on_legal_hold: u32,
    /// Some of those who are due: they who would be erased first.
    clients: Vec<IdleView>,
}

/// Somebody who would be erased.
#[derive(Serialize, ToSchema)]
pub(crate) struct IdleView {
    /// The client.
    id: Uuid,
    /// When their last appointment ended, or they were registered, if they never had one.
    last_seen_at: DateTime<Utc>,
}

impl From<IdleClient> for IdleView {
    fn from(IdleClient { client_id, idle_since }: IdleClient) -> Self {
        Self { id: client_id.uuid(), last_seen_at: idle_since }
    }
}

/// See who would be erased
///
/// By `retention_days` of the tenant's settings, or by the `days` that are tried: those whose last appointment ended so long ago, and who have
/// nothing before them. Nothing happens.
#[utoipa::path(
    get, path = "/v1/tenant/retention", tag = "operation", params(RetentionParams),
    security(("api_key" = ["privacy"])),
    responses((status = 200, description = "Who would be", body = RetentionView), ReadProblems)
)]
pub(crate) async fn preview_retention(
    State(app): State<App>,
    caller: Caller<auth::Privacy>,
    Query(RetentionParams { days, limit, fresh }): Query<RetentionParams>,
) -> Result<At<Json<RetentionView>>, Problem> {
    let tenant = &caller.tenant;
    let tried = days.and_then(|days| RetentionDays::try_from(u16::try_from(days.0).ok()?).ok());
    let days = match tried {
        Some(days) => days,
        None => app.engine.tenants().present(tenant).await?.settings.retention_days,
    };
    let position = app.wait(tenant, Retention::ID, fresh).await?;
    let mut view = RetentionView { days: days.get(), ..RetentionView::default() };
    if let Some(cutoff_at) = before(days, app.engine.clock().now()) {
        let count = app.retention.count(tenant, cutoff_at).await?;
        let idle = app.retention.idle(tenant, cutoff_at, &[], limit.unwrap_or_default()).await?;
        let IdleCount { due, restricted, on_legal_hold } = count;
        let clients = idle.into_iter().map(IdleView::from).collect();
        let cutoff_at = Some(cutoff_at);
        view = RetentionView { cutoff_at, due, restricted, on_legal_hold, clients, ..view };
    }
    Ok(At(position, Json(view)))
}
