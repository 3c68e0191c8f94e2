//! The waiting-list projection: who waits for what, in turn, and what has become of them.
//!
//! * `row`: an entry; `fold`: what events make of it; `write`: the rows.
//! * `list`: pages for whoever looks, and what the promotion of the waiting list works through.
//!
//! It follows the holds that are offered too: an entry shows what has become of its offer before
//! that is recorded of the entry itself.

mod fold;
mod list;
mod row;
#[cfg(test)]
mod tests;
mod write;

use chrono::{DateTime, Utc};
use daybook_domain::{ServiceId, TenantId, WaitingEntryId};
use daybook_store::{Position, RecordedEvent};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use sqlx::PgPool;

pub use list::{AnybodyWaits, WaitingFilter, WaitingTenant};
pub use row::Entry;

use crate::{
    ApplyError, Cursor, Due, DueQuery, Limit, Page, PageError, Projection, ProjectionId, TableSpec,
    Tables,
};

/// The waiting-list projection. Made from a pool, it also answers.
#[derive(Debug, Clone)]
pub struct WaitingList {
    pool: PgPool,
}

impl WaitingList {
    /// Its name and version.
    pub const ID: ProjectionId = ProjectionId { name: "waiting", version: 3 };

    /// The projection in this database.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// A page of the entries, in the order in which they were joined, as they are at `now`.
    ///
    /// # Errors
    /// When the cursor is not of this list, or the database fails.
    pub async fn page(
        &self,
        tenant: &TenantId,
        filter: &WaitingFilter,
        cursor: Option<&Cursor>,
        limit: Limit,
        now: DateTime<Utc>,
    ) -> Result<Page<Entry>, PageError> {
        list::page(&self.pool, tenant, filter, cursor, limit, now).await
    }

    /// A page of the entries of a service, of a client or of all that had been joined by a position, in that order.
    /// Which list that is, the filter says; what had become of each is still to be seen.
    ///
    /// # Errors
    /// When the cursor is not of this list at this position, or the database fails.
    pub async fn joined_by(
        &self,
        tenant: &TenantId,
        filter: &WaitingFilter,
        at: Position,
        page: (Option<&Cursor>, Limit),
    ) -> Result<Page<WaitingEntryId>, PageError> {
        list::joined_by(&self.pool, tenant, filter, at, page).await
    }

    /// How many have waited for the service longer than this entry and are still waiting at `now`;
    /// `None`: it does not wait.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn before(
        &self,
        tenant: &TenantId,
        service: ServiceId,
        entry: WaitingEntryId,
        now: DateTime<Utc>,
    ) -> Result<Option<u64>, sqlx::Error> {
        list::before(&self.pool, tenant, service, entry, now).await
    }

    /// Tenants of whom somebody waits, those after `after` in the order of their ids, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tenants(
        &self,
        after: Option<&TenantId>,
        limit: u32,
    ) -> Result<Vec<WaitingTenant>, sqlx::Error> {
        list::tenants(&self.pool, after, limit).await
    }

    /// Whether anybody waits of these tenants.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn whether_anybody_waits(
        &self,
        tenants: &[TenantId],
    ) -> Result<Vec<AnybodyWaits>, sqlx::Error> {
        list::whether_anybody_waits(&self.pool, tenants).await
    }

    /// Those who wait at `now` and joined after a position, in turn.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn in_turn(
        &self,
        tenant: &TenantId,
        after: Position,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Entry>, sqlx::Error> {
        list::in_turn(&self.pool, tenant, after, now, limit).await
    }

    /// Those of all tenants of whom something is to be recorded, or soon will be: their hold has ended, or their
    /// wishes have passed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn due(&self, query: DueQuery<'_>) -> Result<Vec<Due<WaitingEntryId>>, sqlx::Error> {
        list::due(&self.pool, query).await
    }
}

#[cfg(test)]
impl WaitingList {
    pub(crate) fn due_statement() -> String {
        list::DUE.live()
    }
}

impl Projection for WaitingList {
    fn id(&self) -> ProjectionId {
        Self::ID
    }

    fn ddl(&self) -> &'static str {
        include_str!("schema.sql")
    }

    fn indexes(&self) -> &'static str {
        include_str!("indexes.sql")
    }

    fn tables(&self) -> Vec<&'static dyn TableSpec> {
        vec![&row::ENTRIES]
    }

    fn apply<'a>(
        &'a self,
        tables: &'a mut Tables<'_>,
        tenant: &'a TenantId,
        events: &'a [RecordedEvent],
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        async move {
            let stored = write::load(tables, tenant, &fold::needed(events)).await?;
            let touched = fold::fold(stored, events)?;
            write::save(tables, tenant, touched).await
        }
        .boxed()
    }
}
