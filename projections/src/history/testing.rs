//! Rows for tests.

use daybook_domain::TenantId;
use sqlx::PgPool;

pub(crate) use super::version::{AppointmentVersion, Placed, Until};
use super::{History, listing, standing, write};
use crate::{Schema, Tables};

/// Writes rows, with all that is kept beside them.
pub(crate) async fn insert(pool: &PgPool, tenant: &TenantId, rows: &[AppointmentVersion]) {
    let mut tx = pool.begin().await.unwrap();
    let live = Schema::of(History::ID);
    let mut tables = Tables::new(&mut tx, &live);
    write::insert(&mut tables, tenant, rows).await.unwrap();
    listing::insert(&mut tables, tenant, rows).await.unwrap();
    standing::add(&mut tables, tenant, rows, &[]).await.unwrap();
    tx.commit().await.unwrap();
}
