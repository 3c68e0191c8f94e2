//! Client history: each client's appointments, what became of them, and what they come to.
//!
//! It reads the rows of [`crate::appointments`]. `list`: pages, and their summary.

mod list;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use daybook_domain::rights::Limits;
use daybook_domain::{ClientId, TenantId};
use daybook_store::log::Moment;
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

    /// What all appointments of a client come to that lie within the limits; at a moment, what they had come to.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn summary(
        &self,
        tenant: &TenantId,
        (client, within): (ClientId, &Limits),
        moment: Option<Moment>,
    ) -> Result<Summary, sqlx::Error> {
        let position = moment.map(|moment| moment.position);
        list::summary(&self.pool, tenant, (client, within), position).await
    }

    /// A page of the appointments of a client that lie within the limits and start from an instant on and before
    /// another, by start. `now` decides which holds have lapsed; with a moment, they are as they were then.
    ///
    /// # Errors
    /// When the cursor is not of this list, or the database fails.
    pub async fn page(
        &self,
        tenant: &TenantId,
        of: (ClientId, &Limits),
        bounds: (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
        page: (Option<&Cursor>, Limit),
        now: DateTime<Utc>,
        moment: Option<Moment>,
    ) -> Result<Page<PastAppointment>, PageError> {
        let seen = (moment.map_or(now, |it| it.at), moment.map(|it| it.position));
        list::page(&self.pool, tenant, of, bounds, page, seen).await
    }
}
