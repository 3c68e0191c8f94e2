//! The columns of an appointment in a table that is searched: as arrays for one statement, where a row's place
//! in each of them is the same, and row by row for COPY.

use daybook_domain::{ResourceId, Tag, TenantId};
use sqlx::Postgres;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;

use super::row::FoundAppointment;
use super::terms::TermsOf;
use super::words;
use crate::{ApplyError, CopyRows, array};

/// Their names, in their order.
pub(crate) const NAMES: &str = "appointment_id, start_at, end_at, status, hold_expires_at, category, \
     tags, service_id, resource_ids, client_id, title, version, position, terms, words, marks, \
     low_word_marks, high_word_marks";

/// The same, taken out of the arrays, which are called `u`.
pub(crate) const VALUES: &str = "u.appointment_id, u.start_at, u.end_at, u.status, \
     u.hold_expires_at, u.category, u.tags::text[], u.service_id, u.resource_ids::uuid[], \
     u.client_id, u.title, u.version, u.position, ($21::bigint[])[u.first_term:u.last_term], \
     u.words, u.marks, u.low_word_marks, u.high_word_marks";

/// The arrays by their names, in their order. The terms of all rows are one array, and each row has a
/// place in it: there are many, and as texts they would have to be written and read one by one.
pub(crate) const GIVEN: &str = "appointment_id, start_at, end_at, status, hold_expires_at, category, \
     tags, service_id, resource_ids, client_id, title, version, position, first_term, last_term, \
     words, marks, low_word_marks, high_word_marks";

/// The arrays; `$1` is the tenant.
pub(crate) const ARRAYS: &str = "$2::uuid[], $3::timestamptz[], $4::timestamptz[], $5::text[], \
     $6::timestamptz[], $7::text[], $8::text[], $9::uuid[], $10::text[], $11::uuid[], \
     $12::text[], $13::bigint[], $14::bigint[], $15::int[], $16::int[], $17::text[], \
     $18::bigint[], $19::bigint[], $20::bigint[]";

/// A statement, with the tenant and the arrays.
pub(crate) fn bind<'q>(
    sql: &'q str,
    tenant: &'q TenantId,
    rows: &[(&FoundAppointment, Vec<i64>)],
) -> Query<'q, Postgres, PgArguments> {
    let terms_of = TermsOf::new(tenant);
    let mut terms: Vec<i64> = Vec::new();
    let known = rows.iter().map(|(row, more)| {
        let before = terms.len();
        let (of_row, marks) = terms_of.row(row);
        terms.extend(of_row.iter().chain(more));
        ((place(before + 1), place(terms.len())), marks.columns())
    });
    let (places, marks): (Vec<_>, Vec<_>) = known.unzip();
    let each = rows.iter().map(|(row, _)| *row);
    let tags = |row: &FoundAppointment| array::of_text(row.tags.iter().map(Tag::as_str));
    sqlx::query(sql)
        .bind(tenant.as_str())
        .bind(each.clone().map(|row| row.appointment_id.uuid()).collect::<Vec<_>>())
        .bind(each.clone().map(|row| row.during.start()).collect::<Vec<_>>())
        .bind(each.clone().map(|row| row.during.end()).collect::<Vec<_>>())
        .bind(each.clone().map(|row| row.status.as_str()).collect::<Vec<_>>())
        .bind(each.clone().map(|row| row.hold_expires_at).collect::<Vec<_>>())
        .bind(each.clone().map(|row| row.category.as_str().to_owned()).collect::<Vec<_>>())
        .bind(each.clone().map(tags).collect::<Vec<_>>())
        .bind(each.clone().map(|row| row.service_id.uuid()).collect::<Vec<_>>())
        .bind(each.clone().map(|row| array::of_plain(row.resource_ids.iter())).collect::<Vec<_>>())
        .bind(each.clone().map(|row| row.client_id.uuid()).collect::<Vec<_>>())
        .bind(each.clone().map(|row| row.title.as_str().to_owned()).collect::<Vec<_>>())
        .bind(each.clone().map(|row| row.version.cast_signed()).collect::<Vec<_>>())
        .bind(each.clone().map(|row| row.position.as_i64()).collect::<Vec<_>>())
        .bind(places.iter().map(|(first, _)| *first).collect::<Vec<_>>())
        .bind(places.iter().map(|(_, last)| *last).collect::<Vec<_>>())
        .bind(each.map(|row| words::line(&row.title)).collect::<Vec<_>>())
        .bind(marks.iter().map(|[known, _, _]| *known).collect::<Vec<_>>())
        .bind(marks.iter().map(|[_, low, _]| *low).collect::<Vec<_>>())
        .bind(marks.iter().map(|[_, _, high]| *high).collect::<Vec<_>>())
        .bind(terms)
}

/// A place in an array, from 1.
fn place(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

/// The rows of a tenant, for COPY: `(tenant_id, ` [`NAMES`] `)`, and whatever the table has besides.
pub(crate) struct Copied<'a> {
    tenant: &'a TenantId,
    terms: TermsOf,
}

impl<'a> Copied<'a> {
    pub(crate) fn new(tenant: &'a TenantId) -> Self {
        Self { tenant, terms: TermsOf::new(tenant) }
    }

    pub(crate) const fn terms(&self) -> &TermsOf {
        &self.terms
    }

    /// Adds a row; what is in its `besides` other columns is pushed by the caller.
    pub(crate) fn row<'r>(
        &self,
        rows: &'r mut CopyRows,
        besides: i16,
        row: &FoundAppointment,
        more_terms: &[i64],
    ) -> Result<&'r mut CopyRows, ApplyError> {
        let tags: Vec<&str> = row.tags.iter().map(Tag::as_str).collect();
        let resources: Vec<_> = row.resource_ids.iter().map(ResourceId::uuid).collect();
        let (mut terms, marks) = self.terms.row(row);
        terms.extend_from_slice(more_terms);
        let [known, low, high] = marks.columns();
        rows.row(19 + besides)
            .push(self.tenant.as_str())?
            .push(row.appointment_id.uuid())?
            .push(row.during.start())?
            .push(row.during.end())?
            .push(row.status.as_str())?
            .push(row.hold_expires_at)?
            .push(row.category.as_str())?
            .push(tags)?
            .push(row.service_id.uuid())?
            .push(resources)?
            .push(row.client_id.uuid())?
            .push(row.title.as_str())?
            .push(row.version.cast_signed())?
            .push(row.position.as_i64())?
            .push(terms)?
            .push(words::line(&row.title).as_str())?
            .push(known)?
            .push(low)?
            .push(high)
    }
}
