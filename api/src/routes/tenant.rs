//! `/v1/tenant/settings`: what the tenant has chosen for itself.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use chrono_tz::Tz;
use daybook_domain::service::{ClientEntryLimit, EntryLimit, HoldLimit};
use daybook_domain::time::OfferLength;
use daybook_domain::{ImportDays, LeastBookedDays, TenantId, TenantSettings};
use daybook_store::tenants::{NewSettings, Tenant};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::problems::{CommandProblems, ReadProblems};
use crate::App;
use crate::http::{
    Answer, Availability, Body, Caller, DryRun, Keys, Manage, NoQuery, Problem, Query,
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read_settings, put_settings))
}

macro_rules! settings {
    ($(
        $(#[$doc:meta])* $name:ident: $type:ident as $number:ty, $min:tt to $max:tt;
    )+) => {
        /// What is to be so; what is not given is as the program has it.
        #[derive(Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct SettingsBody {
            $($(#[$doc])* #[schema(minimum = $min, maximum = $max)] $name: Option<$type>,)+
        }

        impl SettingsBody {
            fn settings(self) -> TenantSettings {
                let else_so = TenantSettings::default();
                TenantSettings { $($name: self.$name.unwrap_or(else_so.$name),)+ }
            }
        }

        /// What the tenant has chosen.
        #[derive(Serialize, ToSchema)]
        pub(crate) struct SettingsView {
            $($(#[$doc])* #[schema(minimum = $min, maximum = $max)] $name: $type,)+
        }

        impl From<TenantSettings> for SettingsView {
            fn from(TenantSettings { $($name),+ }: TenantSettings) -> Self {
                Self { $($name),+ }
            }
        }
    };
}

daybook_domain::with_tenant_settings!(settings);

/// The tenant's settings
#[utoipa::path(
    get, path = "/v1/tenant/settings", tag = "operation",
    security(("api_key" = ["availability"])),
    responses((status = 200, description = "What it has chosen", body = SettingsView), ReadProblems)
)]
pub(crate) async fn read_settings(
    State(app): State<App>,
    caller: Caller<Availability>,
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
    params(DryRun), request_body = SettingsBody, security(("api_key" = ["manage", "keys"])),
    responses((status = 200, description = "It is so", body = SettingsView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn put_settings(
    State(app): State<App>,
    caller: Caller<(Manage, Keys)>,
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
