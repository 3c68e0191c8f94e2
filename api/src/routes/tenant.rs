//! `/v1/tenant/settings`: what the tenant has chosen for itself.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use chrono_tz::Tz;
use daybook_domain::service::{ClientEntryLimit, EntryLimit, HoldLimit};
use daybook_domain::time::HoldLength;
use daybook_domain::{ImportDays, LeastBookedDays, TenantId, TenantSettings};
use daybook_store::tenants::{NewSettings, Tenant};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::problems::{CommandProblems, ReadProblems};
use crate::App;
use crate::http::{Admin, Answer, Body, Caller, DryRun, NoQuery, Problem, Query, Read};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read_settings, put_settings))
}

/// What is to be so; what is not given is as the program has it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettingsBody {
    /// How many holds one client can have at once; else 3.
    #[schema(minimum = 1, maximum = 1000)]
    holds_per_client: Option<HoldLimit>,
    /// For how long a place is offered to a client on the waiting list; else 15.
    #[schema(minimum = 1, maximum = 60)]
    offer_minutes: Option<HoldLength>,
    /// How many times one client can wait at once; else 20.
    #[schema(minimum = 1, maximum = 1000)]
    waiting_per_client: Option<ClientEntryLimit>,
    /// How many entries of the waiting list can be open; else 1000.
    #[schema(minimum = 1, maximum = 50000)]
    waiting_list: Option<EntryLimit>,
    /// How many days ahead series of imported calendars are followed; else 731.
    #[schema(minimum = 1, maximum = 3660)]
    import_days: Option<ImportDays>,
    /// Over how many local days it is added up who is booked least, where a service chooses by that; else 7.
    #[schema(minimum = 1, maximum = 31)]
    least_booked_days: Option<LeastBookedDays>,
}

impl SettingsBody {
    fn settings(self) -> TenantSettings {
        let else_so = TenantSettings::default();
        TenantSettings {
            holds_per_client: self.holds_per_client.unwrap_or(else_so.holds_per_client),
            offer_minutes: self.offer_minutes.unwrap_or(else_so.offer_minutes),
            waiting_per_client: self.waiting_per_client.unwrap_or(else_so.waiting_per_client),
            waiting_list: self.waiting_list.unwrap_or(else_so.waiting_list),
            import_days: self.import_days.unwrap_or(else_so.import_days),
            least_booked_days: self.least_booked_days.unwrap_or(else_so.least_booked_days),
        }
    }
}

/// What the tenant has chosen.
#[derive(Serialize, ToSchema)]
pub(crate) struct SettingsView {
    /// How many holds one client can have at once.
    holds_per_client: HoldLimit,
    /// For how long a place is offered to a client on the waiting list.
    offer_minutes: HoldLength,
    /// How many times one client can wait at once.
    waiting_per_client: ClientEntryLimit,
    /// How many entries of the waiting list can be open.
    waiting_list: EntryLimit,
    /// How many days ahead series of imported calendars are followed.
    import_days: ImportDays,
    /// Over how many local days it is added up who is booked least.
    least_booked_days: LeastBookedDays,
}

impl From<TenantSettings> for SettingsView {
    fn from(settings: TenantSettings) -> Self {
        let TenantSettings {
            holds_per_client,
            offer_minutes,
            waiting_per_client,
            waiting_list,
            import_days,
            least_booked_days,
        } = settings;
        Self {
            holds_per_client,
            offer_minutes,
            waiting_per_client,
            waiting_list,
            import_days,
            least_booked_days,
        }
    }
}

/// The tenant's settings
#[utoipa::path(
    get, path = "/v1/tenant/settings", tag = "operation",
    security(("api_key" = ["read"])),
    responses((status = 200, description = "What it has chosen", body = SettingsView), ReadProblems)
)]
pub(crate) async fn read_settings(
    State(app): State<App>,
    caller: Caller<Read>,
    _: NoQuery,
) -> Result<Answer<SettingsView>, Problem> {
    Ok(Answer::seen(None, None, app.tenant(&caller.tenant).await?.settings.into()))
}

/// Replace the tenant's settings
///
/// What is not given is as daybook has it by default. Decisions go by it within five seconds; what was decided before
/// stands.
#[utoipa::path(
    put, path = "/v1/tenant/settings", tag = "operation",
    params(DryRun), request_body = SettingsBody, security(("api_key" = ["admin"])),
    responses((status = 200, description = "It is so", body = SettingsView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn put_settings(
    State(app): State<App>,
    caller: Caller<Admin>,
    Query(dry_run): Query<DryRun>,
    Body(body): Body<SettingsBody>,
) -> Result<Json<SettingsView>, Problem> {
    let settings = body.settings();
    if dry_run.is_asked_for() {
        return Ok(Json(settings.into()));
    }
    let new = NewSettings::from(settings);
    let changed = app.engine.tenants().set(&caller.tenant, new).await?;
    let changed = changed.ok_or_else(|| Problem::not_found("tenant"))?;
    Ok(Json(changed.settings.into()))
}

impl App {
    /// What is known of a tenant, as it was a moment ago.
    pub(crate) async fn tenant(&self, tenant: &TenantId) -> Result<Arc<Tenant>, Problem> {
        Ok(self.engine.tenants().get(tenant).await?)
    }

    /// The zone in which the tenant's dates are read.
    pub(crate) async fn zone_of(&self, tenant: &TenantId) -> Result<Tz, Problem> {
        Ok(self.tenant(tenant).await?.time_zone)
    }
}
