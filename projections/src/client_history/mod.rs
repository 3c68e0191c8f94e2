//! Client history: each client's appointments, what became of them, and what they come to.
//!
//! It reads the rows of [`crate::appointments`]. `list`: pages, and their summary.

mod list;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use daybook_domain::{ClientId, TenantId};
use sqlx::PgPool;

pub use list::{PastAppointment, Summary};

pub use crate::appointments::version::{Cancelled, Outcome};

use crate::{Cursor, Limit, Page, PageError};

/// What became of clients' appointments.
#[derive(Debug, Clone)]
pub struct ClientHistory {
    pool: PgPool,
}

impl ClientHistory {
    /// Of the appointments in this database.
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
