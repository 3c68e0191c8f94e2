//! Pages of the appointments that are in conflict, and those that would be.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use daybook_domain::appointment::{Conflict, ConflictReason, Status};
use daybook_domain::resource::Resource;
use daybook_domain::rights::Limits;
use daybook_domain::time::Interval;
use daybook_domain::{
    AppointmentId, ClientId, FreeTitle, ResourceId, ResourceIds, ServiceId, TenantId,
};
use daybook_store::Position;
use sqlx::postgres::PgRow;
use sqlx::{FromRow as _, PgConnection, PgPool, Postgres, QueryBuilder, Row as _};
use uuid::Uuid;

use super::Conflicts;
use super::row::{APPOINTMENTS, Standing};
use super::stored::StoredUses;
use crate::appointments::Appointments;
use crate::kit::{column, statement};
use crate::page::cursor::List;
use crate::page::keyset::{Keyset, StartKey, Union};
use crate::within::push_limits;
use crate::{Cursor, Limit, Page, PageError, Schema, Tables};

/// The order of the list.
const KEY: &str = "u.start_at, u.appointment_id";
const ORDER: &str = "start_at, appointment_id";

/// All statements of an answer look at the same rows.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// An appointment to come, and the resources that it uses when they cannot be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InConflict {
    pub appointment_id: AppointmentId,
    pub during: Interval,
    /// When its hold lapses; `None`: it is booked.
    pub hold_expires_at: Option<DateTime<Utc>>,
    pub service_id: ServiceId,
    pub client_id: ClientId,
    /// What it is called.
    pub title: FreeTitle,
    /// The resources it uses.
    pub resource_ids: ResourceIds,
    /// The number of its events.
    pub version: u64,
    /// Where its last event is in the log.
    pub position: Position,
    /// What is in conflict; never nothing.
    pub conflicts: Vec<Conflict>,
}

impl InConflict {
    /// Whether it is held or booked.
    #[must_use]
    pub const fn status(&self) -> Status {
        if self.hold_expires_at.is_some() { Status::Held } else { Status::Booked }
    }

    fn new(standing: Standing, conflicts: Vec<Conflict>) -> Self {
        Self {
            appointment_id: standing.appointment_id,
            during: standing.during,
            hold_expires_at: standing.hold_expires_at,
            service_id: standing.service_id,
            client_id: standing.client_id,
            title: standing.title,
            resource_ids: standing.resource_ids,
            version: standing.version,
            position: standing.position,
            conflicts,
        }
    }
}

/// Which conflicts are asked for; each field that is not given lets all through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConflictFilter {
    /// It starts at this instant or later.
    pub from: Option<DateTime<Utc>>,
    /// It starts before this instant.
    pub to: Option<DateTime<Utc>>,
    /// One of these resources is in conflict.
    pub resource_ids: BTreeSet<ResourceId>,
}

/// Served by `uses_in_conflict`, or with resources by `uses_of_resource_in_conflict`.
pub(super) async fn page(
    pool: &PgPool,
    tenant: &TenantId,
    asked: (&ConflictFilter, &Limits),
    cursor: Option<&Cursor>,
    limit: Limit,
    now: DateTime<Utc>,
) -> Result<Page<InConflict>, PageError> {
    let (filter, within) = asked;
    let list = List::of(tenant, "conflicts", filter).within(within);
    let keyset = Keyset::new(list, cursor, limit)?;
    let rows = statement(tenant, asked, &keyset, now, "").build().fetch_all(pool).await?;
    let rows = rows.iter().map(in_conflict).collect::<Result<_, _>>()?;
    Ok(keyset.page(rows))
}

pub(super) fn statement<'q>(
    tenant: &'q TenantId,
    (filter, within): (&ConflictFilter, &Limits),
    keyset: &Keyset<StartKey>,
    now: DateTime<Utc>,
    prefix: &str,
) -> QueryBuilder<'q, Postgres> {
    let schema = Schema::of(Conflicts::ID);
    let resources: Vec<ResourceId> = filter.resource_ids.iter().copied().collect();
    let mut sql = QueryBuilder::new(format!("{prefix}WITH page AS ("));
    keyset.push_each(&mut sql, (resources.as_slice(), Union::Once), ORDER, |sql, resource| {
        sql.push(format!(
            "SELECT DISTINCT u.start_at, u.appointment_id
               FROM {schema}.uses u
               JOIN {schema}.appointments a USING (tenant_id, appointment_id)
              WHERE u.conflict IS NOT NULL AND u.tenant_id = "
        ));
        sql.push_bind(tenant.as_str());
        sql.push(" AND u.start_at > ").push_bind(now);
        sql.push(" AND (a.hold_expires_at IS NULL OR a.hold_expires_at > ");
        sql.push_bind(now).push(")");
        keyset.push_after(sql, KEY);
        if let Some(from) = filter.from {
            sql.push(" AND u.start_at >= ").push_bind(from);
        }
        if let Some(to) = filter.to {
            sql.push(" AND u.start_at < ").push_bind(to);
        }
        if let Some(resource) = resource {
            sql.push(" AND u.resource_id = ").push_bind(resource.uuid());
        }
        push_within(sql, within);
    });
    sql.push(format!(
        ")
         SELECT {}, c.resources, c.reasons
           FROM page
           JOIN {schema}.appointments a USING (start_at, appointment_id)
          CROSS JOIN LATERAL (
                SELECT array_agg(u.resource_id ORDER BY u.resource_id) AS resources,
                       array_agg(u.conflict ORDER BY u.resource_id) AS reasons
                  FROM {schema}.uses u
                 WHERE u.tenant_id = a.tenant_id AND u.appointment_id = a.appointment_id
                   AND u.conflict IS NOT NULL) c
          WHERE a.tenant_id = ",
        APPOINTMENTS.names()
    ));
    sql.push_bind(tenant.as_str());
    sql.push(" ORDER BY start_at, appointment_id");
    sql
}

