//! The walk: a bounded number of places in order, and the rows of those that match.

use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{FromRow as _, Row as _};
use uuid::Uuid;

use super::super::filter::Sort;
use super::super::marks::Marks;
use super::super::row::{COLUMNS, FoundAppointment};
use super::statement::{Sql, bigint, push_filter, push_stretch, push_valid, push_words};
use super::stretch::Stretch;
use super::{Asked, Source};
use crate::page::keyset::StartKey;

/// What a walk came by.
pub(super) struct Walked {
    pub(super) matches: Vec<FoundAppointment>,
    /// Where it stopped for the number of places; `None`: for another reason.
    pub(super) stopped: Option<Stop>,
}

/// Where a walk stopped.
pub(super) struct Stop {
    pub(super) at: StartKey,
    /// Where the walk's first place is.
    pub(super) first: DateTime<Utc>,
    /// Where the last place of the whole stretch is.
    pub(super) last: DateTime<Utc>,
}

/// Reads places in order, and looks up the rows of those whose marks allow it by their primary key.
/// As `walked` is materialised, filters do not lengthen the walk, and it is read only as far as it is
/// asked for: not further than the last match that is wanted. Only a walk that finds too few comes to
/// the second part, which says where it stopped. The number of places is in the text, so that what is
/// planned without a filter's values is not planned for a walk through a tenth of the table: planning
/// each walk again would take a fifth of its time.
pub(super) fn sql<'q>(
    sql: &mut Sql<'q>,
    asked: &'q Asked<'_>,
    stretch: Stretch,
    places: usize,
    wanted: usize,
) {
    let (forward, backward) = match asked.sort {
        Sort::StartAscending => ("start_at, appointment_id", "start_at DESC, appointment_id DESC"),
        Sort::StartDescending => ("start_at DESC, appointment_id DESC", "start_at, appointment_id"),
    };
    let list = asked.filter.listed_under();
    // Of the history, an entry is one of the rows that an appointment has had at a place.
    let of_rows = list.is_none() && asked.source != Source::Now;
    sql.push("WITH walked AS MATERIALIZED (SELECT start_at AS at_start, appointment_id AS at_id");
    if list.is_none() {
        for column in Marks::COLUMNS {
            sql.push(", ").push(column);
        }
    }
    if of_rows {
        sql.push(", position AS at_position");
    }
    sql.push(" ");
    push_places(sql, asked, list, stretch);
    // The rest begins after a place, so all of the last place's entries are walked.
    let ties = if of_rows { "WITH TIES" } else { "ONLY" };
    sql.push(format!(" ORDER BY {forward} FETCH FIRST {places} ROWS {ties}"));
    sql.push(
        ") (SELECT found.*, NULL::timestamptz AS first_start, NULL::timestamptz AS last_start
              FROM (SELECT * FROM walked WHERE true",
    );
    if list.is_none() {
        for any in &asked.marks {
            push_marks(sql, any);
        }
    }
    if let (true, Source::AsOf(position)) = (of_rows, asked.source) {
        sql.push(" AND at_position <= ").push_bind(position.as_i64());
    }
    // With an OFFSET it is not joined but looked up, for one place after the other.
    sql.push(format!(
        ") AS w CROSS JOIN LATERAL (
                SELECT {COLUMNS} FROM {} WHERE tenant_id = ",
        asked.source.appointments()
    ));
    sql.push_bind(asked.tenant.as_str()).push(" AND appointment_id = w.at_id");
    if asked.source != Source::Now {
        let same = if of_rows { "position = w.at_position" } else { "start_at = w.at_start" };
        sql.push(" AND ").push(same);
    }
    push_valid(sql, asked);
    push_filter(sql, asked);
    push_words(sql, asked);
    sql.push(
        " OFFSET 0) AS found) UNION ALL (
            SELECT at_id, at_start, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                   (SELECT at_start FROM walked LIMIT 1), (SELECT start_at ",
    );
    push_places(sql, asked, list, stretch);
    sql.push(format!(" ORDER BY {backward} LIMIT 1) FROM walked OFFSET {} LIMIT 1)", places - 1));
    sql.push(" LIMIT ").push_bind(bigint(wanted));
}

/// Read from the primary key of `listed`, or else from `appointments_start`, which has the marks.
fn push_places<'q>(sql: &mut Sql<'q>, asked: &'q Asked<'_>, list: Option<Uuid>, stretch: Stretch) {
    match list {
        Some(under) => {
            sql.push(format!("FROM {} a WHERE listed_under = ", asked.source.listed()));
            sql.push_bind(under);
            sql.push(" AND ");
        }
        None => {
            sql.push(format!("FROM {} a WHERE ", asked.source.appointments()));
        }
    }
    push_stretch(sql, asked, stretch);
}

fn push_marks(sql: &mut Sql<'_>, any: &[Marks]) {
    for (n, marks) in any.iter().enumerate() {
        sql.push(if n == 0 { " AND (true" } else { " OR true" });
        for (column, bits) in Marks::COLUMNS.into_iter().zip(marks.columns()) {
            if bits != 0 {
                sql.push(" AND ").push(column);
                sql.push(" & ").push_bind(bits).push(" = ").push_bind(bits);
            }
        }
    }
    sql.push(")");
}

/// What a walk answered.
pub(super) fn walked(rows: &[PgRow]) -> Result<Walked, sqlx::Error> {
    let mut walked = Walked { matches: Vec::with_capacity(rows.len()), stopped: None };
    for row in rows {
        match (row.try_get("first_start")?, row.try_get("last_start")?) {
            (Some(first), Some(last)) => {
                let (start_at, id) = (row.try_get("start_at")?, row.try_get("appointment_id")?);
                walked.stopped = Some(Stop { at: StartKey { start_at, id }, first, last });
            }
            _ => walked.matches.push(FoundAppointment::from_row(row)?),
        }
    }
    Ok(walked)
}
