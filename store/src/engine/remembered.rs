//! What is claimed of the resources that are asked about, in memory: read from the table once, and from
//! then on followed by the log.
//!
//! Whoever asks says where the log ends, and is shown nothing older: what was acknowledged before is
//! seen, whichever program did it. Where following would take longer than looking, nothing is
//! remembered, and the table is looked at.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use daybook_domain::claim::{Claim, ClaimIndex};
use daybook_domain::time::Interval;
use daybook_domain::{AppointmentId, ResourceId, TenantId};
use moka::future::Cache;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, Row as _};
use tokio::sync::Mutex;
use tokio::time::Instant;
use uuid::Uuid;

use super::ExecuteError;
use crate::log::{Log, Position, RecordedEvent, overlapping_claims};

/// Of how many tenants claims are remembered, and for how long before they are read anew: whatever may have
/// been done to the database behind the log, what is wrong here does not stay.
const TENANTS: u64 = 32;
const KEPT: Duration = Duration::from_mins(10);

/// How many claims are remembered of a tenant.
const MAX_CLAIMS: usize = 50_000;

/// How many events a look follows; where there are more, it looks at the table.
const MAX_BEHIND: u64 = 200;

/// How long a tenant with more claims than that, or more events, is not tried again.
const REST: Duration = Duration::from_secs(5);

/// From how long ago on claims are remembered. A day may begin so long before now in any zone, and
/// buffers are up to a day.
const PAST: TimeDelta = TimeDelta::days(3);

/// One statement, and so one moment: the claims are those after the event at `position`.
const LOAD: &str = concat!(
    "SELECT h.position, c.*
       FROM log_heads h
       LEFT JOIN LATERAL (
            SELECT c.resource_id, c.appointment_id, c.seat, lower(c.during) AS start_at,
                   upper(c.during) AS end_at, c.expires_at
              FROM unnest($2::uuid[]) AS w (resource_id)
             CROSS JOIN LATERAL ",
    overlapping_claims!(resource: "w.resource_id", during: "tstzrange($3, NULL)"),
    " AS c
             LIMIT $4) AS c ON true
      WHERE h.tenant_id = $1"
);

struct Row {
    position: i64,
    resource_id: Option<Uuid>,
    appointment_id: Option<Uuid>,
    seat: Option<i16>,
    start_at: Option<DateTime<Utc>>,
    end_at: Option<DateTime<Utc>>,
    expires_at: Option<DateTime<Utc>>,
}

impl FromRow<'_, PgRow> for Row {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            position: row.try_get("position")?,
            resource_id: row.try_get("resource_id")?,
            appointment_id: row.try_get("appointment_id")?,
            seat: row.try_get("seat")?,
            start_at: row.try_get("start_at")?,
            end_at: row.try_get("end_at")?,
            expires_at: row.try_get("expires_at")?,
        })
    }
}

impl Row {
    fn claim(&self) -> Option<(AppointmentId, Claim)> {
        let claim = Claim {
            resource: self.resource_id?.into(),
            seat: self.seat?.cast_unsigned(),
            during: Interval::new(self.start_at?, self.end_at?).ok()?,
            expires_at: self.expires_at,
        };
        Some((self.appointment_id?.into(), claim))
    }
}

pub(super) struct Remembered(Cache<TenantId, Arc<Mutex<Followed>>>);

/// What is remembered of a tenant.
#[derive(Default)]
struct Followed {
    /// All that is claimed of these, from `since` on, and how many of the seats of each are known of.
    resources: HashMap<ResourceId, u16>,
    claims: ClaimIndex,
    count: usize,
    since: DateTime<Utc>,
    /// After the event at this position.
    at: Position,
    /// Until then the table is looked at.
    rests: Option<Instant>,
}

/// Nothing can be remembered: the table says it.
struct Forget;

impl Default for Remembered {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(TENANTS).time_to_live(KEPT).build())
    }
}

