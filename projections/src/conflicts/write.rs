//! The appointments that a batch touches: read and written in a statement for each table.

use std::collections::BTreeMap;

use daybook_domain::{AppointmentId, TenantId};
use uuid::Uuid;

use super::Conflicts;
use super::fold::Touched;
use super::row::{APPOINTMENTS, Judged, Standing, USES, Use, UseRow, Uses};
use crate::kit::statement;
use crate::{ApplyError, Tables};

/// The uses of those of these appointments that stand.
pub(super) async fn load(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    ids: &[AppointmentId],
) -> Result<BTreeMap<AppointmentId, Uses>, sqlx::Error> {
    let mut found: BTreeMap<AppointmentId, Uses> = BTreeMap::new();
    for row in USES.load(tables, tenant, ids.iter().map(|id| id.uuid())).await? {
        let used = Use { conflict: row.conflict, since: None };
        found.entry(row.appointment_id).or_default().insert(row.resource_id, used);
    }
    Ok(found)
}

statement!(
    /// Served by the primary key.
    FORGET_USES: Conflicts =
        "DELETE FROM {schema}.uses WHERE tenant_id = $1 AND appointment_id = ANY($2)"
);

statement!(
    /// Served by the primary key.
    FORGET_APPOINTMENTS: Conflicts =
        "DELETE FROM {schema}.appointments WHERE tenant_id = $1 AND appointment_id = ANY($2)"
);

/// Makes the rows of these appointments what they are now. Those that were there `before` may have
/// some; the others have none.
pub(super) async fn save(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    before: &[AppointmentId],
    touched: Touched,
) -> Result<(), ApplyError> {
    let before: Vec<Uuid> = before.iter().map(|id| id.uuid()).collect();
    if !before.is_empty() {
        for forget in [&FORGET_USES, &FORGET_APPOINTMENTS] {
            let forget = tables.sql(forget);
            let query = sqlx::query(&forget).bind(tenant.as_str()).bind(&before);
            query.execute(tables.connection()).await?;
        }
    }
    let judged: Vec<Judged> = touched.into_values().flatten().collect();
    let uses: Vec<UseRow> = judged.iter().flat_map(Judged::use_rows).collect();
    let standing: Vec<Standing> = judged.into_iter().map(|judged| judged.standing).collect();
    APPOINTMENTS.insert(tables, tenant, &standing).await?;
    USES.insert(tables, tenant, &uses).await
}
