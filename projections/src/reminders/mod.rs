//! The reminders projection: which reminders are planned, and what has become of the others.
//!
//! * `row`: the rows; `fold`: what events make of them; `write`: how they are read and written.
//! * `list`: what is due, and lists for whoever looks.
//!
//! What is planned follows from booked appointments, the rules of their services and the clocks of their resources: it is
//! worked out anew whenever one of them changes, and no event says so. What has become of a reminder is what its own stream
//! says, and nothing that is planned replaces it.

mod fold;
mod list;
mod row;
#[cfg(test)]
mod tests;
mod write;

use cqrs_es::Aggregate as _;
use daybook_domain::reminder::Reminder;
use daybook_domain::service::Channel;
use daybook_domain::{ReminderId, TenantId};
use daybook_store::{AnyEvent, RecordedEvent};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use sqlx::PgPool;
use uuid::Uuid;

pub use list::{DueReminder, ReminderFilter};
pub use row::ReminderRow;

use crate::change::{self, AppointmentChanges};
use crate::{
    ApplyError, Cursor, Due, DueQuery, Limit, Page, PageError, Projection, ProjectionId, TableSpec,
    Tables,
};

/// The reminders projection. Made from a pool, it also answers.
#[derive(Debug, Clone)]
pub struct Reminders {
    pool: PgPool,
}

impl Reminders {
    /// Its name and version.
    pub const ID: ProjectionId = ProjectionId { name: "reminders", version: 2 };

    /// The projection in this database.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Those of all tenants with which something is to be done, or soon will be; of webhooks alone, where that is asked for.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn due(
        &self,
        query: DueQuery<'_>,
        channel: Option<Channel>,
    ) -> Result<Vec<Due<ReminderId>>, sqlx::Error> {
        list::due(&self.pool, query, channel).await
    }

    /// For how many seconds that one has been due which is due longest and is not sent, however often it was tried; of webhooks
    /// alone, where that is asked for.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn overdue(&self, channel: Option<Channel>) -> Result<f64, sqlx::Error> {
        list::overdue(&self.pool, channel).await
    }

    /// What is known of one; `None`: it is not planned (any longer), and nothing has become of it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn one(
        &self,
        tenant: &TenantId,
        id: ReminderId,
    ) -> Result<Option<DueReminder>, sqlx::Error> {
        list::one(&self.pool, tenant, id).await
    }

    /// A page of them, in the order in which they are due.
    ///
    /// # Errors
    /// When the cursor is not of this list, or the database fails.
    pub async fn page(
        &self,
        tenant: &TenantId,
        filter: &ReminderFilter,
        cursor: Option<&Cursor>,
        limit: Limit,
    ) -> Result<Page<ReminderRow>, PageError> {
        list::page(&self.pool, tenant, filter, cursor, limit).await
    }
}

impl Projection for Reminders {
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
        vec![&row::APPOINTMENTS, &row::SERVICES, &row::RESOURCES, &row::REMINDERS]
    }

    fn apply<'a>(
        &'a self,
        tables: &'a mut Tables<'_>,
        tenant: &'a TenantId,
        events: &'a [RecordedEvent],
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        async move {
            let earlier = change::earlier(tables, tenant, events).await?;
            let touched = fold::touched(&AppointmentChanges::of(&earlier, events)?);
            let earlier =
                change::earlier_of(Reminder::TYPE, reminder, tables, tenant, events).await?;
            let ledgers = fold::ledgers(&earlier, events)?;
            write::apply(tables, tenant, events, (touched, ledgers)).await
        }
        .boxed()
    }
}

fn reminder(event: &AnyEvent) -> Option<Uuid> {
    match event {
        AnyEvent::Reminder(id, _) => Some(id.uuid()),
        _ => None,
    }
}
