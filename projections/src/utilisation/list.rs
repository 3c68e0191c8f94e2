//! Pages of figures.

use chrono::NaiveDate;
use daybook_domain::{Category, ResourceId, ServiceId, TenantId, folded};
use daybook_store::log::Moment;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::postgres::PgRow;
use sqlx::query_builder::Separated;
use sqlx::{PgConnection, PgPool, Postgres, QueryBuilder, Row as _};
use uuid::Uuid;

use super::as_of::Then;
use super::dimension::{Dimension, Dimensions};
use super::{Utilisation, resources};
use crate::page::cursor::List;
use crate::page::keyset::{Key, Keyset};
use crate::{Cursor, CursorError, Limit, Page, PageError, Schema};

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
    /// Of this category, however it is spelt; what is offered is not.
    pub category: Option<Category>,
}

impl UtilisationFilter {
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
    /// How many appointments begin that were booked and not cancelled.
    pub appointments: i64,
    /// How many would have begun, but were cancelled.
    pub cancellations: i64,
    /// How many of the appointments nobody came to.
    pub no_shows: i64,
    /// From when they were booked to their start, on average. `None`: it is known of none.
    pub mean_lead_minutes: Option<f64>,
    /// The same, of the one in the middle.
    pub median_lead_minutes: Option<f64>,
}

/// What tells a group from others; nothing where figures are not grouped by it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Group {
    day: Option<NaiveDate>,
    resource_id: Option<Uuid>,
    service_id: Option<Uuid>,
    category: Option<String>,
}

impl Group {
    fn of(figures: &Figures) -> Self {
        Self {
            day: figures.day,
            resource_id: figures.resource_id.map(ResourceId::uuid),
            service_id: figures.service_id.map(ServiceId::uuid),
            category: figures.category.clone(),
        }
    }

    /// The dimensions that it has.
    fn dimensions(&self) -> Dimensions {
        Dimensions::from_each([
            self.day.is_some(),
            self.resource_id.is_some(),
            self.service_id.is_some(),
            self.category.is_some(),
        ])
    }
}

impl Key for Group {
    /// More than a group takes as JSON, whose text escapes a category at worst six times over.
    const MAX_BYTES: usize = 256 + 6 * Category::MAX_CHARS;

