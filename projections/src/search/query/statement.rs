//! The statements of a search, and what they answer.

use chrono::{DateTime, Utc};
use daybook_domain::Tag;
use daybook_domain::appointment::Status;
use daybook_store::Position;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder, Row as _};

use super::super::filter::{Sort, TagsMatch};
use super::super::row::{COLUMNS, FoundAppointment};
use super::stretch::Stretch;
use super::walk::{self, Walked};
use super::{Asked, Source};
use crate::page::keyset::StartKey;

pub(super) type Sql<'q> = QueryBuilder<'q, Postgres>;

/// A statement of a search.
#[derive(Debug, Clone, Copy)]
pub(super) enum Statement {
    /// Where the first appointment is that has one of the statuses.
    Seek { stretch: Stretch },
    /// The first `places` in order, and of these the first `wanted` that match.
    Walk { stretch: Stretch, places: usize, wanted: usize },
    /// At most `rows` of all that match but for the ends of long words, in no order.
    Sieve { stretch: Stretch, rows: usize },
}

/// What a statement answers.
pub(super) enum Answer {
    Seek(Option<DateTime<Utc>>),
    Walk(Walked),
    Sieve(Vec<Sieved>),
}

/// A row that passed the sieve.
pub(super) struct Sieved {
    pub(super) appointment: FoundAppointment,
    /// Whether its title has all the words to their ends.
    pub(super) matches: bool,
}

impl FromRow<'_, PgRow> for Sieved {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self { appointment: FoundAppointment::from_row(row)?, matches: row.try_get("matches")? })
    }
}

impl Statement {
    pub(super) async fn run(
        self,
        asked: &Asked<'_>,
        connection: &mut PgConnection,
    ) -> Result<Answer, sqlx::Error> {
        let mut sql = self.sql(asked, "");
        match self {
            Self::Seek { .. } => {
                sql.build_query_scalar().fetch_one(connection).await.map(Answer::Seek)
            }
            Self::Walk { .. } => {
                walk::walked(&sql.build().fetch_all(connection).await?).map(Answer::Walk)
            }
            Self::Sieve { .. } => {
                sql.build_query_as().fetch_all(connection).await.map(Answer::Sieve)
            }
        }
    }

    /// Its text, after `prefix` (which is for `EXPLAIN`).
    pub(super) fn sql<'q>(self, asked: &'q Asked<'_>, prefix: &str) -> Sql<'q> {
        let mut sql = Sql::new(prefix);
        match self {
            Self::Seek { stretch } => match asked.source {
                Source::Now => seek(&mut sql, asked, stretch),
                Source::AsOf(position) => seek_day(&mut sql, asked, stretch, position),
            },
            Self::Walk { stretch, places, wanted } => {
                walk::sql(&mut sql, asked, stretch, places, wanted);
            }
            Self::Sieve { stretch, rows } => sieve(&mut sql, asked, stretch, rows),
        }
        sql
    }
}

/// One row for each status, from `appointments_status`.
fn seek<'q>(sql: &mut Sql<'q>, asked: &'q Asked<'_>, stretch: Stretch) {
    let (order, first) = match asked.sort {
        Sort::StartAscending => ("a.start_at, a.appointment_id", "min"),
        Sort::StartDescending => ("a.start_at DESC, a.appointment_id DESC", "max"),
    };
    let statuses = asked.filter.stored_statuses().unwrap_or_default();
    let statuses: Vec<&str> = statuses.into_iter().map(Status::as_str).collect();
    sql.push(format!("SELECT {first}(first.start_at) FROM unnest("));
    sql.push_bind(statuses).push(
        "::text[]) AS s (status)
         CROSS JOIN LATERAL (
            SELECT a.start_at FROM search_3.appointments a WHERE a.status = s.status AND ",
    );
    push_stretch(sql, asked, stretch);
    sql.push(format!(" ORDER BY {order} LIMIT 1) AS first"));
}

/// The first day on which one was valid that has one of the statuses, as its first instant, or its last one
/// where the order is the other. From the primary key of `standing`.
fn seek_day<'q>(sql: &mut Sql<'q>, asked: &'q Asked<'_>, stretch: Stretch, position: Position) {
    let day = match asked.sort {
        Sort::StartAscending => "min(day)::timestamp AT TIME ZONE 'UTC'",
        Sort::StartDescending => {
            "(max(day) + 1)::timestamp AT TIME ZONE 'UTC' - interval '1 microsecond'"
        }
    };
    let statuses = asked.filter.stored_statuses().unwrap_or_default();
    let statuses: Vec<&str> = statuses.into_iter().map(Status::as_str).collect();
    sql.push(format!("SELECT {day} FROM history_2.standing WHERE tenant_id = "));
    sql.push_bind(asked.tenant.as_str()).push(" AND status = ANY(").push_bind(statuses);
    sql.push(") AND day >= (").push_bind(stretch.low.start_at);
    sql.push(" AT TIME ZONE 'UTC')::date AND day <= (").push_bind(stretch.high.start_at);
    sql.push(" AT TIME ZONE 'UTC')::date AND first_position <= ").push_bind(position.as_i64());
    sql.push(" AND (standing > 0 OR last_until > ").push_bind(position.as_i64()).push(")");
}

