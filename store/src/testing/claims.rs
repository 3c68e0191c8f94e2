//! The claims, as the table has them and as the log gives them.

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use daybook_domain::claim::ClaimIndex;
use sqlx::PgPool;
use uuid::Uuid;

use crate::log::{Log, Position};

/// Holder, resource, seat, start, end, expiry.
pub(crate) type ClaimRow = (Uuid, Uuid, i16, DateTime<Utc>, DateTime<Utc>, Option<DateTime<Utc>>);

/// Every claim of a tenant, in order.
pub(crate) async fn claims_in_the_table(pool: &PgPool, tenant: &TenantId) -> Vec<ClaimRow> {
    sqlx::query_as(
        "SELECT appointment_id, resource_id, seat, lower(during), upper(during), expires_at
           FROM claims WHERE tenant_id = $1 ORDER BY 1, 2, 3",
    )
    .bind(tenant.as_str())
    .fetch_all(pool)
    .await
    .unwrap()
}

/// The same, from the log alone.
pub(crate) async fn claims_in_the_log(log: &Log, tenant: &TenantId) -> Vec<ClaimRow> {
    let mut index = ClaimIndex::default();
    for event in log.read(tenant, Position::START, 1_000_000).await.unwrap() {
        let event = event.unwrap();
        for (holder, claims) in event.event.held_after() {
            index.replace(holder, claims, event.recorded_at).unwrap();
        }
    }
    let mut rows: Vec<ClaimRow> = index
        .iter()
        .flat_map(|(holder, claims)| claims.iter().map(move |claim| (holder, claim)))
        .map(|(holder, claim)| {
            let (start, end) = (claim.during.start(), claim.during.end());
            let seat = claim.seat.cast_signed();
            (holder.uuid(), claim.resource.uuid(), seat, start, end, claim.expires_at)
        })
        .collect();
    rows.sort_unstable();
    rows
}