/// Of what is judged here, only where it lies is not known: the version that is shown is looked up, by `appointments_pkey`.
fn push_within(sql: &mut QueryBuilder<'_, Postgres>, within: &Limits) {
    if within.are_none() {
        return;
    }
    let schema = Schema::of(Appointments::ID);
    sql.push(format!(
        " AND EXISTS (SELECT FROM {schema}.appointments v
           WHERE v.tenant_id = a.tenant_id AND v.appointment_id = a.appointment_id
             AND v.position = a.position"
    ));
    push_limits(within, "v.", sql);
    sql.push(")");
}

fn in_conflict(row: &PgRow) -> Result<(StartKey, InConflict), sqlx::Error> {
    let resources: Vec<Uuid> = row.try_get("resources")?;
    let reasons: Vec<ConflictReason> = column(row, "reasons")?;
    let conflicts = resources.into_iter().zip(reasons);
    let conflicts = conflicts.map(|(id, reason)| Conflict { resource_id: id.into(), reason });
    let standing = Standing::from_row(row)?;
    let (start_at, id) = (standing.during.start(), standing.appointment_id.uuid());
    Ok((StartKey { start_at, id }, InConflict::new(standing, conflicts.collect())))
}

/// What a change of a resource would break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WouldBreak {
    /// The appointments, by start.
    pub items: Vec<InConflict>,
    /// Whether there are more.
    pub more: bool,
}

/// The appointments to come that are in no conflict with the resource and would be if it were as
/// `after` says.
pub(super) async fn would_break(
    pool: &PgPool,
    tenant: &TenantId,
    resource: ResourceId,
    after: &Resource,
    now: DateTime<Utc>,
    at_most: usize,
) -> Result<WouldBreak, sqlx::Error> {
    let mut tx = pool.begin_with(BEGIN).await?;
    let live = Schema::of(Conflicts::ID);
    let mut uses = StoredUses::after(tenant, resource, now);
    let mut items = Vec::new();
    while items.len() <= at_most {
        let part = uses.next(&mut Tables::new(&mut tx, &live)).await?;
        if part.is_empty() {
            break;
        }
        let fine = part.iter().filter(|used| used.conflict.is_none());
        let broken: Vec<(Uuid, ConflictReason)> = fine
            .filter_map(|used| Some((used.appointment_id.uuid(), used.conflict_with(after)?)))
            .collect();
        items.extend(appointments(&mut tx, tenant, resource, &broken, now).await?);
    }
    tx.commit().await?;
    let more = items.len() > at_most;
    items.truncate(at_most);
    Ok(WouldBreak { items, more })
}

statement!(
    /// Served by the primary key.
    STANDING: Conflicts = format!(
        "SELECT {}, b.reason
           FROM unnest($2::uuid[], $3::text[]) AS b (appointment_id, reason)
           JOIN {{schema}}.appointments a USING (appointment_id)
          WHERE a.tenant_id = $1 AND (a.hold_expires_at IS NULL OR a.hold_expires_at > $4)
          ORDER BY start_at, appointment_id",
        APPOINTMENTS.names()
    )
);

async fn appointments(
    connection: &mut PgConnection,
    tenant: &TenantId,
    resource_id: ResourceId,
    broken: &[(Uuid, ConflictReason)],
    now: DateTime<Utc>,
) -> Result<Vec<InConflict>, sqlx::Error> {
    if broken.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(&Schema::of(Conflicts::ID).sql(&STANDING))
        .bind(tenant.as_str())
        .bind(broken.iter().map(|(id, _)| *id).collect::<Vec<_>>())
        .bind(broken.iter().map(|(_, reason)| reason.as_str()).collect::<Vec<_>>())
        .bind(now)
        .fetch_all(connection)
        .await?;
    let one = |row: &PgRow| {
        let conflict = Conflict { resource_id, reason: column(row, "reason")? };
        Ok(InConflict::new(Standing::from_row(row)?, vec![conflict]))
    };
    rows.iter().map(one).collect()
}
