//! What a search for free time needs, as the log has it now: services, resources and claims from memory, and
//! one query that says whether they are up to date.

use std::ops::Bound;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use daybook_domain::availability::Calendar;
use daybook_domain::claim::Claim;
use daybook_domain::service::Service;
use daybook_domain::time::Interval;
use daybook_domain::{Directory, ResourceId, ServiceId, TenantId};
use futures::future::BoxFuture;
use sqlx::postgres::PgRow;
use sqlx::postgres::types::PgRange;
use sqlx::{FromRow, Row as _};
use uuid::Uuid;

use super::claims_cache::ClaimsRequest;
use super::{Engine, ExecuteError};
use crate::log::{Position, StreamId, overlapping_claims};

/// How often a snapshot is tried: a service or a resource may change meanwhile.
const MAX_ATTEMPTS: u32 = 4;

/// A service and the resources of a tenant.
#[derive(Debug, Clone)]
pub struct Catalogue {
    /// The service that was asked for; undefined, if there is none or none was.
    pub service: Arc<Service>,
    /// Every active resource.
    pub directory: Arc<Directory>,
    pub(super) service_version: u64,
    pub(super) resources_at: Position,
}

/// What a snapshot is asked for.
#[derive(Debug, Clone)]
pub struct AvailabilityQuery<T> {
    /// Of which resources.
    pub resources: Vec<ResourceId>,
    /// In which time.
    pub during: Interval,
    /// How many claims there may be, of all resources: where there are more, it is too broad.
    pub max_claims: usize,
    /// What for; it is handed back.
    pub purpose: T,
}

/// Catalogue and claims, all as of the moment it was asked for, or later.
#[derive(Debug, Clone)]
pub struct AvailabilitySnapshot<T> {
    /// The service and the resources.
    pub catalogue: Catalogue,
    /// What was asked for.
    pub query: AvailabilityQuery<T>,
    /// For each of the resources in turn: what is claimed of it, without what has lapsed. Until when
    /// holds last is not read.
    pub claims: Vec<Vec<Claim>>,
    /// When it was asked for.
    pub now: DateTime<Utc>,
    /// Of which position of the log it is, or of a later one.
    pub position: Position,
}

impl<T> AvailabilitySnapshot<T> {
    /// The calendars of the resources that were asked for.
    #[must_use]
    pub fn calendars(&self) -> Vec<Calendar<'_>> {
        let directory = &self.catalogue.directory;
        let each = self.query.resources.iter().zip(&self.claims);
        let each = each.filter_map(|(id, claims)| Some((*id, directory.get(*id)?, claims)));
        each.map(|(resource, profile, claims)| Calendar {
            resource,
            zone: profile.time_zone,
            hours: &profile.opening_hours,
            places: profile.capacity.places(),
            claims,
        })
        .collect()
    }
}

/// The head from the primary key of `log_heads`, the service's version from that of `events`, that of the
/// directory from `events_of_resources`; the collation as in [`overlapping_claims`].
pub(super) const VERSIONS: &str = "
    SELECT (SELECT position FROM log_heads WHERE tenant_id = $1),
           (SELECT max(position) FROM events
             WHERE tenant_id = $1 COLLATE \"C\" AND aggregate_type = 'resource'),
           (SELECT max(sequence) FROM events
             WHERE aggregate_type = 'service' AND aggregate_id = $2 AND tenant_id = $1)";

/// Resource by resource, and no more than so many.
pub(super) const CLAIMS_BY_RESOURCE: &str = concat!(
    "SELECT n, array_agg(seat) AS seats, array_agg(during) AS times
       FROM (SELECT w.n, c.seat, c.during
               FROM unnest($2::uuid[]) WITH ORDINALITY AS w (resource_id, n)
              CROSS JOIN LATERAL ",
    overlapping_claims!(resource: "w.resource_id", during: "tstzrange($3, $4)"),
    " AS c
              WHERE c.expires_at IS NULL OR c.expires_at > $5
              LIMIT $6) AS claimed
      GROUP BY n"
);

/// A resource's claims, a column each.
struct Row {
    n: i64,
    seats: Option<Vec<i16>>,
    times: Option<Vec<PgRange<DateTime<Utc>>>>,
}

impl FromRow<'_, PgRow> for Row {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            n: row.try_get("n")?,
            seats: row.try_get("seats")?,
            times: row.try_get("times")?,
        })
    }
}

impl Engine {
    /// What is claimed, of the resources that `choose` picks from the catalogue. It may be asked again with a
    /// later one: so it refuses nothing that was mended just before.
    ///
    /// # Errors
    /// What `choose` refuses, or when the log cannot be read.
    pub async fn availability_snapshot<T, E: From<ExecuteError>>(
        &self,
        tenant: &TenantId,
        service: Option<ServiceId>,
        choose: impl Fn(&Catalogue, DateTime<Utc>) -> Result<AvailabilityQuery<T>, E>,
    ) -> Result<AvailabilitySnapshot<T>, E> {
        self.availability_snapshot_as_of(tenant, service, None, choose).await
    }

