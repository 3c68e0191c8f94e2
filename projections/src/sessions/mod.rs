//! The sessions projection: the sessions of a tenant, by when they start.
//!
//! * `fold`: what events make of a session; `rows`: how a batch of them changes the rows.
//! * `list`: pages.

pub(crate) mod fold;
mod list;
mod rows;
#[cfg(test)]
mod tests;

use cqrs_es::Aggregate as _;
use daybook_domain::TenantId;
use daybook_domain::session::Session;
use daybook_store::RecordedEvent;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use sqlx::PgPool;

pub use list::{ListedSession, SessionFilter};

use crate::{
    ApplyError, Backfill, Cursor, Limit, Page, PageError, Projection, ProjectionId, TableSpec,
    Tables,
};

/// The sessions projection. Made from a pool, it also answers.
#[derive(Debug, Clone)]
pub struct Sessions {
    pool: PgPool,
}

impl Sessions {
    /// Its name and version.
    pub const ID: ProjectionId = ProjectionId { name: "sessions", version: 2 };

    /// The projection in this database.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// A page of sessions, by start.
    ///
    /// # Errors
    /// When the cursor is not of this list, or the database fails.
    pub async fn page(
        &self,
        tenant: &TenantId,
        filter: &SessionFilter,
        cursor: Option<&Cursor>,
        limit: Limit,
    ) -> Result<Page<ListedSession>, PageError> {
        list::page(&self.pool, tenant, filter, cursor, limit).await
    }
}

impl Projection for Sessions {
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
        vec![&rows::SESSIONS]
    }

    fn backfill(&self) -> Backfill {
        Backfill::ByStream(&[Session::TYPE])
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
