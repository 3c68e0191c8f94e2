//! The history projection: every appointment and session as it was from one event of it to the next, so
//! that what was known at a moment is found as fast as what is known now.
//!
//! * `fold`: what events make of the rows; `write`, `listing`, `standing`, `sessions`: the rows of a batch;
//!   `bulk`: those of whole streams.
//! * `version`: a row; `calendar`: what was on the calendars of resources. Pages are found by the query
//!   of [`crate::search`], on these rows.
//!
//! Why it is kept as it is: `docs/adr/0017-what-was-is-kept-in-rows.md`.

mod bulk;
mod calendar;
mod fold;
mod listing;
mod sessions;
mod standing;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod version;
mod write;

use std::sync::Arc;

use daybook_domain::claim::Claim;
use daybook_domain::time::Interval;
use daybook_domain::{ResourceId, TenantId};
use daybook_store::log::Moment;
use daybook_store::{Position, RecordedEvent};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use sqlx::PgPool;

pub use calendar::OnCalendar;
pub use version::{AppointmentVersion, Placed, SessionVersion, Until};

use crate::search::query::{self, Asked};
use crate::search::{FoundAppointment, SearchFilter, Sort};
use crate::{
    ApplyError, Backfill, Cursor, Limit, Page, PageError, Projection, ProjectionId, Tables, needed,
};
use fold::Changes;

/// The history projection. Made from a pool, it also answers.
#[derive(Debug, Clone)]
pub struct History {
    pool: PgPool,
}

impl History {
    /// Its name and version.
    pub const ID: ProjectionId = ProjectionId { name: "history", version: 2 };

    /// How many appointments of a resource, or sessions, are looked at as claims.
    const MAX_CLAIMS: usize = 100_000;

    /// The projection in this database.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// A page of the appointments that the filter let through at a moment, as
    /// [`Search::page`](crate::search::Search::page) would have given it then.
    ///
    /// # Errors
    /// When the cursor is not of this search at this moment, or the database fails.
    pub async fn page(
        &self,
        tenant: &TenantId,
        (filter, sort): (&SearchFilter, Sort),
        cursor: Option<&Cursor>,
        limit: Limit,
        moment: Moment,
    ) -> Result<Page<FoundAppointment>, PageError> {
        let asked = Asked::new(tenant, filter, sort, limit, moment.at).known_at(moment);
        query::page(&self.pool, &asked, cursor).await
    }

    /// For each of the resources in turn: what was claimed of it in some part of that time, without
    /// what had lapsed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claims(
        &self,
        tenant: &TenantId,
        resources: &[ResourceId],
        during: Interval,
        moment: Moment,
    ) -> Result<Vec<Vec<Claim>>, sqlx::Error> {
        let as_of = (moment.position, Self::MAX_CLAIMS);
        let calendars = self.calendars(tenant, resources, during, as_of).await?;
        let each = resources.iter().zip(calendars);
        Ok(each.map(|(resource, on)| on.claims(*resource, moment.at)).collect())
    }

    pub(crate) async fn calendars(
        &self,
        tenant: &TenantId,
        resources: &[ResourceId],
        during: Interval,
        as_of: (Position, usize),
    ) -> Result<Vec<OnCalendar>, sqlx::Error> {
        calendar::on(&self.pool, tenant, resources, during, as_of).await
    }
}

impl Projection for History {
    fn id(&self) -> ProjectionId {
        Self::ID
    }

    fn ddl(&self) -> &'static str {
        include_str!("schema.sql")
    }

    fn indexes(&self) -> &'static str {
        include_str!("indexes.sql")
    }

    fn backfill(&self) -> Backfill {
        Backfill::Copy(Arc::new(self.clone()))
    }

    fn maintenance(&self) -> Option<&'static str> {
        Some("SELECT gin_clean_pending_list('history_2.appointments_terms')")
    }

    fn apply<'a>(
        &'a self,
        tables: &'a mut Tables<'_>,
        tenant: &'a TenantId,
        events: &'a [RecordedEvent],
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        async move {
            let latest = write::load(tables, tenant, &needed::appointments(events)).await?;
            let Changes { closed, made } = fold::appointments(latest, events)?;
            standing::add(tables, tenant, &made, &closed).await?;
            let closed = closed.iter().map(|row| {
                let it = &row.appointment;
                (it.appointment_id.uuid(), it.position, row.until)
            });
            let names = ("history_2.appointments", "appointment_id");
            write::close(tables, tenant, names, closed).await?;
            write::insert(tables, tenant, &made).await?;
            listing::insert(tables, tenant, &made).await?;
            sessions::apply(tables, tenant, events).await
        }
        .boxed()
    }
}
