//! A page of appointments: from a filter, an order and a cursor to rows.
//!
//! * `hunt`: which statement is next, and when the page is full. It runs none itself.
//! * `statement`: the statements and what they answer; `walk`: the longest of them.
//! * `stretch`: parts of the order of all appointments.

mod hunt;
mod statement;
mod stretch;
#[cfg(test)]
mod tests;
mod walk;

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use sqlx::PgPool;

use super::cursor::{Cursor, SearchError};
use super::filter::{SearchFilter, Sort, Sought};
use super::marks::Marks;
use super::row::FoundAppointment;
use super::terms::TermsOf;
use crate::{Limit, Page};
use hunt::Hunt;

/// All statements of a page look at the same rows, and a page changes none. An estimate that is
/// wrong (a new tenant, two filters that exclude each other) must not end in reading the table.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
     SET LOCAL enable_seqscan = off";

/// What is asked for.
#[derive(Clone)]
struct Asked<'a> {
    tenant: &'a TenantId,
    filter: &'a SearchFilter,
    sort: Sort,
    limit: Limit,
    now: DateTime<Utc>,
    terms: TermsOf,
    sought: Sought,
    /// See [`SearchFilter::marks`].
    marks: Vec<Vec<Marks>>,
}

impl<'a> Asked<'a> {
    fn new(
        tenant: &'a TenantId,
        filter: &'a SearchFilter,
        sort: Sort,
        limit: Limit,
        now: DateTime<Utc>,
    ) -> Self {
        let terms = TermsOf::new(tenant);
        let sought = filter.sought(tenant, &terms);
        let marks = filter.marks(&terms);
        Self { tenant, filter, sort, limit, now, terms, sought, marks }
    }
}

pub(super) async fn page(
    pool: &PgPool,
    tenant: &TenantId,
    filter: &SearchFilter,
    sort: Sort,
    cursor: Option<&Cursor>,
    limit: Limit,
    now: DateTime<Utc>,
) -> Result<Page<FoundAppointment, Cursor>, SearchError> {
    let search = filter.fingerprint(tenant, sort);
    let after = cursor.map(|cursor| cursor.place(search)).transpose()?;
    let asked = Asked::new(tenant, filter, sort, limit, now);
    let mut hunt = Hunt::new(&asked, after);
    let mut tx = pool.begin_with(BEGIN).await?;
    while let Some(statement) = hunt.next() {
        hunt.take(statement.run(&asked, &mut tx).await?);
    }
    tx.commit().await?;
    let (items, next) = hunt.page();
    Ok(Page { items, next: next.map(|place| Cursor::after(place, search)) })
}
