//! Pages of figures.

use std::fmt;

use chrono::NaiveDate;
use daybook_domain::{Category, ResourceId, ServiceId, TenantId};
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Postgres, QueryBuilder, Row as _};
use uuid::Uuid;

use super::dimension::{Dimension, Dimensions};
use crate::page::seal::{self, Fingerprint};
use crate::search::SearchError;
use crate::{CursorError, Limit, Page};

/// Which figures are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UtilisationFilter {
    /// The first day.
    pub from: NaiveDate,
    /// The last day.
    pub to: NaiveDate,
    /// Of this resource.
    pub resource_id: Option<ResourceId>,
    /// Of this service; what is offered is not.
    pub service_id: Option<ServiceId>,
    /// Of this category; what is offered is not.
    pub category: Option<Category>,
}

impl UtilisationFilter {
    fn fingerprint(&self, tenant: &TenantId, by: Dimensions) -> Fingerprint {
        let canonical = format!("utilisation {tenant} {self:?} {by:?}");
        Fingerprint::of(&[canonical.as_bytes()])
    }

    fn push_days(&self, tenant: &TenantId, sql: &mut QueryBuilder<'_, Postgres>) {
        sql.push(" WHERE tenant_id = ").push_bind(tenant.as_str().to_owned());
        sql.push(" AND day BETWEEN ").push_bind(self.from).push(" AND ").push_bind(self.to);
        if let Some(resource_id) = self.resource_id {
            sql.push(" AND resource_id = ").push_bind(resource_id.uuid());
        }
    }
}

/// What was offered and booked in a group.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// On which day, where it is grouped by that.
    pub day: Option<NaiveDate>,
    /// Of which resource, where it is grouped by that.
    pub resource_id: Option<ResourceId>,
    /// Of which service, where it is grouped by that.
    pub service_id: Option<ServiceId>,
    /// Of which category, where it is grouped by that.
    pub category: Option<String>,
    /// What the resources offered.
    pub offered_minutes: i64,
    /// What was booked of them.
    pub booked_minutes: i64,
    /// How many appointments begin that were booked and not called off.
    pub appointments: i64,
    /// How many would have begun, but were called off.
    pub cancellations: i64,
    /// How many of the appointments nobody came to.
    pub no_shows: i64,
    /// From when they were booked to their start, on average. `None`: it is known of none.
    pub mean_lead_minutes: Option<f64>,
    /// The same, of the one in the middle.
    pub median_lead_minutes: Option<f64>,
}

/// Where the next page of figures starts: an opaque text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UtilisationCursor(String);

/// What tells a group from others; nothing where figures are not grouped by it.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Group {
    day: Option<NaiveDate>,
    resource_id: Option<Uuid>,
    service_id: Option<Uuid>,
    category: Option<String>,
}

impl Group {
    /// More than a group takes as JSON, whose text escapes a category at worst six times over.
    const MOST_BYTES: usize = 256 + 6 * Category::MAX_CHARS;

    /// The dimensions that it has.
    fn dimensions(&self) -> Dimensions {
        Dimensions::from_each([
            self.day.is_some(),
            self.resource_id.is_some(),
            self.service_id.is_some(),
            self.category.is_some(),
        ])
    }

    /// Only the groups that come after it.
    fn push_later(&self, sql: &mut QueryBuilder<'_, Postgres>) {
        let by = self.dimensions();
        sql.push(format!(" WHERE ({}) > (", by.names()));
        let mut values = sql.separated(", ");
        if let Some(day) = self.day {
            values.push_bind(day);
        }
        for id in self.resource_id.into_iter().chain(self.service_id) {
            values.push_bind(id);
        }
        if let Some(category) = &self.category {
            values.push_bind(category.clone());
        }
        sql.push(")");
    }
}

impl UtilisationCursor {
    /// A cursor as a client sends it back; whether it is one is seen when it is used.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    fn after(last: &Figures, asked: Fingerprint) -> Result<Self, sqlx::Error> {
        let group = Group {
            day: last.day,
            resource_id: last.resource_id.map(ResourceId::uuid),
            service_id: last.service_id.map(ServiceId::uuid),
            category: last.category.clone(),
        };
        let group =
            serde_json::to_vec(&group).map_err(|error| sqlx::Error::Encode(error.into()))?;
        Ok(Self(seal::seal(asked, &group)))
    }

    fn group(&self, asked: Fingerprint, by: Dimensions) -> Result<Group, CursorError> {
        let group = seal::open_up_to(Group::MOST_BYTES, asked, &self.0)?;
        let group: Group = serde_json::from_slice(&group).map_err(|_| CursorError::Damaged)?;
        // Whoever makes one up can say anything.
        if group.dimensions() == by && by != Dimensions::default() {
            Ok(group)
        } else {
            Err(CursorError::Damaged)
        }
    }
}

