//! The utilisation projection: how much of what resources offer is booked, day by day.
//!
//! * `offered`, `booked`: what the events of a stream make of its rows, without a database.
//! * `apply`: how a batch changes them; `resources`, `taken`: the rows.
//! * `list`: the figures; `dimension`: by what they are grouped; `as_of`: what they were.
//!
//! What counts as offered and as booked: `docs/adr/0018-what-was-offered-stays.md`.

mod apply;
mod as_of;
mod booked;
mod dimension;
mod list;
mod offered;
mod resources;
mod taken;
#[cfg(test)]
mod tests;

use daybook_domain::TenantId;
use daybook_store::RecordedEvent;
use daybook_store::log::Moment;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use sqlx::PgPool;

pub use dimension::{Dimension, Dimensions, DimensionsError};
pub use list::{Figures, FiguresPage, UtilisationFilter};

use crate::basis::Snapshot;
use crate::{
    ApplyError, Basis, Cursor, Limit, PageError, Projection, ProjectionId, TableSpec, Tables,
};

/// How often figures are read anew because their tables were replaced meanwhile: that happens once in a rebuild.
const MAX_LOOKS: usize = 3;

/// The utilisation projection. Made from a pool, it also answers.
#[derive(Debug, Clone)]
pub struct Utilisation {
    pool: PgPool,
}

impl Utilisation {
    /// Its name and version.
    pub const ID: ProjectionId = ProjectionId { name: "utilisation", version: 5 };

    /// How many bookings, each by its day and resource, figures are added up of.
    pub const MAX_ROWS: u32 = 75_000;

    /// Of how many resources, and of how many bookings of them, figures of the past are worked out at once.
    pub const MAX_PAST_RESOURCES: u32 = 500;
    pub const MAX_PAST_BOOKINGS: u32 = 10_000;

    /// The projection in this database.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// A page of figures, one item for each group that has any, in the order of the dimensions; with a moment, as they
    /// were known then.
    ///
    /// # Errors
    /// When the cursor is not of this list, or the database fails.
    pub async fn page(
        &self,
        tenant: &TenantId,
        filter: &UtilisationFilter,
        by: Dimensions,
        page: (Option<&Cursor>, Limit),
        moment: Option<Moment>,
    ) -> Result<FiguresPage, PageError> {
        match moment {
            None => list::now(&mut *self.pool.acquire().await?, tenant, filter, by, page).await,
            Some(moment) => list::then(&self.pool, tenant, filter, by, page, moment).await,
        }
    }

    /// A page of now, and what it rests on: `seen`, or what has come since. `None`: its tables were replaced each time that it
    /// was read.
    ///
    /// # Errors
    /// As [`page`](Self::page).
    pub async fn page_on(
        &self,
        tenant: &TenantId,
        filter: &UtilisationFilter,
        by: Dimensions,
        page: (Option<&Cursor>, Limit),
        seen: &Basis,
    ) -> Result<Option<(FiguresPage, Basis)>, PageError> {
        let mut seen = seen.clone();
        for _ in 0..MAX_LOOKS {
            let mut snapshot = Snapshot::begin(&self.pool, tenant, &seen).await?;
            let found = list::now(snapshot.connection(), tenant, filter, by, page).await?;
            if let Some(basis) = snapshot.end().await? {
                return Ok(Some((found, basis)));
            }
            let Some(anew) = Basis::now(&self.pool, tenant, Self::ID).await? else { break };
            seen = anew;
        }
        Ok(None)
    }
}

impl Projection for Utilisation {
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
        vec![&resources::RESOURCES, &resources::OFFERED, &taken::TAKEN]
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
