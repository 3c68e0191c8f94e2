//! Every tenant that has a log, or should have one: a look at the whole house, page by page.

use daybook_domain::TenantId;
use sqlx::{PgPool, Row as _};

use crate::log::genesis;

/// How many tenants are looked at by a statement.
const PAGE: i64 = 1_000;

/// A tenant, and whether there is anything to verify.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub tenant: TenantId,
    /// Its log is where it began, and whole: there is nothing in it, and nothing beside it. Of thousands of such
    /// tenants that is known by one statement.
    pub untouched: bool,
    /// It is being deleted: there is no whole to be verified any more.
    pub leaving: bool,
}

/// The next tenants after one, in the order of their ids; none: there are no more.
///
/// # Errors
/// When the database fails.
pub async fn tenants_after(
    pool: &PgPool,
    after: Option<&TenantId>,
) -> Result<Vec<Found>, sqlx::Error> {
    // Each by the primary key of its table, or by `events_tenant_id_position_key`.
    let rows = sqlx::query(
        "SELECT t.tenant_id, h.hash,
                EXISTS (SELECT FROM tenants l
                         WHERE l.tenant_id = t.tenant_id AND l.deleting_at IS NOT NULL) AS leaving,
                h.position = 0
                AND NOT EXISTS (SELECT FROM events e WHERE e.tenant_id = t.tenant_id)
                AND NOT EXISTS (SELECT FROM claims c WHERE c.tenant_id = t.tenant_id)
                AND NOT EXISTS (SELECT FROM commands a WHERE a.tenant_id = t.tenant_id)
                AND NOT EXISTS (SELECT FROM checkpoints p
                                 WHERE p.tenant_id = t.tenant_id AND p.position > 0) AS untouched
           FROM ((SELECT tenant_id FROM tenants WHERE tenant_id > $1 ORDER BY tenant_id LIMIT $2)
                 UNION
                 (SELECT tenant_id FROM log_heads WHERE tenant_id > $1 ORDER BY tenant_id LIMIT $2)
                 ORDER BY tenant_id LIMIT $2) AS t
           LEFT JOIN log_heads h ON h.tenant_id = t.tenant_id
          ORDER BY t.tenant_id",
    )
    .bind(after.map_or("", TenantId::as_str))
    .bind(PAGE)
    .fetch_all(pool)
    .await?;
    let found = rows.iter().map(|row| {
        let tenant: &str = row.try_get("tenant_id")?;
        let tenant: TenantId =
            tenant.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        let hash: Option<&[u8]> = row.try_get("hash")?;
        let untouched = row.try_get::<Option<bool>, _>("untouched")?.unwrap_or_default()
            && hash == Some(genesis(&tenant).as_slice());
        Ok(Found { tenant, untouched, leaving: row.try_get("leaving")? })
    });
    found.collect()
}