impl fmt::Display for UtilisationCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Served by `taken_by_day` and `offered_by_day`, or with a resource by `taken_of_resource` and the
/// primary key of `offered`. It goes on after a group and not after a number of them: groups come and go
/// while pages are read.
pub(super) async fn page(
    pool: &PgPool,
    tenant: &TenantId,
    filter: &UtilisationFilter,
    by: Dimensions,
    cursor: Option<&UtilisationCursor>,
    limit: Limit,
) -> Result<Page<Figures, UtilisationCursor>, SearchError> {
    let asked = filter.fingerprint(tenant, by);
    let after = cursor.map(|cursor| cursor.group(asked, by)).transpose()?;
    let wanted = limit.items() + 1;
    let rows =
        statement(tenant, filter, by, after.as_ref(), wanted).build().fetch_all(pool).await?;
    let items = rows.iter().take(limit.items()).map(figures).collect::<Result<Vec<_>, _>>()?;
    let next = match items.last().filter(|_| rows.len() == wanted) {
        Some(last) => Some(UtilisationCursor::after(last, asked)?),
        None => None,
    };
    Ok(Page { items, next })
}

fn statement<'q>(
    tenant: &TenantId,
    filter: &UtilisationFilter,
    by: Dimensions,
    after: Option<&Group>,
    wanted: usize,
) -> QueryBuilder<'q, Postgres> {
    // Days before that group's have been told.
    let told = after.and_then(|group| group.day).unwrap_or(filter.from);
    let filter = &UtilisationFilter { from: filter.from.max(told), ..filter.clone() };
    // An appointment on two resources is two rows, of which each has its minutes; but it is one
    // appointment, unless it is looked at by resource.
    let by_resource = by.has(Dimension::Resource) || filter.resource_id.is_some();
    let counted = if by_resource { "begins" } else { "begins AND nth = 0" };
    let columns = by.columns(false);
    let mut sql = QueryBuilder::new(format!(
        "WITH figures AS (
            SELECT {columns}, 0::numeric AS offered, sum(minutes) AS booked,
                   count(*) FILTER (WHERE {counted} AND status IN ('booked', 'no-show')) AS appointments,
                   count(*) FILTER (WHERE {counted} AND status = 'cancelled') AS cancellations,
                   count(*) FILTER (WHERE {counted} AND status = 'no-show') AS no_shows,
                   avg(lead_minutes) FILTER (WHERE {counted}) AS mean_lead,
                   percentile_cont(0.5) WITHIN GROUP (ORDER BY lead_minutes)
                       FILTER (WHERE {counted}) AS median_lead
              FROM utilisation_2.taken"
    ));
    filter.push_days(tenant, &mut sql);
    if let Some(service_id) = filter.service_id {
        sql.push(" AND service_id = ").push_bind(service_id.uuid());
    }
    if let Some(category) = &filter.category {
        sql.push(" AND category = ").push_bind(category.as_str().to_owned());
    }
    sql.push(" GROUP BY 1, 2, 3, 4");
    if by.are_of_offered() {
        let columns = by.columns(true);
        sql.push(format!(
            " UNION ALL SELECT {columns}, sum(minutes), 0, 0, 0, 0, NULL, NULL
                FROM utilisation_2.offered"
        ));
        filter.push_days(tenant, &mut sql);
        sql.push(" GROUP BY 1, 2, 3, 4");
    }
    // A group has one row of each kind at most.
    sql.push(
        ")
         SELECT day, resource_id, service_id, category, sum(offered)::bigint AS offered,
                sum(booked)::bigint AS booked, sum(appointments)::bigint AS appointments,
                sum(cancellations)::bigint AS cancellations, sum(no_shows)::bigint AS no_shows,
                max(mean_lead)::double precision AS mean_lead, max(median_lead) AS median_lead
           FROM figures",
    );
    if let Some(group) = after {
        group.push_later(&mut sql);
    }
    sql.push(format!(" GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4 LIMIT {wanted}"));
    sql
}

fn figures(row: &PgRow) -> Result<Figures, sqlx::Error> {
    Ok(Figures {
        day: row.try_get("day")?,
        resource_id: row.try_get::<Option<Uuid>, _>("resource_id")?.map(Into::into),
        service_id: row.try_get::<Option<Uuid>, _>("service_id")?.map(Into::into),
        category: row.try_get("category")?,
        offered_minutes: row.try_get("offered")?,
        booked_minutes: row.try_get("booked")?,
        appointments: row.try_get("appointments")?,
        cancellations: row.try_get("cancellations")?,
        no_shows: row.try_get("no_shows")?,
        mean_lead_minutes: row.try_get("mean_lead")?,
        median_lead_minutes: row.try_get("median_lead")?,
    })
}
