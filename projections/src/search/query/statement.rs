//! The statements of a search, and what they answer.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use daybook_domain::appointment::Status;
use daybook_store::Position;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, Postgres, QueryBuilder, Row as _};
use uuid::Uuid;

use super::super::filter::Sort;
use super::super::row::{COLUMNS, FoundAppointment};
use super::index_scan::{self, Scanned};
use super::key_range::KeyRange;
use super::{SearchQuery, Source, table};
use crate::page::keyset::StartKey;

pub(super) type Sql<'q> = QueryBuilder<'q, Postgres>;

/// A statement of a search.
#[derive(Debug, Clone, Copy)]
pub(super) enum Statement {
    /// Those that are named by their ids, as far as they match, in no order.
    Lookup { range: KeyRange },
    /// Where the first appointment is that has one of the statuses.
    SkipToStatus { range: KeyRange },
    /// The first `places` in order, and of these the first `wanted` that match.
    IndexScan { range: KeyRange, places: usize, wanted: usize },
    /// At most `rows` of all that match but for the ends of long words, in no order.
    TermScan { range: KeyRange, rows: usize },
}

/// What a statement answers.
pub(super) enum Answer {
    Lookup(Vec<FoundAppointment>),
    SkipToStatus(Option<DateTime<Utc>>),
    IndexScan(Scanned),
    TermScan(Vec<TermMatch>),
}

/// A row that has the terms.
pub(super) struct TermMatch {
    pub(super) appointment: FoundAppointment,
    /// Whether its title has all the words to their ends.
    pub(super) matches: bool,
}

impl FromRow<'_, PgRow> for TermMatch {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self { appointment: FoundAppointment::from_row(row)?, matches: row.try_get("matches")? })
    }
}

impl Statement {
    pub(super) async fn run(
        self,
        asked: &SearchQuery<'_>,
        connection: &mut PgConnection,
    ) -> Result<Answer, sqlx::Error> {
        let mut sql = self.sql(asked, "");
        match self {
            Self::Lookup { .. } => {
                sql.build_query_as().fetch_all(connection).await.map(Answer::Lookup)
            }
            Self::SkipToStatus { .. } => {
                sql.build_query_scalar().fetch_one(connection).await.map(Answer::SkipToStatus)
            }
            Self::IndexScan { .. } => {
                index_scan::scanned(&sql.build().fetch_all(connection).await?)
                    .map(Answer::IndexScan)
            }
            Self::TermScan { .. } => {
                sql.build_query_as().fetch_all(connection).await.map(Answer::TermScan)
            }
        }
    }

    /// Its text, after `prefix` (which is for `EXPLAIN`).
    pub(super) fn sql<'q>(self, asked: &'q SearchQuery<'_>, prefix: &str) -> Sql<'q> {
        let mut sql = Sql::new(prefix);
        match self {
            Self::Lookup { range } => lookup(&mut sql, asked, range),
            Self::SkipToStatus { range } => skip_to_status(&mut sql, asked, range),
            Self::IndexScan { range, places, wanted } => {
                index_scan::sql(&mut sql, asked, range, places, wanted);
            }
            Self::TermScan { range, rows } => term_scan(&mut sql, asked, range, rows),
        }
        sql
    }
}

/// Served by the primary key, one by one: else the planner may read all that there is in the range. An id that is named twice
/// is looked up once.
fn lookup<'q>(sql: &mut Sql<'q>, asked: &'q SearchQuery<'_>, range: KeyRange) {
    let ids: BTreeSet<Uuid> = asked.filter.ids.iter().map(|id| id.uuid()).collect();
    let ids: Vec<Uuid> = ids.into_iter().collect();
    sql.push(format!("SELECT {} FROM unnest(", COLUMNS.join(", "))).push_bind(ids);
    sql.push(format!(
        ") AS named (id) CROSS JOIN LATERAL (SELECT * FROM {} WHERE tenant_id = ",
        table("appointments")
    ));
    sql.push_bind(asked.tenant.as_str()).push(" AND appointment_id = named.id");
    push_valid(sql, asked);
    sql.push(" OFFSET 0) AS a WHERE ");
    push_range(sql, asked, range);
    asked.filter.push_conditions(sql, asked.now);
    push_words(sql, asked);
}

