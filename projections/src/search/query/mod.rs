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
use sqlx::PgPool;

use super::cursor::{Cursor, SearchError};
use super::filter::{SearchFilter, Sort, Sought};
use super::marks::Marks;
use super::row::FoundAppointment;
use super::terms::TermsOf;
use crate::page::seal::Fingerprint;
use crate::{Limit, Page};
use hunt::Hunt;

/// All statements of a page look at the same rows, and a page changes none. An estimate that is
/// wrong (a new tenant, two filters that exclude each other) must not end in reading the table.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
     SET LOCAL enable_seqscan = off";

/// Nor in gathering and sorting what can be read in order: rows of the history are grouped by place.
const BEGIN_AS_OF: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
     SET LOCAL enable_seqscan = off; SET LOCAL enable_hashagg = off; SET LOCAL enable_sort = off";

/// Which appointments are searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// As they are now, one row each: `search_2`.
    Now,
    /// As they were after the event at that position: of the rows that each has had, one for each of
    /// its events, the one that was valid then; `history_1`.
    AsOf(Position),
}

impl Source {
    const fn begin(self) -> &'static str {
        match self {
            Self::Now => BEGIN,
            Self::AsOf(_) => BEGIN_AS_OF,
        }
    }

    const fn appointments(self) -> &'static str {
        match self {
            Self::Now => "search_2.appointments",
            Self::AsOf(_) => "history_1.appointments",
        }
    }

    const fn listed(self) -> &'static str {
        match self {
            Self::Now => "search_2.listed",
            Self::AsOf(_) => "history_1.listed",
        }
    }
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
    /// See [`SearchFilter::marks`].
    marks: Vec<Vec<Marks>>,
}

impl<'a> Asked<'a> {
    pub(crate) fn new(
        tenant: &'a TenantId,
        filter: &'a SearchFilter,
        sort: Sort,
        limit: Limit,
        now: DateTime<Utc>,
    ) -> Self {
        let terms = TermsOf::new(tenant);
        let sought = filter.sought(tenant, &terms);
        let marks = filter.marks(&terms);
        Self { tenant, filter, sort, limit, now, source: Source::Now, terms, sought, marks }
    }

    /// The same among what was known at a position, from the rows of the history.
    pub(crate) fn known_at(self, position: Position) -> Self {
        Self { source: Source::AsOf(position), ..self }
    }

    /// Which list it is: a page belongs to the moment that its first one was of.
    fn fingerprint(&self) -> Fingerprint {
        let list = self.filter.fingerprint(self.tenant, self.sort);
        match self.source {
            Source::Now => list,
            Source::AsOf(position) => list.at(position.get()),
        }
    }
}

pub(crate) async fn page(
    pool: &PgPool,
    asked: &Asked<'_>,
    cursor: Option<&Cursor>,
) -> Result<Page<FoundAppointment, Cursor>, SearchError> {
    let search = asked.fingerprint();
    let after = cursor.map(|cursor| cursor.place(search)).transpose()?;
    let mut hunt = Hunt::new(asked, after);
    let mut tx = pool.begin_with(asked.source.begin()).await?;
    while let Some(statement) = hunt.next() {
        hunt.take(statement.run(asked, &mut tx).await?);
    }
    tx.commit().await?;
    let (items, next) = hunt.page();
    Ok(Page { items, next: next.map(|place| Cursor::after(place, search)) })
}
