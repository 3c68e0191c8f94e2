//! The zone in which a tenant's dates are read.

use std::time::Duration;

use chrono_tz::Tz;
use daybook_domain::TenantId;
use daybook_store::tenants;

use crate::App;
use crate::http::Problem;
use crate::http::ttl_cache::TtlCache;

/// Zones that were looked up a moment ago.
#[derive(Clone)]
pub(crate) struct TenantZones(TtlCache<TenantId, Tz>);

impl TenantZones {
    const TTL: Duration = Duration::from_mins(1);

    pub(crate) fn new() -> Self {
        Self(TtlCache::new(Self::TTL))
    }
}

impl App {
    /// The tenant's own zone.
    pub(crate) async fn zone_of(&self, tenant: &TenantId) -> Result<Tz, Problem> {
        if let Some(zone) = self.zones.0.get(tenant) {
            return Ok(zone);
        }
        let name = tenants::time_zone(self.engine.log().pool(), tenant).await?;
        let zone = name.and_then(|name| name.parse().ok()).unwrap_or(Tz::UTC);
        self.zones.0.insert(tenant.clone(), zone);
        Ok(zone)
    }
}
