//! The appointments that a batch touches: read and written in a statement for each table.

use std::collections::BTreeMap;

use daybook_domain::{AppointmentId, TenantId};
use uuid::Uuid;

use super::Conflicts;
use super::fold::Touched;
use super::row::{APPOINTMENTS, Standing, USES, Use, UseRow};
use crate::kit::statement;
use crate::{ApplyError, Tables};

/// Those of these appointments that stand.
pub(super) async fn load(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    ids: &[AppointmentId],
) -> Result<BTreeMap<AppointmentId, Standing>, sqlx::Error> {
    let ids = ids.iter().map(|id| id.uuid());
    let rows = APPOINTMENTS.load(tables, tenant, ids.clone()).await?;
    let mut found: BTreeMap<_, _> = rows.into_iter().map(|row| (row.appointment_id, row)).collect();
    for used in USES.load(tables, tenant, ids).await? {
        if let Some(standing) = found.get_mut(&used.appointment_id) {
            let it = Use { conflict: used.conflict, since: None };
            standing.uses.insert(used.resource_id, it);
        }
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
    let standing: Vec<Standing> = touched.into_values().flatten().collect();
    let uses: Vec<UseRow> = standing.iter().flat_map(Standing::use_rows).collect();
    APPOINTMENTS.insert(tables, tenant, &standing).await?;
    Ok(USES.insert(tables, tenant, &uses).await?)
}