    /// The same with an eye on the clock as it was at `now`: a hold that has lapsed since is still in
    /// the way. `None`: as it is.
    ///
    /// # Errors
    /// As [`availability_snapshot`](Self::availability_snapshot).
    pub async fn availability_snapshot_as_of<T, E: From<ExecuteError>>(
        &self,
        tenant: &TenantId,
        service: Option<ServiceId>,
        now: Option<DateTime<Utc>>,
        choose: impl Fn(&Catalogue, DateTime<Utc>) -> Result<AvailabilityQuery<T>, E>,
    ) -> Result<AvailabilitySnapshot<T>, E> {
        for attempt in 0..MAX_ATTEMPTS {
            let fresh = attempt > 0;
            let now = now.unwrap_or_else(|| self.clock.now());
            let catalogue = self.catalogue(tenant, service, fresh).await?;
            let query = match choose(&catalogue, now) {
                Err(_) if !fresh => continue,
                chosen => chosen?,
            };
            let versions = self.versions(tenant, service).await?;
            if versions.are_of(&catalogue) {
                let position = versions.head;
                let AvailabilityQuery { ref resources, during, max_claims, .. } = query;
                let request = ClaimsRequest { resources, during, now, head: position };
                let claims = self.claims(tenant, request, max_claims).await?;
                return Ok(AvailabilitySnapshot { catalogue, query, claims, now, position });
            }
        }
        Err(ExecuteError::Contended.into())
    }

    pub(super) fn catalogue<'a>(
        &'a self,
        tenant: &'a TenantId,
        service: Option<ServiceId>,
        fresh: bool,
    ) -> BoxFuture<'a, Result<Catalogue, ExecuteError>> {
        Box::pin(async move {
            let (directory, resources_at) = self.directories.of(&self.log, tenant, fresh).await?;
            let (mut state, mut versions) = (Arc::default(), Vec::new());
            if let Some(id) = service {
                state = self.fact::<Service>(tenant, id.uuid(), fresh, &mut versions).await?;
            }
            let service_version = versions.first().map_or(0, |(_, version)| *version);
            Ok(Catalogue { service: state, directory, service_version, resources_at })
        })
    }

    fn versions<'a>(
        &'a self,
        tenant: &'a TenantId,
        service: Option<ServiceId>,
    ) -> BoxFuture<'a, Result<Versions, ExecuteError>> {
        Box::pin(async move {
            let service = service.map(|id| StreamId::of::<Service>(tenant, id.uuid()));
            let row: Result<(Option<i64>, Option<i64>, Option<i64>), _> = sqlx::query_as(VERSIONS)
                .bind(tenant.as_str())
                .bind(service.as_ref().map(StreamId::id))
                .fetch_one(self.log.claims_pool())
                .await;
            let (head, resources_at, service) = row.map_err(unavailable)?;
            Ok(Versions {
                head: Position::from_i64(head.unwrap_or_default()),
                resources_at: Position::from_i64(resources_at.unwrap_or_default()),
                service: service.unwrap_or_default().cast_unsigned(),
            })
        })
    }

    /// What is claimed of the resources, after the event at `head` or later: from memory, or else from the
    /// table.
    fn claims<'a>(
        &'a self,
        tenant: &'a TenantId,
        request: ClaimsRequest<'a>,
        max_claims: usize,
    ) -> BoxFuture<'a, Result<Vec<Vec<Claim>>, ExecuteError>> {
        Box::pin(async move {
            if let Some(claims) = self.claims_cache.claims(&self.log, tenant, request).await? {
                return few_enough(claims, max_claims);
            }
            let ClaimsRequest { resources, during, now, .. } = request;
            let one_more = i64::try_from(max_claims).unwrap_or(i64::MAX).saturating_add(1);
            let rows: Vec<Row> = sqlx::query_as(CLAIMS_BY_RESOURCE)
                .bind(tenant.as_str())
                .bind(resources.iter().map(|id| id.uuid()).collect::<Vec<Uuid>>())
                .bind(during.start())
                .bind(during.end())
                .bind(now)
                .bind(one_more)
                .fetch_all(self.log.claims_pool())
                .await
                .map_err(unavailable)?;
            few_enough(claims(rows, resources)?, max_claims)
        })
    }
}

fn few_enough(claims: Vec<Vec<Claim>>, max_claims: usize) -> Result<Vec<Vec<Claim>>, ExecuteError> {
    let count: usize = claims.iter().map(Vec::len).sum();
    if count > max_claims { Err(ExecuteError::TooBroad { max_claims }) } else { Ok(claims) }
}

/// What a snapshot must be at least as new as.
struct Versions {
    head: Position,
    resources_at: Position,
    service: u64,
}

impl Versions {
    /// Whether the catalogue is what the log had.
    fn are_of(&self, catalogue: &Catalogue) -> bool {
        self.resources_at <= catalogue.resources_at && self.service <= catalogue.service_version
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` gives")]
pub(super) fn unavailable(error: sqlx::Error) -> ExecuteError {
    ExecuteError::Unavailable(error.to_string())
}

fn claims(rows: Vec<Row>, resources: &[ResourceId]) -> Result<Vec<Vec<Claim>>, ExecuteError> {
    let mut all = vec![Vec::new(); resources.len()];
    for row in rows {
        // Counted from one.
        let place = usize::try_from(row.n - 1).ok();
        let Some((place, seats)) = place.zip(row.seats) else { continue };
        let resource = resources[place];
        let each = seats.into_iter().zip(row.times.unwrap_or_default());
        let claim = |(seat, during): (i16, PgRange<_>)| {
            let (seat, during) = (seat.cast_unsigned(), interval(&during)?);
            Ok(Claim { resource, seat, during, expires_at: None })
        };
        all[place] = each.map(claim).collect::<Result<_, ExecuteError>>()?;
    }
    Ok(all)
}

/// The table has none but `[start, end)`.
fn interval(range: &PgRange<DateTime<Utc>>) -> Result<Interval, ExecuteError> {
    let unreadable = || ExecuteError::Unreadable(format!("a claim for {range:?}"));
    let (Bound::Included(start), Bound::Excluded(end)) = (range.start, range.end) else {
        return Err(unreadable());
    };
    Interval::new(start, end).map_err(|_| unreadable())
}
