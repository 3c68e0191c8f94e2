//! The notices projection: what clients are to be told of their appointments, and what they were told.
//!
//! * `row`: the rows; `fold`: what events make of them. `list`: what is due.
//!
//! What is to be told follows from what an appointment is at present and what its client was told last: no event says so.
//! Appointments of which nobody is told have no rows.

mod fold;
mod list;
mod row;
#[cfg(test)]
mod tests;

use cqrs_es::Aggregate as _;
use daybook_domain::notice::Notice;
use daybook_domain::{NoticeId, TenantId};
use daybook_store::{AnyEvent, RecordedEvent};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use sqlx::PgPool;
use uuid::Uuid;

pub use row::NoticeRow;

use crate::change::{self, AppointmentChanges};
use crate::{ApplyError, Due, DueQuery, Projection, ProjectionId, TableSpec, Tables};

/// The notices projection. Made from a pool, it also answers.
#[derive(Debug, Clone)]
pub struct Notices {
    pool: PgPool,
}

impl Notices {
    /// Its name and version.
    pub const ID: ProjectionId = ProjectionId { name: "notices", version: 1 };

    /// The projection in this database.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Those of all tenants with which something is to be done, or soon will be.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn due(&self, query: DueQuery<'_>) -> Result<Vec<Due<NoticeId>>, sqlx::Error> {
        list::due(&self.pool, query).await
    }

    /// For how many seconds it has been so what a client is not told yet, of all the longest, however often it was tried.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn overdue(&self) -> Result<f64, sqlx::Error> {
        list::overdue(&self.pool).await
    }

    /// What is known of one; `None`: its client is not told of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn one(
        &self,
        tenant: &TenantId,
        id: NoticeId,
    ) -> Result<Option<NoticeRow>, sqlx::Error> {
        list::one(&self.pool, tenant, id).await
    }
}

impl Projection for Notices {
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
        vec![&row::NOTICES]
    }

    fn apply<'a>(
        &'a self,
        tables: &'a mut Tables<'_>,
        tenant: &'a TenantId,
        events: &'a [RecordedEvent],
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        async move {
            let earlier = change::earlier(tables, tenant, events).await?;
            let changes = AppointmentChanges::of(&earlier, events)?;
            let ids = fold::touched(&changes, events);
            let known = row::NOTICES.load(tables, tenant, ids).await?;
            let earlier = change::earlier_of(Notice::TYPE, notice, tables, tenant, events).await?;
            let rows = fold::rows(known, &changes, &earlier, events)?;
            row::NOTICES.upsert(tables, tenant, &rows).await
        }
        .boxed()
    }
}

fn notice(event: &AnyEvent) -> Option<Uuid> {
    match event {
        AnyEvent::Notice(id, _) => Some(id.uuid()),
        _ => None,
    }
}
