//! The index scan: a bounded number of places in order, and the rows of those that match.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{FromRow as _, Row as _};
use uuid::Uuid;

use super::super::filter::Sort;
use super::super::row::{COLUMNS, FoundAppointment};
use super::super::signature::Signature;
use super::key_range::KeyRange;
use super::statement::{Sql, bigint, push_range, push_valid, push_words};
use super::{SearchQuery, Source, table};
use crate::page::keyset::StartKey;

/// What a scan of an index came by.
pub(super) struct Scanned {
    pub(super) matches: Vec<FoundAppointment>,
    /// Where it stopped for the number of places; `None`: for another reason.
    pub(super) stopped: Option<Stop>,
}

/// Where a scan stopped.
pub(super) struct Stop {
    pub(super) at: StartKey,
    /// Where the scan's first place is.
    pub(super) first: DateTime<Utc>,
    /// Where the last place of the whole range is.
    pub(super) last: DateTime<Utc>,
}

/// Reads places in order, and looks up the rows of those whose signature allows it by their primary key.
/// As `scanned` is materialised, filters do not lengthen the scan, and it is read only as far as it is
/// asked for: not further than the last match that is wanted. Only a scan that finds too few comes to
/// the second part, which says where it stopped. The number of places is in the text, so that what is
/// planned without a filter's values is not planned for a scan of a tenth of the table: planning
/// each scan again would take a fifth of its time.
pub(super) fn sql<'q>(
    sql: &mut Sql<'q>,
    asked: &'q SearchQuery<'_>,
    range: KeyRange,
    places: usize,
    wanted: usize,
) {
    let (forward, backward) = match asked.sort {
        Sort::StartAscending => ("start_at, appointment_id", "start_at DESC, appointment_id DESC"),
        Sort::StartDescending => ("start_at DESC, appointment_id DESC", "start_at, appointment_id"),
    };
    let parties = &asked.filter.parties();
    let of_all = parties.is_empty();
    // An entry of the index of all versions is one that the appointment has had at a place.
    let of_versions = of_all && asked.source != Source::Now;
    sql.push("WITH scanned AS MATERIALIZED (SELECT start_at AS at_start, appointment_id AS at_id");
    if of_all {
        for column in Signature::COLUMNS {
            sql.push(", ").push(column);
        }
        sql.push(", position AS at_position");
    }
    sql.push(" ");
    push_places(sql, asked, parties, range, &format!("{forward} LIMIT {places}"));
    // The rest begins after a place, so all of the last place's entries are scanned.
    let ties = if of_versions { "WITH TIES" } else { "ONLY" };
    sql.push(format!(" ORDER BY {forward} FETCH FIRST {places} ROWS {ties}"));
    sql.push(
        ") (SELECT found.*, NULL::timestamptz AS first_start, NULL::timestamptz AS last_start
              FROM (SELECT * FROM scanned WHERE true",
    );
    if of_all {
        for any in &asked.signatures {
            push_signatures(sql, any);
        }
    }
    if let (true, Source::AsOf(position)) = (of_versions, asked.source) {
        sql.push(" AND at_position <= ").push_bind(position.as_i64());
    }
    // With an OFFSET it is not joined but looked up, for one place after the other.
    sql.push(format!(
        ") AS w CROSS JOIN LATERAL (
                SELECT {} FROM {} WHERE tenant_id = ",
        COLUMNS.join(", "),
        table("appointments")
    ));
    sql.push_bind(asked.tenant.as_str()).push(" AND appointment_id = w.at_id");
    sql.push(if of_all { " AND position = w.at_position" } else { " AND start_at = w.at_start" });
    push_valid(sql, asked);
    asked.filter.push_conditions(sql, asked.now);
    push_words(sql, asked);
    let stop = COLUMNS.map(|column| match column {
        "appointment_id" => "at_id",
        "start_at" => "at_start",
        _ => "NULL",
    });
    sql.push(format!(
        " OFFSET 0) AS found) UNION ALL (
            SELECT {}, (SELECT at_start FROM scanned LIMIT 1), (SELECT start_at ",
        stop.join(", ")
    ));
    push_places(sql, asked, parties, range, &format!("{backward} LIMIT 1"));
    sql.push(format!(" ORDER BY {backward} LIMIT 1) FROM scanned OFFSET {} LIMIT 1)", places - 1));
    sql.push(" LIMIT ").push_bind(bigint(wanted));
}

/// Read from the primary key of `appointments_by_party`, or else from `current_start` or `appointments_start`,
/// which have the signature. Of several parties, what is `first` of each one's list: a condition on all of them would
/// read their lists to the end. Who is on two of them is there once.
fn push_places<'q>(
    sql: &mut Sql<'q>,
    asked: &'q SearchQuery<'_>,
    parties: &BTreeSet<Uuid>,
    range: KeyRange,
    first: &str,
) {
    if parties.is_empty() {
        sql.push(format!("FROM {} a WHERE ", table("appointments")));
        if asked.source == Source::Now {
            sql.push("until_position IS NULL AND ");
        }
        push_range(sql, asked, range);
        return;
    }
    let several = parties.len() > 1;
    if several {
        sql.push("FROM (");
    }
    for (n, party) in parties.iter().enumerate() {
        if several {
            sql.push(if n == 0 { "(" } else { " UNION (" });
            sql.push("SELECT start_at, appointment_id ");
        }
        sql.push(format!("FROM {} a WHERE party_id = ", table("appointments_by_party")));
        sql.push_bind(*party).push(" AND ");
        push_range(sql, asked, range);
        if several {
            sql.push(" ORDER BY ").push(first).push(")");
        }
    }
    if several {
        sql.push(") AS each");
    }
}

fn push_signatures(sql: &mut Sql<'_>, any: &[Signature]) {
    for (n, signature) in any.iter().enumerate() {
        sql.push(if n == 0 { " AND (true" } else { " OR true" });
        for (column, bits) in Signature::COLUMNS.into_iter().zip(signature.columns()) {
            if bits != 0 {
                sql.push(" AND ").push(column);
                sql.push(" & ").push_bind(bits).push(" = ").push_bind(bits);
            }
        }
    }
    sql.push(")");
}

/// What a scan answered.
pub(super) fn scanned(rows: &[PgRow]) -> Result<Scanned, sqlx::Error> {
    let mut scanned = Scanned { matches: Vec::with_capacity(rows.len()), stopped: None };
    for row in rows {
        match (row.try_get("first_start")?, row.try_get("last_start")?) {
            (Some(first), Some(last)) => {
                let (start_at, id) = (row.try_get("start_at")?, row.try_get("appointment_id")?);
                scanned.stopped = Some(Stop { at: StartKey { start_at, id }, first, last });
            }
            _ => scanned.matches.push(FoundAppointment::from_row(row)?),
        }
    }
    Ok(scanned)
}