/// Served by `appointments_terms`, whose terms have the tenant in them. The collation keeps every
/// index that starts with the tenant out of it: for a tenant that is newer than the statistics, the
/// planner takes it that there is hardly a row. So does `IS TRUE` with what could be read of such an
/// index all the same, from end to end.
///
/// Rows with words that begin like a long one that is asked for, and end otherwise, count against the limit.
fn sieve<'q>(sql: &mut Sql<'q>, asked: &'q Asked<'_>, stretch: Stretch, rows: usize) {
    let spans = stretch.spans().into_iter();
    let spans = spans.map(|(level, number)| asked.terms.span(level, number));
    sql.push(format!("SELECT {COLUMNS}, true"));
    push_words(sql, asked);
    sql.push(format!(" AS matches FROM {} WHERE tenant_id = ", asked.source.appointments()));
    sql.push_bind(asked.tenant.as_str()).push(" COLLATE \"C\" AND terms && ");
    sql.push_bind(spans.collect::<Vec<i64>>());
    if !asked.sought.all.is_empty() {
        sql.push(" AND terms @> ").push_bind(&asked.sought.all);
    }
    for any in &asked.sought.any {
        sql.push(" AND terms && ").push_bind(any);
    }
    if let Source::AsOf(position) = asked.source {
        sql.push(" AND terms && ").push_bind(asked.terms.known_by(position));
    }
    sql.push(" AND ((start_at, appointment_id) > (");
    push_place(sql, stretch.low);
    sql.push(") AND (start_at, appointment_id) < (");
    push_place(sql, stretch.high);
    sql.push(")) IS TRUE");
    push_valid(sql, asked);
    push_filter(sql, asked);
    sql.push(" LIMIT ").push_bind(bigint(rows));
}

pub(super) fn push_stretch<'q>(sql: &mut Sql<'q>, asked: &'q Asked<'_>, stretch: Stretch) {
    sql.push("a.tenant_id = ").push_bind(asked.tenant.as_str());
    sql.push(" AND (a.start_at, a.appointment_id) > (");
    push_place(sql, stretch.low);
    sql.push(") AND (a.start_at, a.appointment_id) < (");
    push_place(sql, stretch.high);
    sql.push(")");
}

fn push_place(sql: &mut Sql<'_>, place: StartKey) {
    sql.push_bind(place.start_at).push(", ").push_bind(place.id);
}

/// That the row was valid at the moment that is asked for. `IS TRUE` keeps indexes on the position out of a
/// sieve; an appointment that is looked up has but a few rows.
pub(super) fn push_valid<'q>(sql: &mut Sql<'q>, asked: &'q Asked<'_>) {
    if let Source::AsOf(position) = asked.source {
        sql.push(" AND (position <= ").push_bind(position.as_i64());
        sql.push(") IS TRUE AND (until_position IS NULL OR until_position > ");
        sql.push_bind(position.as_i64()).push(")");
    }
}

/// That the title has the words.
pub(super) fn push_words<'q>(sql: &mut Sql<'q>, asked: &'q Asked<'_>) {
    for word in &asked.sought.words {
        sql.push(" AND strpos(words, ").push_bind(word).push(") > 0");
    }
}

/// The filter itself, on the columns of a row, without the words of the title.
pub(super) fn push_filter<'q>(sql: &mut Sql<'q>, asked: &'q Asked<'_>) {
    let filter = asked.filter;
    if let Some(category) = &filter.category {
        sql.push(" AND category = ").push_bind(category.as_str());
    }
    if let Some(id) = filter.service_id {
        sql.push(" AND service_id = ").push_bind(id.uuid());
    }
    if let Some(id) = filter.client_id {
        sql.push(" AND client_id = ").push_bind(id.uuid());
    }
    if let Some(id) = filter.resource_id {
        sql.push(" AND resource_ids @> ").push_bind(vec![id.uuid()]);
    }
    let tags: Vec<&str> = filter.tags.iter().map(Tag::as_str).collect();
    if !tags.is_empty() {
        sql.push(match filter.tags_match {
            TagsMatch::Any => " AND tags && ",
            TagsMatch::All => " AND tags @> ",
        });
        sql.push_bind(tags);
    }
    if let Some(statuses) = filter.shown_statuses() {
        let statuses: Vec<&str> = statuses.into_iter().map(Status::as_str).collect();
        sql.push(" AND CASE WHEN status = 'held' AND hold_expires_at <= ").push_bind(asked.now);
        sql.push(" THEN 'cancelled' ELSE status END = ANY(").push_bind(statuses).push(")");
    }
}

/// The numbers of rows are small.
pub(super) fn bigint(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
