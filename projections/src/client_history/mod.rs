//! The client-history projection: each client's appointments, and what became of them.
//!
//! * `fold`: what the events of a batch make of the rows; `write`: the rows in one statement; `bulk`: those of
//!   whole streams.
//! * `list`: pages of a client's history, and what it comes to.

mod bulk;
mod fold;
mod list;
mod row;
#[cfg(test)]
mod tests;
mod write;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use daybook_domain::{ClientId, TenantId};
use daybook_store::RecordedEvent;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use sqlx::PgPool;

pub use list::Summary;
pub use row::{CalledOff, PastAppointment};

use crate::{
    ApplyError, Backfill, Cursor, Limit, Page, PageError, Projection, ProjectionId, TableSpec,
    Tables, needed,
};

/// The client-history projection. Made from a pool, it also answers.
#[derive(Debug, Clone)]
pub struct ClientHistory {
    pool: PgPool,
}

impl ClientHistory {
    /// Its name and version.
    pub const ID: ProjectionId = ProjectionId { name: "client_history", version: 1 };

    /// The projection in this database.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// What all appointments of a client come to.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn summary(
        &self,
        tenant: &TenantId,
        client: ClientId,
    ) -> Result<Summary, sqlx::Error> {
        list::summary(&self.pool, tenant, client).await
    }

    /// A page of the appointments of a client that start from an instant on and before another, by
    /// start. `now` decides which holds have lapsed.
    ///
    /// # Errors
    /// When the cursor is not of this list, or the database fails.
    pub async fn page(
        &self,
        tenant: &TenantId,
        client: ClientId,
        bounds: (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
        cursor: Option<&Cursor>,
        limit: Limit,
        now: DateTime<Utc>,
    ) -> Result<Page<PastAppointment>, PageError> {
        list::page(&self.pool, tenant, client, bounds, cursor, limit, now).await
    }
}

impl Projection for ClientHistory {
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
        vec![&row::APPOINTMENTS]
    }

    fn backfill(&self) -> Backfill {
        Backfill::Copy(Arc::new(self.clone()))
    }

    fn apply<'a>(
        &'a self,
        tables: &'a mut Tables<'_>,
        tenant: &'a TenantId,
        events: &'a [RecordedEvent],
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        async move {
            let stored = write::load(tables, tenant, &needed::appointments(events)).await?;
            let rows = fold::fold(stored, events)?;
            Ok(write::save(tables, tenant, rows).await?)
        }
        .boxed()
    }
}
