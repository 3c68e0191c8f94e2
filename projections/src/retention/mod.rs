//! The retention projection: since when clients have nothing before or behind them, for whoever erases those of whom that is long ago.
//!
//! * `rows`: a client and what they have, and how a batch of events changes these.
//! * `list`: who is idle since before a moment.
//!
//! What counts is when an appointment ends that was neither cancelled nor given up, and when the days are over that somebody waits
//! for who still waits. It can be taken back: an appointment that was to be the last may be cancelled.

mod list;
mod rows;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use daybook_domain::{ClientId, TenantId};
use daybook_store::RecordedEvent;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use sqlx::PgPool;

pub use list::{IdleClient, IdleCount, MOST_COUNTED};

use crate::{ApplyError, Limit, Projection, ProjectionId, TableSpec, Tables};

/// The retention projection. Made from a pool, it also answers.
#[derive(Debug, Clone)]
pub struct Retention {
    pool: PgPool,
}

impl Retention {
    /// Its name and version.
    pub const ID: ProjectionId = ProjectionId { name: "retention", version: 1 };

    /// The projection in this database.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Clients who are idle since before this moment, those who are so longest first: nobody who is erased, restricted or under legal hold,
    /// and none of `but`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn idle(
        &self,
        tenant: &TenantId,
        before: DateTime<Utc>,
        but: &[ClientId],
        limit: Limit,
    ) -> Result<Vec<IdleClient>, sqlx::Error> {
        list::idle(&self.pool, tenant, before, but, limit).await
    }

    /// Since when whoever is idle longest of these is so; it may be to come. `None`: there is nobody.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn longest(&self, tenant: &TenantId) -> Result<Option<DateTime<Utc>>, sqlx::Error> {
        list::longest(&self.pool, tenant).await
    }

    /// How many clients are idle since before this moment, and how many more are kept although they are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count(
        &self,
        tenant: &TenantId,
        before: DateTime<Utc>,
    ) -> Result<IdleCount, sqlx::Error> {
        list::count(&self.pool, tenant, before).await
    }
}

impl Projection for Retention {
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
        vec![&rows::ENGAGEMENTS, &rows::CLIENTS]
    }

    fn apply<'a>(
        &'a self,
        tables: &'a mut Tables<'_>,
        tenant: &'a TenantId,
        events: &'a [RecordedEvent],
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        rows::apply(tables, tenant, events).boxed()
    }
}