    fn encode(&self) -> Vec<u8> {
        json!(self).to_string().into_bytes()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    fn bind(&self, values: &mut Separated<'_, '_, Postgres, &'static str>) {
        if let Some(day) = self.day {
            values.push_bind(day);
        }
        for id in self.resource_id.into_iter().chain(self.service_id) {
            values.push_bind(id);
        }
        if let Some(category) = &self.category {
            values.push_bind(category.clone());
        }
    }
}

/// Served by `taken_by_day` and `offered_by_day`, or with a resource by `taken_of_resource` and the
/// primary key of `offered`.
pub(super) async fn now(
    connection: &mut PgConnection,
    tenant: &TenantId,
    filter: &UtilisationFilter,
    by: Dimensions,
    page: (Option<&Cursor>, Limit),
) -> Result<FiguresPage, PageError> {
    let keyset = keyset(tenant, filter, by, page, None)?;
    few_enough(connection, tenant, filter).await?;
    let worked_out_to = resources::worked_out_to(connection, tenant).await?;
    let statement = statement(tenant, filter, by, &keyset, &Now);
    read(connection, statement, &keyset, worked_out_to).await
}

/// Of the rows that there would have been at the moment.
pub(super) async fn then(
    pool: &PgPool,
    tenant: &TenantId,
    filter: &UtilisationFilter,
    by: Dimensions,
    page: (Option<&Cursor>, Limit),
    moment: Moment,
) -> Result<FiguresPage, PageError> {
    let keyset = keyset(tenant, filter, by, page, Some(moment))?;
    let then = Then::at(pool, tenant, filter, moment).await?;
    let statement = statement(tenant, filter, by, &keyset, &then);
    read(&mut *pool.acquire().await?, statement, &keyset, then.horizon).await
}

fn keyset(
    tenant: &TenantId,
    filter: &UtilisationFilter,
    by: Dimensions,
    (cursor, limit): (Option<&Cursor>, Limit),
    moment: Option<Moment>,
) -> Result<Keyset<Group>, CursorError> {
    let list = List::of(tenant, "utilisation", &(filter, by));
    let list = moment.map_or(list, |moment| list.at(moment.position.get()));
    let keyset: Keyset<Group> = Keyset::new(list, cursor, limit)?;
    // Whoever makes a cursor up can say anything.
    let is_one = |after: &Group| by != Dimensions::default() && after.dimensions() == by;
    if keyset.after().is_none_or(is_one) { Ok(keyset) } else { Err(CursorError::Damaged) }
}

async fn read(
    connection: &mut PgConnection,
    mut statement: QueryBuilder<'_, Postgres>,
    keyset: &Keyset<Group>,
    worked_out_to: Option<NaiveDate>,
) -> Result<FiguresPage, PageError> {
    let rows = statement.build().fetch_all(connection).await?;
    let rows = rows.iter().map(|row| {
        let figures = figures(row)?;
        Ok::<_, sqlx::Error>((Group::of(&figures), figures))
    });
    let page = keyset.page(rows.collect::<Result<_, _>>()?);
    Ok(FiguresPage { page, worked_out_to })
}

/// A page of figures.
#[derive(Debug, Clone, PartialEq)]
pub struct FiguresPage {
    pub page: Page<Figures>,
    /// The last day of which it is known what is offered; `None`: it is known of none.
    pub worked_out_to: Option<NaiveDate>,
}

/// Where rows come from: relations with the columns of the tables.
pub(super) trait Source {
    fn push_offered(&self, tenant: &TenantId, sql: &mut QueryBuilder<'_, Postgres>);
    fn push_taken(&self, tenant: &TenantId, sql: &mut QueryBuilder<'_, Postgres>);
}

/// The tables themselves.
struct Now;

impl Source for Now {
    fn push_offered(&self, _: &TenantId, sql: &mut QueryBuilder<'_, Postgres>) {
        sql.push(format!("{}.offered", Schema::of(Utilisation::ID)));
    }

    fn push_taken(&self, _: &TenantId, sql: &mut QueryBuilder<'_, Postgres>) {
        sql.push(format!("{}.taken", Schema::of(Utilisation::ID)));
    }
}

/// Served by the same indexes, and by nothing else.
async fn few_enough(
    connection: &mut PgConnection,
    tenant: &TenantId,
    filter: &UtilisationFilter,
) -> Result<(), PageError> {
    let (schema, max_rows) = (Schema::of(Utilisation::ID), Utilisation::MAX_ROWS);
    let mut sql =
        QueryBuilder::<Postgres>::new(format!("SELECT count(*) FROM (SELECT FROM {schema}.taken"));
    filter.push_days(tenant, &mut sql);
    sql.push(format!(" LIMIT {max_rows} + 1) AS looked_at"));
    let rows: i64 = sql.build_query_scalar().fetch_one(connection).await?;
    if rows > i64::from(max_rows) {
        return Err(PageError::TooBroad { max_rows });
    }
    Ok(())
}

fn statement<'q>(
    tenant: &TenantId,
    filter: &UtilisationFilter,
    by: Dimensions,
    keyset: &Keyset<Group>,
    source: &impl Source,
) -> QueryBuilder<'q, Postgres> {
    // The pages before had all days before that group's.
    let first = keyset.after().and_then(|group| group.day).unwrap_or(filter.from);
    let filter = &UtilisationFilter { from: filter.from.max(first), ..filter.clone() };
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
              FROM "
    ));
    source.push_taken(tenant, &mut sql);
    filter.push_days(tenant, &mut sql);
    if let Some(service_id) = filter.service_id {
        sql.push(" AND service_id = ").push_bind(service_id.uuid());
    }
    if let Some(category) = &filter.category {
        sql.push(" AND folded_category = ").push_bind(folded(category.as_str()));
    }
    sql.push(" GROUP BY 1, 2, 3, 4");
    if by.are_of_offered() {
        let columns = by.columns(true);
        sql.push(format!(
            " UNION ALL SELECT {columns}, sum(minutes), 0, 0, 0, 0, NULL, NULL FROM "
        ));
        source.push_offered(tenant, &mut sql);
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
           FROM figures
          WHERE true",
    );
    keyset.push_after(&mut sql, &by.names());
    sql.push(" GROUP BY 1, 2, 3, 4");
    keyset.push_order(&mut sql, "1, 2, 3, 4");
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