/// The first day on which one is valid that has one of the statuses, as its first instant, or its last one
/// where the order is the other. From the primary key of `status_day_counts`.
fn skip_to_status<'q>(sql: &mut Sql<'q>, asked: &'q SearchQuery<'_>, range: KeyRange) {
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
    sql.push(") AND day >= (").push_bind(range.low.start_at);
    sql.push(" AT TIME ZONE 'UTC')::date AND day <= (").push_bind(range.high.start_at);
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
fn term_scan<'q>(sql: &mut Sql<'q>, asked: &'q SearchQuery<'_>, range: KeyRange, rows: usize) {
    let spans = range.spans().into_iter();
    let spans: Vec<i64> = spans.map(|(level, n)| asked.terms.span(level, n)).collect();
    match asked.source {
        Source::Now => {
            term_scan_part(sql, asked, range, spans);
            sql.push(" AND until_position IS NULL");
        }
        Source::AsOf(position) => {
            sql.push("SELECT * FROM (");
            term_scan_part(sql, asked, range, spans.clone());
            sql.push(" AND until_position IS NULL AND terms && ");
            sql.push_bind(asked.terms.known_by(position));
            push_known(sql, position);
            sql.push(" UNION ALL ");
            term_scan_part(sql, asked, range, spans);
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
fn term_scan_part<'q>(
    sql: &mut Sql<'q>,
    asked: &'q SearchQuery<'_>,
    range: KeyRange,
    spans: Vec<i64>,
) {
    sql.push(format!("SELECT {}, true", COLUMNS.join(", ")));
    push_words(sql, asked);
    sql.push(format!(" AS matches FROM {} WHERE tenant_id = ", table("appointments")));
    sql.push_bind(asked.tenant.as_str()).push(" COLLATE \"C\" AND terms && ").push_bind(spans);
    if !asked.search_terms.all.is_empty() {
        sql.push(" AND terms @> ").push_bind(&asked.search_terms.all);
    }
    for any in &asked.search_terms.any {
        sql.push(" AND terms && ").push_bind(any);
    }
    sql.push(" AND ((start_at, appointment_id) > (");
    push_place(sql, range.low);
    sql.push(") AND (start_at, appointment_id) < (");
    push_place(sql, range.high);
    sql.push(")) IS TRUE");
    asked.filter.push_conditions(sql, asked.now);
}

/// That it was so by that position. `IS TRUE`: as above.
fn push_known(sql: &mut Sql<'_>, position: Position) {
    sql.push(" AND (position <= ").push_bind(position.as_i64()).push(") IS TRUE");
}

pub(super) fn push_range<'q>(sql: &mut Sql<'q>, asked: &'q SearchQuery<'_>, range: KeyRange) {
    sql.push("a.tenant_id = ").push_bind(asked.tenant.as_str());
    sql.push(" AND (a.start_at, a.appointment_id) > (");
    push_place(sql, range.low);
    sql.push(") AND (a.start_at, a.appointment_id) < (");
    push_place(sql, range.high);
    sql.push(")");
}

fn push_place(sql: &mut Sql<'_>, place: StartKey) {
    sql.push_bind(place.start_at).push(", ").push_bind(place.id);
}

/// That the version is valid, of one appointment that is looked up.
pub(super) fn push_valid<'q>(sql: &mut Sql<'q>, asked: &'q SearchQuery<'_>) {
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

/// That the title has the words: their beginnings where it is public, and all of them where it is personal.
pub(super) fn push_words<'q>(sql: &mut Sql<'q>, asked: &'q SearchQuery<'_>) {
    for (n, word) in asked.search_terms.words.iter().enumerate() {
        sql.push(" AND (strpos(words, ").push_bind(word).push(") > 0");
        if let Some(token) = asked.word_tokens.get(n) {
            sql.push(" OR ").push_bind(token).push(" = ANY (word_tokens)");
        }
        sql.push(")");
    }
}

/// The numbers of rows are small.
pub(super) fn bigint(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
