//! What whoever looks for free time needs to know, as the log has it now: services and resources from
//! memory, claims from their table, in one query that also tells whether memory is up to date.

use std::ops::Bound;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use daybook_domain::availability::Calendar;
use daybook_domain::claim::Claim;
use daybook_domain::service::Service;
use daybook_domain::time::Interval;
use daybook_domain::{Directory, ResourceId, ServiceId, TenantId};
use sqlx::FromRow;
use sqlx::postgres::types::PgRange;
use uuid::Uuid;

use super::{Engine, ExecuteError};
use crate::log::{Position, StreamId};

/// How often it is looked again because a service or a resource has changed meanwhile.
const MAX_LOOKS: u32 = 4;

/// A service and the resources of a tenant.
#[derive(Debug, Clone)]
pub struct Catalogue {
    /// The service that was asked for; undefined, if there is none or none was.
    pub service: Arc<Service>,
    /// Every active resource.
    pub directory: Arc<Directory>,
    service_version: u64,
    resources_at: Position,
}

/// Where to look.
#[derive(Debug, Clone)]
pub struct Sight<T> {
    /// At which resources.
    pub resources: Vec<ResourceId>,
    /// In which time.
    pub during: Interval,
    /// What it is looked for.
    pub purpose: T,
}

/// What was seen, all of it at one moment.
#[derive(Debug, Clone)]
pub struct Seen<T> {
    /// The service and the resources.
    pub catalogue: Catalogue,
    /// Where it was looked.
    pub sight: Sight<T>,
    /// For each of the resources in turn: what is claimed of it, without what has lapsed. Until when
    /// holds last is not read.
    pub claims: Vec<Vec<Claim>>,
    /// When it was looked.
    pub now: DateTime<Utc>,
}

impl<T> Seen<T> {
    /// The calendars of the resources that were looked at.
    #[must_use]
    pub fn calendars(&self) -> Vec<Calendar<'_>> {
        let directory = &self.catalogue.directory;
        let each = self.sight.resources.iter().zip(&self.claims);
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

/// Claims from `no_double_booking`, resource by resource; the service's version from the primary key
/// of `events`, that of the directory from `events_of_resources`. Collations and `OFFSET 0` are as in
/// [`super::busy`].
pub(super) const LOOK: &str = "
    SELECT w.n, c.seats, c.times,
           (SELECT max(position) FROM events
             WHERE tenant_id = $1 COLLATE \"C\" AND aggregate_type = 'resource') AS resources_at,
           (SELECT max(sequence) FROM events
             WHERE aggregate_type = 'service' AND aggregate_id = $5 AND tenant_id = $1)
           AS service_version
      FROM unnest(array_prepend(NULL, $2::uuid[])) WITH ORDINALITY AS w (resource_id, n)
     CROSS JOIN LATERAL (
            SELECT array_agg(seat) AS seats, array_agg(during) AS times
              FROM (SELECT * FROM claims
                     WHERE tenant_id = $1 COLLATE \"C\" AND resource_id = w.resource_id
                       AND during && tstzrange($3, $4)
                       AND (expires_at IS NULL OR expires_at > $6)
                    OFFSET 0) AS claimed) AS c";

/// A resource's claims, a column each; the first row is of no resource, and has none.
#[derive(FromRow)]
struct Row {
    n: i64,
    seats: Option<Vec<i16>>,
    times: Option<Vec<PgRange<DateTime<Utc>>>>,
    resources_at: Option<i64>,
    service_version: Option<i64>,
}

impl Engine {
    /// Looks at what is claimed. Where to look follows from the catalogue, which `choose` may be asked
    /// about again with a later one: so it refuses nothing that was mended just before.
    ///
    /// # Errors
    /// What `choose` refuses, or when the log cannot be read.
    pub async fn look<T, E: From<ExecuteError>>(
        &self,
        tenant: &TenantId,
        service: Option<ServiceId>,
        choose: impl Fn(&Catalogue, DateTime<Utc>) -> Result<Sight<T>, E>,
    ) -> Result<Seen<T>, E> {
        self.look_as_of(tenant, service, None, choose).await
    }

    /// The same with an eye on the clock as it was at `now`: a hold that has lapsed since is still in
    /// the way. `None`: as it is.
    ///
    /// # Errors
    /// As [`look`](Self::look).
    pub async fn look_as_of<T, E: From<ExecuteError>>(
        &self,
        tenant: &TenantId,
        service: Option<ServiceId>,
        now: Option<DateTime<Utc>>,
        choose: impl Fn(&Catalogue, DateTime<Utc>) -> Result<Sight<T>, E>,
    ) -> Result<Seen<T>, E> {
        for attempt in 0..MAX_LOOKS {
            let fresh = attempt > 0;
            let now = now.unwrap_or_else(|| self.clock.now());
            let catalogue = self.catalogue(tenant, service, fresh).await?;
            let sight = match choose(&catalogue, now) {
                Err(_) if !fresh => continue,
                chosen => chosen?,
            };
            let (resources, during) = (&sight.resources, sight.during);
            let rows = self.rows(tenant, resources, during, service, now).await?;
            if is_of(&catalogue, &rows) {
                let claims = claims(rows, resources)?;
                return Ok(Seen { catalogue, sight, claims, now });
            }
        }
        Err(ExecuteError::Contended.into())
    }

    async fn catalogue(
        &self,
        tenant: &TenantId,
        service: Option<ServiceId>,
        fresh: bool,
    ) -> Result<Catalogue, ExecuteError> {
        let (directory, resources_at) = self.directories.of(&self.log, tenant, fresh).await?;
        let (mut state, mut versions) = (Arc::default(), Vec::new());
        if let Some(id) = service {
            state = self.fact::<Service>(tenant, id.uuid(), fresh, &mut versions).await?;
        }
        let service_version = versions.first().map_or(0, |(_, version)| *version);
        Ok(Catalogue { service: state, directory, service_version, resources_at })
    }

    async fn rows(
        &self,
        tenant: &TenantId,
        resources: &[ResourceId],
        during: Interval,
        service: Option<ServiceId>,
        now: DateTime<Utc>,
    ) -> Result<Vec<Row>, ExecuteError> {
        let service = service.map(|id| StreamId::of::<Service>(tenant, id.uuid()));
        let rows = sqlx::query_as(LOOK)
            .bind(tenant.as_str())
            .bind(resources.iter().map(|id| id.uuid()).collect::<Vec<Uuid>>())
            .bind(during.start())
            .bind(during.end())
            .bind(service.as_ref().map(StreamId::id))
            .bind(now)
            .fetch_all(self.log.lookers());
        rows.await.map_err(|error| ExecuteError::Unavailable(error.to_string()))
    }
}

/// Whether the catalogue is what the log had when the claims were read.
fn is_of(catalogue: &Catalogue, rows: &[Row]) -> bool {
    rows.first().is_some_and(|row| {
        row.resources_at.unwrap_or_default() <= catalogue.resources_at.as_i64()
            && row.service_version.unwrap_or_default().cast_unsigned() <= catalogue.service_version
    })
}

fn claims(rows: Vec<Row>, resources: &[ResourceId]) -> Result<Vec<Vec<Claim>>, ExecuteError> {
    let mut all = vec![Vec::new(); resources.len()];
    for row in rows {
        // Counted from one, and the first is of no resource.
        let place = usize::try_from(row.n - 2).ok();
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
