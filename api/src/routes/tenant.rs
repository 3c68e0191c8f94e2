//! `/v1/tenant/settings`: what the tenant has chosen for itself.

use std::sync::Arc;

use axum::extract::State;
use chrono_tz::Tz;
use daybook_domain::notice::Notices;
use daybook_domain::service::{ClientEntryLimit, EntryLimit, HoldLimit};
use daybook_domain::time::OfferLength;
use daybook_domain::{
    ImportDays, LeastBookedDays, RetentionDays, TenantId, TenantSettings, Titles,
};
use daybook_store::tenants::{Replaced, Tenant};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::problems::{CommandProblems, ReadProblems};
use crate::App;
use crate::http::etag::{self, IfMatchTag, SeenTag};
use crate::http::{
    Answer, Availability, Caller, DryRun, GivenBody, Keys, Manage, NoQuery, Problem, Query, auth,
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read_settings, put_settings))
}

macro_rules! settings {
    (
        numbers {$(
            $(#[$doc:meta])* $name:ident: $type:ident as $number:ty, $min:tt to $max:tt;
        )+}
        words {$(
            $(#[$word_doc:meta])* $word:ident: $words:ident;
        )+}
    ) => {
        /// What is to be so; what is not given is as the program has it.
        #[derive(Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct SettingsBody {
            $($(#[$doc])* #[schema(minimum = $min, maximum = $max)] $name: Option<$type>,)+
            $($(#[$word_doc])* $word: Option<$words>,)+
        }

        impl SettingsBody {
            fn settings(self) -> TenantSettings {
                let else_so = TenantSettings::default();
                TenantSettings {
                    $($name: self.$name.unwrap_or(else_so.$name),)+
                    $($word: self.$word.unwrap_or(else_so.$word),)+
                }
            }
        }

        /// What the tenant has chosen.
        #[derive(Serialize, ToSchema)]
        pub(crate) struct SettingsView {
            $($(#[$doc])* #[schema(minimum = $min, maximum = $max)] $name: $type,)+
            $($(#[$word_doc])* $word: $words,)+
        }

        impl From<TenantSettings> for SettingsView {
            fn from(TenantSettings { $($name,)+ $($word),+ }: TenantSettings) -> Self {
                Self { $($name,)+ $($word),+ }
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
    // As it is now: a change that names its tag must not fail for it.
    let now = app.engine.tenants().present(&caller.tenant).await?;
    Ok(Answer::seen(None, None, now.settings.into()))
}

/// Replace the tenant's settings
///
/// What is not given is as daybook has it by default, so a body must be given: `{}` is a choice, too. Decisions go by it
/// within five seconds; what was decided before stands. Other `retention_days` and `titles` need `privacy`, too: clients are erased by
/// those, and these say what is sealed.
#[utoipa::path(
    put, path = "/v1/tenant/settings", tag = "operation",
    params(DryRun, IfMatchTag), request_body = SettingsBody, security(("api_key" = ["manage", "keys"])),
    responses((status = 200, description = "It is so", body = SettingsView),
              ReadProblems, CommandProblems)
)]
pub(crate) async fn put_settings(
    State(app): State<App>,
    caller: Caller<(Manage, Keys)>,
    seen: SeenTag,
    Query(dry_run): Query<DryRun>,
    GivenBody(body): GivenBody<SettingsBody>,
) -> Result<Answer<SettingsView>, Problem> {
    let (settings, tenants) = (body.settings(), app.engine.tenants());
    let before = tenants.present(&caller.tenant).await?.settings;
    if settings.retention_days != before.retention_days {
        caller.must_have::<auth::Privacy>("settling for how long clients are kept")?;
    }
    if settings.titles != before.titles {
        caller.must_have::<auth::Privacy>("settling whether titles are personal")?;
    }
    let is_seen = |now: &TenantSettings| seen.is_of(&SettingsView::from(*now));
    if dry_run.is_asked_for() {
        let now = tenants.present(&caller.tenant).await?;
        let is_seen = is_seen(&now.settings);
        return is_seen.then(|| Answer::tried(settings.into())).ok_or_else(etag::outdated);
    }
    match tenants.replace(&caller.tenant, settings.into(), is_seen).await? {
        Some(Replaced::Made(changed)) => Ok(Answer::seen(None, None, changed.settings.into())),
        Some(Replaced::Outdated) => Err(etag::outdated()),
        None => Err(Problem::not_found("tenant")),
    }
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
