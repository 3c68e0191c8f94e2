//! Search: every appointment as it is now, found by any combination of what is known of it.
//!
//! It reads the rows of [`crate::appointments`].
//!
//! * `terms`, `words`, `signature`: what a row can be found by; `tokens`: by which words of a personal title. `filter`: what is
//!   searched for.
//! * `query`: pages of appointments; `calendar`: all that take place in some time; `holds`: those that have lapsed.
//!
//! Why it is indexed as it is: `docs/adr/0006-search-index.md`.

mod calendar;
mod filter;
mod holds;
pub(crate) mod query;
pub(crate) mod row;
pub(crate) mod signature;
pub(crate) mod terms;
pub(crate) mod tokens;
pub(crate) mod words;

use chrono::{DateTime, Utc};
use daybook_domain::{AppointmentId, TenantId};
use daybook_store::personal::Keyring;
use sqlx::PgPool;

pub use calendar::TakesPlace;
pub use filter::{SearchFilter, Sort, TagsMatch};
pub use row::FoundAppointment;
pub use words::{TitleWords, TitleWordsError};

use query::SearchQuery;

use crate::{Cursor, Due, DueQuery, Limit, Page, PageError, RecordedOrder};

/// Searches in what is so now.
#[derive(Debug, Clone)]
pub struct Search {
    pool: PgPool,
    keyring: Option<Keyring>,
}

impl Search {
    /// Of the appointments in this database.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self { pool, keyring: None }
    }

    /// The same, which finds personal titles, too, by the secrets that are here.
    #[must_use]
    pub fn opened_by(self, keyring: Option<Keyring>) -> Self {
        Self { keyring, ..self }
    }

    /// A page of the appointments that the filter lets through, by their start.
    ///
    /// A page may have fewer items than asked for although there is a next one. `now` decides which
    /// holds have lapsed: those show, and are found, as cancelled.
    ///
    /// # Errors
    /// When the cursor is not of this search, or the database fails.
    pub async fn page(
        &self,
        tenant: &TenantId,
        filter: &SearchFilter,
        sort: Sort,
        cursor: Option<&Cursor>,
        limit: Limit,
        now: DateTime<Utc>,
    ) -> Result<Page<FoundAppointment>, PageError> {
        let asked = SearchQuery::new(tenant, filter, sort, limit, now);
        let asked = asked.with_tokens(self.keyring.as_ref()).await?;
        query::page(&self.pool, &asked, cursor).await
    }

    /// A page of the appointments that the filter lets through, in the order in which they were made or changed.
    ///
    /// A page may have fewer items than asked for although there is a next one.
    ///
    /// # Errors
    /// When the cursor is not of this search, or the database fails.
    pub async fn recorded(
        &self,
        tenant: &TenantId,
        filter: &SearchFilter,
        order: RecordedOrder,
        cursor: Option<&Cursor>,
        limit: Limit,
        now: DateTime<Utc>,
    ) -> Result<Page<FoundAppointment>, PageError> {
        let asked = SearchQuery::new(tenant, filter, Sort::default(), limit, now);
        let asked = asked.with_tokens(self.keyring.as_ref()).await?;
        query::recorded_page(&self.pool, &asked, order, cursor).await
    }

    /// Of the appointments that the filter lets through, the first `limit` that take place, by their start: what was cancelled does
    /// not, nor that to which nobody came, nor a hold that has lapsed at `now`. Those in sessions are left out where
    /// `with_sessions` is not said.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn taking_place(
        &self,
        tenant: &TenantId,
        filter: &SearchFilter,
        with_sessions: bool,
        limit: usize,
        now: DateTime<Utc>,
    ) -> Result<Vec<TakesPlace>, sqlx::Error> {
        calendar::taking_place(&self.pool, tenant, filter, with_sessions, limit, now).await
    }

    /// The holds of all tenants that have lapsed, or soon will, and are not recorded as expired.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn due_holds(
        &self,
        query: DueQuery<'_>,
    ) -> Result<Vec<Due<AppointmentId>>, sqlx::Error> {
        holds::lapsed(&self.pool, query).await
    }
}

#[cfg(test)]
impl Search {
    pub(crate) fn due_statement() -> String {
        holds::LAPSED.live()
    }
}
