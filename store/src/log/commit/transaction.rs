//! One batch, one transaction: take the head, load, resolve, write, commit.

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use sqlx::{Connection as _, PgConnection, Postgres, Transaction};

use super::connections::bounded;
use super::fault::append_error;
use super::head_cache::HeadCache;
use super::load;
use super::plan::Plan;
use crate::log::head::{self, Head};
use crate::log::submission::{AppendError, Submission, Verdict};

/// Why a batch got no verdicts.
#[derive(Debug)]
pub(super) enum BatchError {
    /// Nothing was done.
    Failed(sqlx::Error),
    /// The connection died in the commit. If it succeeded, the log ended like this.
    Unknown(sqlx::Error, Head, Vec<Verdict>),
    /// There is nothing to append to.
    UnknownTenant,
}

impl BatchError {
    /// The connection failed in a commit after which the log ends at `new`.
    fn of_commit(error: sqlx::Error, old: Head, new: Head, verdicts: Vec<Verdict>) -> Self {
        // Without an event there is nothing to find it by, and nothing that must not happen twice.
        if old.position == new.position {
            Self::Failed(error)
        } else {
            Self::Unknown(error, new, verdicts)
        }
    }
}

impl From<sqlx::Error> for BatchError {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<&BatchError> for AppendError {
    fn from(error: &BatchError) -> Self {
        match error {
            BatchError::Failed(error) => append_error(error),
            BatchError::Unknown(..) => Self::OutcomeUnknown,
            BatchError::UnknownTenant => Self::UnknownTenant,
        }
    }
}

/// A transaction that holds the end of a tenant's log.
pub(super) struct HeldHead<'c> {
    tx: Transaction<'c, Postgres>,
    head: Head,
}

impl<'c> HeldHead<'c> {
    /// Waits until nobody else holds the end of the log.
    pub(super) async fn take(
        connection: &'c mut PgConnection,
        tenant: &TenantId,
    ) -> Result<Self, BatchError> {
        let mut tx = bounded(connection.begin()).await?;
        let head = bounded(head::lock(&mut tx, tenant)).await?.ok_or(BatchError::UnknownTenant)?;
        Ok(Self { tx, head })
    }

    /// Appends what can be appended of the tenant's submissions, and gives each its verdict, with everything
    /// loaded. Three round trips, for which everybody else who writes this log waits.
    pub(super) async fn commit(
        self,
        tenant: &TenantId,
        submissions: &[Submission],
        now: DateTime<Utc>,
        cache: &mut HeadCache,
    ) -> Result<Vec<Verdict>, BatchError> {
        let Self { mut tx, head } = self;
        cache.arrive_at(head);
        let state =
            bounded(load::state(&mut tx, tenant, head.position, submissions, cache)).await?;
        let Plan { rows, new_head, verdicts, state } =
            Plan::new(tenant, submissions, head, state, now, None)?;
        let Some(rows) = rows else {
            bounded(tx.rollback()).await?;
            return Ok(verdicts);
        };
        bounded(rows.write(&mut tx)).await?;
        if let Err(error) = bounded(tx.commit()).await {
            tracing::warn!(%error, %tenant, "the connection failed in a commit");
            return Err(BatchError::of_commit(error, head, new_head, verdicts));
        }
        cache.advance(new_head, state.versions);
        Ok(verdicts)
    }
}
