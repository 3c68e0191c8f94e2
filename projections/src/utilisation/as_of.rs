//! The figures as they were known at a moment: what was offered and taken is worked out anew, of the streams up to it,
//! by the same functions that the rows come from.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;
use cqrs_es::Aggregate as _;
use daybook_domain::appointment::Appointment;
use daybook_domain::resource::{Resource, ResourceEvent};
use daybook_domain::time::Interval;
use daybook_domain::{ResourceId, TenantId, folded};
use daybook_store::log::{Moment, recorded_at, stream_events};
use daybook_store::{AnyEvent, Position, RecordedEvent};
use sqlx::{PgConnection, PgPool, Postgres, QueryBuilder};
use uuid::Uuid;

use super::Utilisation;
use super::booked::{Booking, Taken};
use super::list::{Source, UtilisationFilter};
use super::offered;
use super::resources;
use crate::change::AppointmentChanges;
use crate::history::History;
use crate::{ApplyError, PageError};

const MAX_RESOURCES: u32 = Utilisation::MAX_PAST_RESOURCES;
const MAX_BOOKINGS: u32 = Utilisation::MAX_PAST_BOOKINGS;

/// What the tables would have had at a moment.
pub(super) struct Then {
    offered: Vec<(ResourceId, NaiveDate, i64)>,
    taken: Vec<Taken>,
    /// The last day that was worked out.
    pub(super) horizon: Option<NaiveDate>,
}

impl Then {
    pub(super) async fn at(
        pool: &PgPool,
        tenant: &TenantId,
        filter: &UtilisationFilter,
        moment: Moment,
    ) -> Result<Self, PageError> {
        let mut connection = pool.acquire().await?;
        let known = recorded_at(&mut connection, tenant, moment.position).await?;
        let horizon = known.map(offered::horizon);
        let ids = match filter.resource_id {
            Some(id) => vec![id.uuid()],
            None => resources::ids(&mut connection, tenant, MAX_RESOURCES + 1).await?,
        };
        if ids.len() > MAX_RESOURCES as usize {
            return Err(PageError::TooBroad { max_rows: MAX_RESOURCES });
        }
        let events = read(&mut connection, tenant, Resource::TYPE, &ids, moment.position).await?;
        let each = by_resource(&events);
        let mut offers = Vec::new();
        let mut zones: BTreeMap<ResourceId, Tz> = BTreeMap::new();
        for (resource_id, events) in &each {
            let Some(horizon) = horizon else { break };
            let found = offered::of_days(events, filter.from, horizon);
            let Some((terms, minutes)) = found else { continue };
            zones.extend(terms.resource.profile().map(|profile| (*resource_id, profile.time_zone)));
            let minutes = minutes.into_iter().filter(|(day, _)| *day <= filter.to);
            offers.extend(minutes.map(|(day, minutes)| (*resource_id, day, minutes)));
        }
        let resources: Vec<ResourceId> = each.keys().copied().collect();
        let history = History::new(pool.clone());
        let taken =
            taken(&history, (&mut connection, tenant), (filter, &resources), &zones, moment);
        Ok(Self { offered: offers, taken: taken.await?, horizon })
    }
}

/// What was taken of these resources on these days, and more.
async fn taken(
    history: &History,
    (connection, tenant): (&mut PgConnection, &TenantId),
    (filter, resources): (&UtilisationFilter, &[ResourceId]),
    zones: &BTreeMap<ResourceId, Tz>,
    moment: Moment,
) -> Result<Vec<Taken>, PageError> {
    let (Some(during), false) = (around(filter), resources.is_empty()) else {
        return Ok(Vec::new());
    };
    let max = MAX_BOOKINGS as usize;
    let as_of = (moment.position, max + 1);
    let calendars = history.calendars(tenant, resources, during, as_of).await?;
    let appointments = calendars.iter().flat_map(|on| &on.appointments);
    let ids: BTreeSet<Uuid> =
        appointments.map(|version| version.appointment.appointment_id.uuid()).collect();
    let sessions = calendars.iter().flat_map(|on| &on.sessions);
    let sessions: BTreeMap<_, _> =
        sessions.map(|version| (version.session_id, &version.session)).collect();
    if ids.len() > max || sessions.len() > max {
        return Err(PageError::TooBroad { max_rows: MAX_BOOKINGS });
    }
    let ids: Vec<Uuid> = ids.into_iter().collect();
    let events = read(connection, tenant, Appointment::TYPE, &ids, moment.position).await?;
    let changes = AppointmentChanges::of(&[], &events).map_err(|error| undecodable(&error))?;
    let appointments = changes.streams().filter_map(Booking::of_appointment);
    let sessions = sessions.into_iter().filter_map(|(id, it)| Booking::of_session(id, it));
    Ok(appointments.chain(sessions).flat_map(|booking| booking.taken(zones)).collect())
}

