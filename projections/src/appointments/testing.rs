//! Rows for tests.

use daybook_domain::TenantId;
use sqlx::PgPool;

pub(crate) use super::version::{AppointmentVersion, Outcome, Placed, Until};
use super::{Appointments, write};
use crate::{Schema, Tables};

/// Writes versions, with all that is kept beside them.
pub(crate) async fn insert(pool: &PgPool, tenant: &TenantId, versions: &[AppointmentVersion]) {
    let mut tx = pool.begin().await.unwrap();
    let live = Schema::of(Appointments::ID);
    write(&mut Tables::new(&mut tx, &live), tenant, &[], versions.to_vec()).await.unwrap();
    tx.commit().await.unwrap();
}
