//! The search projection: every appointment as it is now, found by any combination of what is
//! known of it.
//!
//! * `bulk`: whole streams to rows. `fold`: what the events of a batch make of the rows; `write`: the rows in one statement.
//! * `terms`, `words`, `marks`, `listing`: what a row can be found by.
//! * `query`: pages of appointments; `holds`: those that have lapsed.
//!
//! Why it is indexed as it is: `docs/adr/0006-search-index.md`.

mod bulk;
pub(crate) mod columns;
mod filter;
pub(crate) mod fold;
mod holds;
mod listing;
mod marks;
pub(crate) mod query;
pub(crate) mod row;
pub(crate) mod terms;
mod words;
mod write;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use daybook_domain::{AppointmentId, TenantId};
use daybook_store::RecordedEvent;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use sqlx::PgPool;

pub use filter::{SearchFilter, Sort, TagsMatch};
pub use row::FoundAppointment;
pub use words::{TitleWords, TitleWordsError};

use query::Asked;

use crate::{
    ApplyError, Backfill, Cursor, Limit, Page, PageError, Projection, ProjectionId, Tables, needed,
};

/// The search projection. Made from a pool, it also answers.
#[derive(Debug, Clone)]
pub struct Search {
    pool: PgPool,
}

impl Search {
    /// Its name and version.
    pub const ID: ProjectionId = ProjectionId { name: "search", version: 3 };

    /// The projection in this database.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
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
        let asked = Asked::new(tenant, filter, sort, limit, now);
        query::page(&self.pool, &asked, cursor).await
    }

    /// The holds that have lapsed by `now` and are not recorded as expired, longest lapsed first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lapsed_holds(
        &self,
        tenant: &TenantId,
        now: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<AppointmentId>, sqlx::Error> {
        holds::lapsed(&self.pool, tenant, now, limit).await
    }
}

impl Projection for Search {
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
        Some("SELECT gin_clean_pending_list('search_3.appointments_terms')")
    }

    fn apply<'a>(
        &'a self,
        tables: &'a mut Tables<'_>,
        tenant: &'a TenantId,
        events: &'a [RecordedEvent],
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        async move {
            let rows = write::load(tables, tenant, &needed::appointments(events)).await?;
            let changed = fold::fold(rows.clone(), events)?;
            write::save(tables, tenant, &changed).await?;
            listing::change(tables, tenant, &rows, &changed).await?;
            Ok(())
        }
        .boxed()
    }
}