/// The days in whatever zone.
fn around(filter: &UtilisationFilter) -> Option<Interval> {
    let midnight = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
    let from = filter.from.checked_sub_days(Days::new(1))?;
    let to = filter.to.checked_add_days(Days::new(2))?;
    Interval::new(midnight(from), midnight(to)).ok()
}

async fn read(
    connection: &mut PgConnection,
    tenant: &TenantId,
    kind: &str,
    ids: &[Uuid],
    position: Position,
) -> Result<Vec<RecordedEvent>, sqlx::Error> {
    let events = stream_events(connection, tenant, kind, ids, position.plus(1)).await?;
    let read = events.into_iter().collect::<Result<Vec<_>, _>>();
    read.map_err(|unreadable| sqlx::Error::Decode(unreadable.to_string().into()))
}

fn undecodable(error: &ApplyError) -> sqlx::Error {
    sqlx::Error::Decode(error.to_string().into())
}

type ResourceEvents<'e> = Vec<(DateTime<Utc>, &'e ResourceEvent)>;

fn by_resource(events: &[RecordedEvent]) -> BTreeMap<ResourceId, ResourceEvents<'_>> {
    let mut each: BTreeMap<ResourceId, ResourceEvents<'_>> = BTreeMap::new();
    for recorded in events {
        if let AnyEvent::Resource(id, event) = &recorded.event {
            each.entry(*id).or_default().push((recorded.recorded_at, event));
        }
    }
    each
}

/// As relations with the columns of the tables that figures are added up of.
impl Source for Then {
    fn push_offered(&self, tenant: &TenantId, sql: &mut QueryBuilder<'_, Postgres>) {
        let rows = &self.offered;
        sql.push("(SELECT ").push_bind(tenant.as_str().to_owned());
        sql.push("::text AS tenant_id, u.* FROM unnest(");
        sql.push_bind(rows.iter().map(|(id, ..)| id.uuid()).collect::<Vec<_>>()).push(", ");
        sql.push_bind(rows.iter().map(|(_, day, _)| *day).collect::<Vec<_>>()).push(", ");
        sql.push_bind(rows.iter().map(|(.., minutes)| *minutes).collect::<Vec<_>>());
        sql.push(") AS u (resource_id, day, minutes)) AS offered");
    }

    fn push_taken(&self, tenant: &TenantId, sql: &mut QueryBuilder<'_, Postgres>) {
        let rows = &self.taken;
        sql.push("(SELECT ").push_bind(tenant.as_str().to_owned());
        sql.push("::text AS tenant_id, u.* FROM unnest(");
        sql.push_bind(rows.iter().map(|row| row.resource_id.uuid()).collect::<Vec<_>>()).push(", ");
        sql.push_bind(rows.iter().map(|row| row.nth).collect::<Vec<_>>()).push(", ");
        sql.push_bind(rows.iter().map(|row| row.day).collect::<Vec<_>>()).push(", ");
        sql.push_bind(rows.iter().map(|row| row.service_id.uuid()).collect::<Vec<_>>()).push(", ");
        let categories = rows.iter().map(|row| row.category.as_str().to_owned());
        sql.push_bind(categories.collect::<Vec<_>>()).push(", ");
        let folded = rows.iter().map(|row| folded(row.category.as_str()));
        sql.push_bind(folded.collect::<Vec<_>>()).push(", ");
        let statuses = rows.iter().map(|row| row.outcome.as_str().to_owned());
        sql.push_bind(statuses.collect::<Vec<_>>()).push(", ");
        sql.push_bind(rows.iter().map(|row| row.minutes).collect::<Vec<_>>()).push(", ");
        sql.push_bind(rows.iter().map(|row| row.begins).collect::<Vec<_>>()).push(", ");
        sql.push_bind(rows.iter().map(|row| row.lead_minutes).collect::<Vec<_>>());
        sql.push(
            ") AS u (resource_id, nth, day, service_id, category, folded_category, status, minutes,
                     begins, lead_minutes)) AS taken",
        );
    }
}
