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
use super::{Asked, Source, table};
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
            Self::Seek { stretch } => seek(&mut sql, asked, stretch),
            Self::Walk { stretch, places, wanted } => {
                walk::sql(&mut sql, asked, stretch, places, wanted);
            }
            Self::Sieve { stretch, rows } => sieve(&mut sql, asked, stretch, rows),
        }
        sql
    }
}

/// The first day on which one is valid that has one of the statuses, as its first instant, or its last one
/// where the order is the other. From the primary key of `status_day_counts`.
fn seek<'q>(sql: &mut Sql<'q>, asked: &'q Asked<'_>, stretch: Stretch) {
    let day = match asked.sort {
        Sort::StartAscending => "min(day)::timestamp AT TIME ZONE 'UTC'",
        Sort::StartDescending => {
            "(max(day) + 1)::timestamp AT TIME ZONE 'UTC' - interval '1 microsecond'"
        }
    };
    let statuses = asked.filter.stored_statuses().unwrap_or_default();
    let statuses: Vec<&str> = statuses.into_iter().map(Status::as_str).collect();
    sql.push(format!("SELECT {day} FROM {} WHERE tenant_id = ", table("status_day_counts")));
    sql.push_bind(asked.tenant.as_str()).push(" AND status = ANY(").push_bind(statuses);
    sql.push(") AND day >= (").push_bind(stretch.low.start_at);
    sql.push(" AT TIME ZONE 'UTC')::date AND day <= (").push_bind(stretch.high.start_at);
    sql.push(" AT TIME ZONE 'UTC')::date AND ");
    match asked.source {
        Source::Now => sql.push("count > 0"),
        Source::AsOf(position) => {
            sql.push("first_position <= ").push_bind(position.as_i64());
            sql.push(" AND (count > 0 OR last_until > ").push_bind(position.as_i64()).push(")")
        }
    };
}

/// Served by `current_terms`; what was known at a moment is among what is so now or what was, and served by
/// `past_terms` as well. The terms have the tenant in them.
///
/// Rows with words that begin like a long one that is asked for, and end otherwise, count against the limit.
fn sieve<'q>(sql: &mut Sql<'q>, asked: &'q Asked<'_>, stretch: Stretch, rows: usize) {
    let spans = stretch.spans().into_iter();
    let spans: Vec<i64> = spans.map(|(level, n)| asked.terms.span(level, n)).collect();
    match asked.source {
        Source::Now => {
            sieve_part(sql, asked, stretch, spans);
            sql.push(" AND until_position IS NULL");
        }
        Source::AsOf(position) => {
            sql.push("SELECT * FROM (");
            sieve_part(sql, asked, stretch, spans.clone());
            sql.push(" AND until_position IS NULL AND terms && ");
            sql.push_bind(asked.terms.known_by(position));
            push_known(sql, position);
            sql.push(" UNION ALL ");
            sieve_part(sql, asked, stretch, spans);
            // `IS TRUE` keeps from reading all that follows in an index that has the position.
            sql.push(" AND until_position IS NOT NULL AND (until_position > ");
            sql.push_bind(position.as_i64()).push(") IS TRUE AND terms && ");
            sql.push_bind(asked.terms.known_by(position));
            push_known(sql, position);
            sql.push(") AS either");
        }
    }
    sql.push(" LIMIT ").push_bind(bigint(rows));
}

/// All that pass, of what is so now and of what was. The collation keeps every index that starts with the
/// tenant out of it: for a tenant that is newer than the statistics, the planner takes it that there is hardly
/// a row. So does `IS TRUE` with what could be read of such an index all the same, from end to end.
fn sieve_part<'q>(sql: &mut Sql<'q>, asked: &'q Asked<'_>, stretch: Stretch, spans: Vec<i64>) {
    sql.push(format!("SELECT {}, true", COLUMNS.join(", ")));
    push_words(sql, asked);
    sql.push(format!(" AS matches FROM {} WHERE tenant_id = ", table("appointments")));
    sql.push_bind(asked.tenant.as_str()).push(" COLLATE \"C\" AND terms && ").push_bind(spans);
    if !asked.sought.all.is_empty() {
        sql.push(" AND terms @> ").push_bind(&asked.sought.all);
    }
    for any in &asked.sought.any {
        sql.push(" AND terms && ").push_bind(any);
    }
    sql.push(" AND ((start_at, appointment_id) > (");
    push_place(sql, stretch.low);
    sql.push(") AND (start_at, appointment_id) < (");
    push_place(sql, stretch.high);
    sql.push(")) IS TRUE");
    push_filter(sql, asked);
}

/// That it was so by that position. `IS TRUE`: as above.
fn push_known(sql: &mut Sql<'_>, position: Position) {
    sql.push(" AND (position <= ").push_bind(position.as_i64()).push(") IS TRUE");
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

/// That the version is valid, of one appointment that is looked up.
pub(super) fn push_valid<'q>(sql: &mut Sql<'q>, asked: &'q Asked<'_>) {
    match asked.source {
        Source::Now => {
            sql.push(" AND until_position IS NULL");
        }
        Source::AsOf(position) => {
            push_known(sql, position);
            sql.push(" AND (until_position IS NULL OR until_position > ");
            sql.push_bind(position.as_i64()).push(")");
        }
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
