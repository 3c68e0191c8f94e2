//! What is claimed, for decisions that have something to choose.
//!
//! A look at what is committed, outside of the log's lock. What a decision chooses by it is proved
//! when it is appended; this only has to be right most of the time.

use chrono::{DateTime, Utc};
use daybook_domain::claim::{Claim, ClaimQuery, ClaimSnapshot, Claimed};
use daybook_domain::time::Interval;
use daybook_domain::{AppointmentId, TenantId};
use futures::future::BoxFuture;
use uuid::Uuid;

use super::availability::unavailable;
use super::{Engine, ExecuteError};
use crate::log::overlapping_claims;

/// Holder, resource, seat, start, end, expiry.
type ClaimRow = (Uuid, Uuid, i16, DateTime<Utc>, DateTime<Utc>, Option<DateTime<Utc>>);

pub(super) const CLAIM_QUERY: &str = concat!(
    "SELECT c.appointment_id, c.resource_id, c.seat,
            lower(c.during), upper(c.during), c.expires_at
       FROM unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[])
            AS w (resource_id, starts_at, ends_at)
      CROSS JOIN LATERAL ",
    overlapping_claims!(resource: "w.resource_id", during: "tstzrange(w.starts_at, w.ends_at)"),
    " AS c
      WHERE c.appointment_id <> $5"
);

impl Engine {
    /// What others than this appointment have claimed of a resource in some time: whether it could be booked
    /// then, as far as can be seen.
    ///
    /// # Errors
    /// When the claims cannot be read.
    #[must_use]
    pub fn claims_of_others<'a>(
        &'a self,
        tenant: &'a TenantId,
        query: ClaimQuery,
        own: AppointmentId,
    ) -> BoxFuture<'a, Result<ClaimSnapshot, ExecuteError>> {
        Box::pin(
            async move { self.load_claims(tenant, &[query], own.uuid(), self.clock.now()).await },
        )
    }

    /// What is claimed where a decision looks, but for what its own appointment claims.
    pub(super) async fn load_claims(
        &self,
        tenant: &TenantId,
        queries: &[ClaimQuery],
        own: Uuid,
        now: DateTime<Utc>,
    ) -> Result<ClaimSnapshot, ExecuteError> {
        let mut rows: Vec<ClaimRow> = sqlx::query_as(CLAIM_QUERY)
            .bind(tenant.as_str())
            .bind(queries.iter().map(|query| query.resource.uuid()).collect::<Vec<_>>())
            .bind(queries.iter().map(|query| query.during.start()).collect::<Vec<_>>())
            .bind(queries.iter().map(|query| query.during.end()).collect::<Vec<_>>())
            .bind(own)
            .fetch_all(self.log.claims_pool())
            .await
            .map_err(unavailable)?;
        // Two queries at different times may see the same claim.
        rows.sort_unstable();
        rows.dedup();
        let claims =
            rows.into_iter().map(claimed).collect::<Result<Vec<_>, _>>().map_err(unavailable)?;
        Ok(ClaimSnapshot::at(now, claims))
    }
}

fn claimed(row: ClaimRow) -> Result<Claimed, sqlx::Error> {
    let (holder, resource, seat, start, end, expires_at) = row;
    let during = Interval::new(start, end).map_err(|error| sqlx::Error::Decode(error.into()))?;
    let (resource, seat) = (resource.into(), seat.cast_unsigned());
    let claim = Claim { resource, seat, during, expires_at };
    Ok(Claimed { claim, holder: AppointmentId::from(holder) })
}
