//! A cache of what is claimed of the resources that are asked about: read from the table once, and from
//! then on kept up to date by the log's events.
//!
//! Whoever asks says where the log ends, and is shown nothing older: what was acknowledged before is
//! seen, whichever program did it. Where catching up would take longer than reading the table, nothing is
//! cached, and the table is read.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use daybook_domain::claim::{Claim, ClaimIndex};
use daybook_domain::time::Interval;
use daybook_domain::{AppointmentId, ResourceId, TenantId};
use moka::sync::Cache;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, Row as _};
use tokio::sync::Mutex;
use tokio::time::Instant;
use uuid::Uuid;

use super::ExecuteError;
use crate::log::{Log, Position, RecordedEvent, overlapping_claims};

/// Of how many tenants claims are cached, and for how long before they are read anew: whatever may have
/// been done to the database behind the log, what is wrong here does not stay.
const TENANTS: u64 = 32;
const TTL: Duration = Duration::from_mins(10);

/// How many claims are cached of a tenant.
const MAX_CLAIMS: usize = 50_000;

/// How many events are caught up with; where there are more, the table is read.
const MAX_LAG: u64 = 200;

/// How long a tenant with more claims than that, or more events, is not cached again.
const BYPASS: Duration = Duration::from_secs(5);

/// From how long ago on claims are cached. A day may begin so long before now in any zone, and
/// buffers are up to a day.
const LOOKBACK: TimeDelta = TimeDelta::days(3);

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

/// What a caller wants to know.
#[derive(Clone, Copy)]
pub(super) struct ClaimsRequest<'a> {
    pub(super) resources: &'a [ResourceId],
    pub(super) during: Interval,
    /// What has lapsed by then is left out.
    pub(super) now: DateTime<Utc>,
    /// The answer is as of this position, or later.
    pub(super) head: Position,
}

pub(super) struct ClaimsCache(Cache<TenantId, Arc<Mutex<TenantClaims>>>);

/// What is cached of a tenant.
#[derive(Default)]
struct TenantClaims {
    /// All that is claimed of these, from `since` on, and how many of the seats of each are known.
    resources: HashMap<ResourceId, u16>,
    claims: ClaimIndex,
    count: usize,
    since: DateTime<Utc>,
    /// After the event at this position.
    position: Position,
    /// Until then the table is read.
    bypassed_until: Option<Instant>,
}

/// Too much to cache, or too far behind: the table says it.
struct Uncacheable;

impl Default for ClaimsCache {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(TENANTS).time_to_live(TTL).build())
    }
}

impl ClaimsCache {
    /// For each of the resources in turn: what is claimed of it during that time, without what has
    /// lapsed at `now`; after the event at `head`, or later. `None`: it is not cached.
    pub(super) async fn claims(
        &self,
        log: &Log,
        tenant: &TenantId,
        request: ClaimsRequest<'_>,
    ) -> Result<Option<Vec<Vec<Claim>>>, ExecuteError> {
        let ClaimsRequest { resources, during, now, .. } = request;
        let cached = self.0.get_with(tenant.clone(), Arc::default);
        let mut cached = cached.lock().await;
        if cached.bypassed_until.is_some_and(|until| Instant::now() < until) {
            return Ok(None);
        }
        match cached.catch_up(log, tenant, request).await {
            Ok(Ok(())) if cached.since <= during.start() => {}
            Ok(Ok(())) => return Ok(None),
            Ok(Err(Uncacheable)) => {
                let bypassed_until = Some(Instant::now() + BYPASS);
                *cached = TenantClaims { bypassed_until, ..TenantClaims::default() };
                return Ok(None);
            }
            Err(error) => return Err(ExecuteError::Unavailable(error.to_string())),
        }
        let of = |resource: &ResourceId| {
            let seats = cached.resources.get(resource).copied().unwrap_or_default();
            let claims = cached.claims.of(*resource, seats, during);
            claims.filter(|claim| !claim.has_lapsed(now)).collect()
        };
        Ok(Some(resources.iter().map(of).collect()))
    }
}

