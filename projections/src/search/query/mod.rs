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
use daybook_store::Position;
use daybook_store::log::Moment;
use sqlx::PgPool;

use super::filter::{SearchFilter, Sort, Sought};
use super::row::FoundAppointment;
use super::signature::Signature;
use super::terms::TermsOf;
use crate::appointments::Appointments;
use crate::page::cursor::List;
use crate::page::keyset::Keyset;
use crate::{Cursor, Limit, Page, PageError, Schema};
use hunt::Hunt;

/// All statements of a page look at the same rows, and a page changes none. An estimate that is
/// wrong (a new tenant, two filters that exclude each other) must not end in reading the table.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
     SET LOCAL enable_seqscan = off";

/// Which appointments are searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// As they are now: the versions that have not ended.
    Now,
    /// As they were after the event at that position: of the versions that each has had, one for each of its
    /// events, the one that was valid then.
    AsOf(Position),
}

/// A table of the projection.
fn table(name: &str) -> String {
    format!("{}.{name}", Schema::of(Appointments::ID))
}

/// What is asked for.
#[derive(Clone)]
pub(crate) struct Asked<'a> {
    tenant: &'a TenantId,
    filter: &'a SearchFilter,
    sort: Sort,
    limit: Limit,
    now: DateTime<Utc>,
    source: Source,
    terms: TermsOf,
    sought: Sought,
    /// See [`SearchFilter::signatures`].
    signatures: Vec<Vec<Signature>>,
    /// Entries of an index that a walk through all reads for each row that is wanted.
    walk_factor: usize,
}

/// Of what is known now.
const WALK_FACTOR: u64 = 80;
/// Most of what a walk meets was not known long ago, and a sieve does not even meet that. So a walk is
/// the shorter the less was known, down to this.
const LEAST_WALK_FACTOR: usize = 20;
/// A walk of each length is a statement of its own, so these are few.
const WALK_FACTOR_STEP: usize = 10;

impl<'a> Asked<'a> {
    pub(crate) fn new(
        tenant: &'a TenantId,
        filter: &'a SearchFilter,
        sort: Sort,
        limit: Limit,
        now: DateTime<Utc>,
    ) -> Self {
        let terms = TermsOf::new(tenant);
        let sought = filter.sought(&terms);
        let signatures = filter.signatures(&terms);
        let (source, walk_factor) = (Source::Now, walk_factor(1, 1));
        Self { tenant, filter, sort, limit, now, source, terms, sought, signatures, walk_factor }
    }

    /// The same among what was known at a moment.
    pub(crate) fn known_at(self, moment: Moment) -> Self {
        let walk_factor = walk_factor(moment.position.get(), moment.head.get());
        Self { source: Source::AsOf(moment.position), walk_factor, ..self }
    }

    /// Which list it is: a page belongs to the moment that its first one was of.
    fn list(&self) -> List {
        let list = self.filter.list(self.tenant, self.sort);
        match self.source {
            Source::Now => list,
            Source::AsOf(position) => list.at(position.get()),
        }
    }
}

/// With the root of the share that was known: with a quarter of the log, a walk is half as long.
fn walk_factor(known: u64, all: u64) -> usize {
    let squared = WALK_FACTOR * WALK_FACTOR * known.min(all) / all.max(1);
    let factor = usize::try_from(squared.isqrt()).unwrap_or_default();
    factor.next_multiple_of(WALK_FACTOR_STEP).max(LEAST_WALK_FACTOR)
}

pub(crate) async fn page(
    pool: &PgPool,
    asked: &Asked<'_>,
    cursor: Option<&Cursor>,
) -> Result<Page<FoundAppointment>, PageError> {
    let keyset = Keyset::new(asked.list(), cursor, asked.limit)?;
    let mut hunt = Hunt::new(asked, keyset.after().copied());
    let mut tx = pool.begin_with(BEGIN).await?;
    while let Some(statement) = hunt.next() {
        hunt.take(statement.run(asked, &mut tx).await?);
    }
    tx.commit().await?;
    let (items, next) = hunt.page();
    Ok(Page { items, next: next.map(|key| keyset.cursor(&key)) })
}
