//! The conflicts projection: the appointments that stand where a resource can no longer be had, and
//! those that would stand so after a change.
//!
//! * `fold`: what the changes of a batch make of the appointments; `judge`: by which state of a
//!   resource each is judged; `apply`: both together; `write`, `stored`, `resources`: the rows.
//! * `list`: pages of what is in conflict, and what a change would break.
//!
//! Whether a resource can be had is the domain's to say
//! ([`ConflictReason::of`](daybook_domain::appointment::ConflictReason::of)).

mod apply;
mod fold;
mod judge;
mod list;
mod resources;
mod row;
mod stored;
#[cfg(test)]
mod tests;
mod write;

use chrono::{DateTime, Utc};
use daybook_domain::resource::Resource;
use daybook_domain::rights::Limits;
use daybook_domain::{ResourceId, TenantId};
use daybook_store::RecordedEvent;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use sqlx::PgPool;

pub use list::{ConflictFilter, InConflict, WouldBreak};

use crate::{
    ApplyError, Cursor, Limit, Page, PageError, Projection, ProjectionId, TableSpec, Tables,
};

/// The conflicts projection. Made from a pool, it also answers.
#[derive(Debug, Clone)]
pub struct Conflicts {
    pool: PgPool,
}

impl Conflicts {
    /// Its name and version.
    pub const ID: ProjectionId = ProjectionId { name: "conflicts", version: 3 };

    /// The most appointments that [`would_break`](Self::would_break) gives.
    pub const MAX_BROKEN: usize = 1_000;

    /// The projection in this database.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// A page of the appointments that start after `now` and are in conflict, by start; of these, those that lie within
    /// the limits, as far as [`Appointments`](crate::appointments::Appointments) has read.
    ///
    /// # Errors
    /// When the cursor is not of this list, or the database fails.
    pub async fn page(
        &self,
        tenant: &TenantId,
        asked: (&ConflictFilter, &Limits),
        cursor: Option<&Cursor>,
        limit: Limit,
        now: DateTime<Utc>,
    ) -> Result<Page<InConflict>, PageError> {
        list::page(&self.pool, tenant, asked, cursor, limit, now).await
    }

    /// The appointments that start after `now` and are in no conflict with the resource, but would be
    /// if it were as `after` says: the first [`MAX_BROKEN`](Self::MAX_BROKEN) of them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn would_break(
        &self,
        tenant: &TenantId,
        resource: ResourceId,
        after: &Resource,
        now: DateTime<Utc>,
    ) -> Result<WouldBreak, sqlx::Error> {
        list::would_break(&self.pool, tenant, resource, after, now, Self::MAX_BROKEN).await
    }
}

impl Projection for Conflicts {
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
        vec![&resources::RESOURCES, &row::APPOINTMENTS, &row::USES]
    }

    fn apply<'a>(
        &'a self,
        tables: &'a mut Tables<'_>,
        tenant: &'a TenantId,
        events: &'a [RecordedEvent],
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        apply::apply(tables, tenant, events).boxed()
    }
}
