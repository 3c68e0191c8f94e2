//! The rows of a batch: read in one statement, written in one.

use daybook_domain::{AppointmentId, TenantId};
use uuid::Uuid;

use super::fold::Rows;
use super::marks::Marks;
use super::row::{COLUMNS, FoundAppointment};
use super::terms::TermsOf;
use super::words;
use crate::{Tables, array};

/// The rows of these appointments. Served by the primary key.
pub(super) async fn load(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    ids: &[AppointmentId],
) -> Result<Rows, sqlx::Error> {
    if ids.is_empty() {
        return Ok(Rows::new());
    }
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let sql = format!(
        "SELECT {COLUMNS} FROM search_2.appointments
          WHERE tenant_id = $1 AND appointment_id = ANY($2)"
    );
    let rows: Vec<FoundAppointment> = sqlx::query_as(&tables.sql(&sql))
        .bind(tenant.as_str())
        .bind(ids)
        .fetch_all(tables.connection())
        .await?;
    Ok(rows.into_iter().map(|row| (row.appointment_id, row)).collect())
}

/// Inserts or replaces the rows.
pub(super) async fn save(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    rows: &Rows,
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    // In one order in every transaction, and in the order of the primary key.
    let mut rows: Vec<&FoundAppointment> = rows.values().collect();
    rows.sort_unstable_by_key(|row| row.appointment_id);
    let terms = TermsOf::new(tenant);
    let marks: Vec<[i64; 3]> = rows.iter().map(|row| Marks::row(&terms, row).columns()).collect();
    let each = rows.iter();
    let saved = sqlx::query(&tables.sql(
        "INSERT INTO search_2.appointments AS a
                (tenant_id, appointment_id, start_at, end_at, status, hold_expires_at, category,
                 tags, service_id, resource_ids, client_id, title, version, position, terms, words,
                 marks, low_word_marks, high_word_marks)
         SELECT h.tenant_id, u.appointment_id, u.start_at, u.end_at, u.status, u.hold_expires_at,
                u.category, u.tags::text[], u.service_id, u.resource_ids::uuid[], u.client_id,
                u.title, u.version, u.position, u.terms::bigint[],
                array_to_tsvector(u.words::text[]), u.marks, u.low_word_marks,
                u.high_word_marks
           FROM log_heads h,
                unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[], $5::text[],
                       $6::timestamptz[], $7::text[], $8::text[], $9::uuid[], $10::text[],
                       $11::uuid[], $12::text[], $13::bigint[], $14::bigint[], $15::text[],
                       $16::text[], $17::bigint[], $18::bigint[], $19::bigint[])
                AS u (appointment_id, start_at, end_at, status, hold_expires_at, category, tags,
                      service_id, resource_ids, client_id, title, version, position, terms, words,
                      marks, low_word_marks, high_word_marks)
          WHERE h.tenant_id = $1
         ON CONFLICT (tenant_id, appointment_id) DO UPDATE
            SET start_at = excluded.start_at, end_at = excluded.end_at, status = excluded.status,
                hold_expires_at = excluded.hold_expires_at, category = excluded.category,
                tags = excluded.tags, service_id = excluded.service_id,
                resource_ids = excluded.resource_ids, client_id = excluded.client_id,
                title = excluded.title, version = excluded.version, position = excluded.position,
                terms = excluded.terms, words = excluded.words,
                marks = excluded.marks, low_word_marks = excluded.low_word_marks,
                high_word_marks = excluded.high_word_marks",
    ))
    .bind(tenant.as_str())
    .bind(each.clone().map(|row| row.appointment_id.uuid()).collect::<Vec<_>>())
    .bind(each.clone().map(|row| row.during.start()).collect::<Vec<_>>())
    .bind(each.clone().map(|row| row.during.end()).collect::<Vec<_>>())
    .bind(each.clone().map(|row| row.status.as_str()).collect::<Vec<_>>())
    .bind(each.clone().map(|row| row.hold_expires_at).collect::<Vec<_>>())
    .bind(each.clone().map(|row| row.category.as_str()).collect::<Vec<_>>())
    .bind(
        each.clone()
            .map(|row| array::of_text(row.tags.iter().map(daybook_domain::Tag::as_str)))
            .collect::<Vec<_>>(),
    )
    .bind(each.clone().map(|row| row.service_id.uuid()).collect::<Vec<_>>())
    .bind(each.clone().map(|row| array::of_plain(row.resource_ids.iter())).collect::<Vec<_>>())
    .bind(each.clone().map(|row| row.client_id.uuid()).collect::<Vec<_>>())
    .bind(each.clone().map(|row| row.title.as_str()).collect::<Vec<_>>())
    .bind(each.clone().map(|row| row.version.cast_signed()).collect::<Vec<_>>())
    .bind(each.clone().map(|row| row.position.as_i64()).collect::<Vec<_>>())
    .bind(each.clone().map(|row| array::of_plain(terms.row(row))).collect::<Vec<_>>())
    .bind(
        each.map(|row| {
            array::of_text(words::lexemes(tenant, &row.title).iter().map(String::as_str))
        })
        .collect::<Vec<_>>(),
    )
    .bind(marks.iter().map(|[known, _, _]| *known).collect::<Vec<_>>())
    .bind(marks.iter().map(|[_, low, _]| *low).collect::<Vec<_>>())
    .bind(marks.iter().map(|[_, _, high]| *high).collect::<Vec<_>>())
    .execute(tables.connection())
    .await?;
    if saved.rows_affected() != rows.len() as u64 {
        return Err(sqlx::Error::RowNotFound);
    }
    Ok(())
}
