//! The zone in which a tenant's dates are read.

use std::time::Duration;

use chrono_tz::Tz;
use daybook_domain::TenantId;
use daybook_store::tenants;
use moka::future::Cache;

use crate::App;
use crate::http::Problem;

/// Zones that were looked up a moment ago.
#[derive(Clone)]
pub(crate) struct TenantZones(Cache<TenantId, Tz>);

impl TenantZones {
    const MAX: u64 = 10_000;
    const TIME_TO_LIVE: Duration = Duration::from_mins(1);

    pub(crate) fn new() -> Self {
        Self(Cache::builder().max_capacity(Self::MAX).time_to_live(Self::TIME_TO_LIVE).build())
    }
}

impl App {
    /// The tenant's own zone.
    pub(crate) async fn zone_of(&self, tenant: &TenantId) -> Result<Tz, Problem> {
        if let Some(zone) = self.zones.0.get(tenant).await {
            return Ok(zone);
        }
        let name = tenants::time_zone(self.engine.log().pool(), tenant).await?;
        let zone = name.and_then(|name| name.parse().ok()).unwrap_or(Tz::UTC);
        self.zones.0.insert(tenant.clone(), zone).await;
        Ok(zone)
    }
}