impl TenantClaims {
    /// Knows these resources, and all events up to `head`.
    async fn catch_up(
        &mut self,
        log: &Log,
        tenant: &TenantId,
        request: ClaimsRequest<'_>,
    ) -> Result<Result<(), Uncacheable>, sqlx::Error> {
        let ClaimsRequest { resources, now, head, .. } = request;
        let missing = resources.iter().filter(|id| !self.resources.contains_key(id));
        let missing: Vec<ResourceId> = missing.copied().collect();
        if !missing.is_empty() {
            let loaded = self.load(log, tenant, missing, now).await?;
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
        missing: Vec<ResourceId>,
        now: DateTime<Utc>,
    ) -> Result<Result<(), Uncacheable>, sqlx::Error> {
        if self.resources.is_empty() {
            self.since = now - LOOKBACK;
        }
        let room = MAX_CLAIMS - self.count.min(MAX_CLAIMS);
        let rows: Vec<Row> = sqlx::query_as(LOAD)
            .bind(tenant.as_str())
            .bind(missing.iter().map(|id| id.uuid()).collect::<Vec<_>>())
            .bind(self.since)
            .bind(i64::try_from(room).unwrap_or(i64::MAX).saturating_add(1))
            .fetch_all(log.claims_pool())
            .await?;
        let Some(first) = rows.first().filter(|_| rows.len() <= room) else {
            return Ok(Err(Uncacheable));
        };
        let at = Position::from_i64(first.position);
        if self.resources.is_empty() {
            self.position = at;
        } else if let Err(uncacheable) = self.follow(log, tenant, at).await? {
            return Ok(Err(uncacheable));
        }
        // What was read is from before the events that are known by now.
        if self.position > at {
            return Ok(Err(Uncacheable));
        }
        self.resources.extend(missing.into_iter().map(|id| (id, 0)));
        for (holder, claim) in rows.iter().filter_map(Row::claim) {
            self.track_seat(&claim);
            self.claims.restore(holder, vec![claim]);
            self.count += 1;
        }
        Ok(Ok(()))
    }

    /// Whether the claim is on one of the resources; if so, its seat is known of from now on.
    fn track_seat(&mut self, claim: &Claim) -> bool {
        let Some(seats) = self.resources.get_mut(&claim.resource) else { return false };
        *seats = (*seats).max(claim.seat.saturating_add(1));
        true
    }

    /// Applies the events up to a position.
    async fn follow(
        &mut self,
        log: &Log,
        tenant: &TenantId,
        to: Position,
    ) -> Result<Result<(), Uncacheable>, sqlx::Error> {
        let lag = to.get().saturating_sub(self.position.get());
        if lag == 0 {
            return Ok(Ok(()));
        }
        let Some(limit) = u32::try_from(lag).ok().filter(|_| lag <= MAX_LAG) else {
            return Ok(Err(Uncacheable));
        };
        let events = log.read(tenant, self.position, limit).await?;
        let applied = events.into_iter().all(|event| event.is_ok_and(|event| self.apply(&event)));
        let up_to_date = applied && self.position >= to && self.count <= MAX_CLAIMS;
        Ok(if up_to_date { Ok(()) } else { Err(Uncacheable) })
    }

    /// Whether it fits what is known.
    fn apply(&mut self, event: &RecordedEvent) -> bool {
        self.position = event.position;
        let holder = event.event.aggregate_id().into();
        let Some(mut claims) = event.event.claims_after() else { return true };
        claims.retain(|claim| claim.during.end() > self.since && self.track_seat(claim));
        self.count += claims.len();
        self.count -= self.claims.claims_of(holder).len().min(self.count);
        self.claims.replace(holder, claims, event.recorded_at).is_ok()
    }
}
