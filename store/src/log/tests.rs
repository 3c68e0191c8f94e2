//! The log against a real PostgreSQL.

mod areas;
mod claims;
mod keys;
mod order;
mod reading;

use daybook_domain::TenantId;
use daybook_domain::appointment::AppointmentEvent;
use futures::future::join_all;
use uuid::Uuid;

use super::*;
use crate::testing::{end_of_whole, submission};

/// A new appointment, appended.
pub(in crate::log) async fn append(
    log: &Log,
    tenant: &TenantId,
    event: &AppointmentEvent,
) -> (Uuid, Verdict) {
    let id = Uuid::now_v7();
    (id, log.append(submission(tenant, id, 0, event)).await.unwrap())
}

/// Several at once; most of them end up in one batch.
pub(in crate::log) async fn append_at_once(
    log: &Log,
    submissions: impl IntoIterator<Item = Submission>,
) -> Vec<Result<Verdict, AppendError>> {
    join_all(submissions.into_iter().map(|submission| log.append(submission))).await
}