impl Remembered {
    /// For each of the resources in turn: what is claimed of it during that time, without what has
    /// lapsed at `now`; after the event at `head`, or later. `None`: it is not remembered.
    pub(super) async fn claims(
        &self,
        log: &Log,
        tenant: &TenantId,
        resources: &[ResourceId],
        (during, now, head): (Interval, DateTime<Utc>, Position),
    ) -> Result<Option<Vec<Vec<Claim>>>, ExecuteError> {
        let followed = self.0.get_with(tenant.clone(), async { Arc::default() }).await;
        let mut followed = followed.lock().await;
        if followed.rests.is_some_and(|until| Instant::now() < until) {
            return Ok(None);
        }
        match followed.bring_up(log, tenant, resources, head, now).await {
            Ok(Ok(())) if followed.since <= during.start() => {}
            Ok(Ok(())) => return Ok(None),
            Ok(Err(Forget)) => {
                let rests = Some(Instant::now() + REST);
                *followed = Followed { rests, ..Followed::default() };
                return Ok(None);
            }
            Err(error) => return Err(ExecuteError::Unavailable(error.to_string())),
        }
        let of = |resource: &ResourceId| {
            let seats = followed.resources.get(resource).copied().unwrap_or_default();
            let claims = followed.claims.of(*resource, seats, during);
            claims.filter(|claim| !claim.has_lapsed(now)).collect()
        };
        Ok(Some(resources.iter().map(of).collect()))
    }
}

impl Followed {
    /// Knows these resources, and all events up to `head`.
    async fn bring_up(
        &mut self,
        log: &Log,
        tenant: &TenantId,
        resources: &[ResourceId],
        head: Position,
        now: DateTime<Utc>,
    ) -> Result<Result<(), Forget>, sqlx::Error> {
        let unknown = resources.iter().filter(|id| !self.resources.contains_key(id));
        let unknown: Vec<ResourceId> = unknown.copied().collect();
        if !unknown.is_empty() {
            let loaded = self.load(log, tenant, unknown, now).await?;
            if loaded.is_err() {
                return Ok(loaded);
            }
        }
        self.follow(log, tenant, head).await
    }

    async fn load(
        &mut self,
        log: &Log,
        tenant: &TenantId,
        unknown: Vec<ResourceId>,
        now: DateTime<Utc>,
    ) -> Result<Result<(), Forget>, sqlx::Error> {
        if self.resources.is_empty() {
            self.since = now - PAST;
        }
        let room = MAX_CLAIMS - self.count.min(MAX_CLAIMS);
        let rows: Vec<Row> = sqlx::query_as(LOAD)
            .bind(tenant.as_str())
            .bind(unknown.iter().map(|id| id.uuid()).collect::<Vec<_>>())
            .bind(self.since)
            .bind(i64::try_from(room).unwrap_or(i64::MAX).saturating_add(1))
            .fetch_all(log.lookers())
            .await?;
        let Some(first) = rows.first().filter(|_| rows.len() <= room) else {
            return Ok(Err(Forget));
        };
        let at = Position::from_i64(first.position);
        if self.resources.is_empty() {
            self.at = at;
        } else if let Err(forget) = self.follow(log, tenant, at).await? {
            return Ok(Err(forget));
        }
        // What was read is from before the events that are known by now.
        if self.at > at {
            return Ok(Err(Forget));
        }
        self.resources.extend(unknown.into_iter().map(|id| (id, 0)));
        for (holder, claim) in rows.iter().filter_map(Row::claim) {
            self.knows_seat(&claim);
            self.claims.restore(holder, vec![claim]);
            self.count += 1;
        }
        Ok(Ok(()))
    }

    /// Whether the claim is on one of the resources; if so, its seat is known of from now on.
    fn knows_seat(&mut self, claim: &Claim) -> bool {
        let Some(seats) = self.resources.get_mut(&claim.resource) else { return false };
        *seats = (*seats).max(claim.seat.saturating_add(1));
        true
    }

    /// Takes note of the events up to a position.
    async fn follow(
        &mut self,
        log: &Log,
        tenant: &TenantId,
        to: Position,
    ) -> Result<Result<(), Forget>, sqlx::Error> {
        let behind = to.get().saturating_sub(self.at.get());
        if behind == 0 {
            return Ok(Ok(()));
        }
        let Some(limit) = u32::try_from(behind).ok().filter(|_| behind <= MAX_BEHIND) else {
            return Ok(Err(Forget));
        };
        let events = log.read(tenant, self.at, limit).await?;
        let noted = events.into_iter().all(|event| event.is_ok_and(|event| self.note(&event)));
        let up_to_date = noted && self.at >= to && self.count <= MAX_CLAIMS;
        Ok(if up_to_date { Ok(()) } else { Err(Forget) })
    }

    /// Whether it fits what is known.
    fn note(&mut self, event: &RecordedEvent) -> bool {
        self.at = event.position;
        let holder = event.event.aggregate_id().into();
        let Some(mut claims) = event.event.claims_after() else { return true };
        claims.retain(|claim| claim.during.end() > self.since && self.knows_seat(claim));
        self.count += claims.len();
        self.count -= self.claims.claims_of(holder).len().min(self.count);
        self.claims.replace(holder, claims, event.recorded_at).is_ok()
    }
}
