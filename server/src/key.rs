//! `daybook key`

use chrono_tz::Tz;
use daybook_domain::TenantId;
use daybook_store::keys::{self, Scope};
use daybook_store::tenants;

use crate::database::Database;
use crate::{output, parts};

/// Makes a key and prints it, alone.
pub(crate) async fn create(
    database: &Database,
    tenant: &TenantId,
    scopes: &[Scope],
) -> anyhow::Result<()> {
    let parts = parts::connected(database).await?;
    parts::prepare(&parts).await?;
    let (pool, now) = (parts.log().pool(), parts.clock.now());
    tenants::create(pool, tenant, Tz::UTC.name(), now).await?;
    let scope = scopes.iter().copied().max().unwrap_or(Scope::Read);
    output::line(&keys::create(pool, tenant, scope, now).await?)
}
