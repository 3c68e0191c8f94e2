//! Rows for tests.

use daybook_domain::TenantId;
use sqlx::PgPool;

pub(crate) use super::version::{AppointmentVersion, Outcome, Placed, Until};
use super::{Appointments, write};
use crate::search::tokens::TitleTokens;
use crate::{Schema, Tables};

/// What stands for the words of personal titles, which tests have open.
pub(crate) fn tokens() -> TitleTokens {
    TitleTokens::by(1)
}

/// Writes versions, with all that is kept beside them.
pub(crate) async fn insert(pool: &PgPool, tenant: &TenantId, versions: &[AppointmentVersion]) {
    let mut tx = pool.begin().await.unwrap();
    let live = Schema::of(Appointments::ID);
    write(
        &mut Tables::new(&mut tx, &live),
        tenant,
        &[],
        versions.iter().map(with_tokens).collect(),
    )
    .await
    .unwrap();
    tx.commit().await.unwrap();
}

fn with_tokens(version: &AppointmentVersion) -> (AppointmentVersion, Vec<i64>) {
    let title = &version.appointment.title;
    let personal = title.reveal().filter(|_| title.is_personal());
    (version.clone(), personal.map(|title| tokens().all(title)).unwrap_or_default())
}
