//! What comes to pass by itself, of all tenants at once: one statement, by an index in the order of time. It is the
//! database's clock that says what is due.

use std::fmt::Display;

use chrono::TimeDelta;
use daybook_domain::TenantId;
use sqlx::{PgPool, Row as _};
use uuid::Uuid;

/// How much of what is due longest is looked at. With more in the index than this, who has least of it can have to
/// wait.
const WINDOW: i64 = 20_000;

/// The most that is answered at once, and the most of it that is one tenant's.
pub const MOST_DUE: usize = 512;
const MOST_OF_TENANT: i64 = 64;

/// Something that is due, or soon will be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due<T> {
    pub tenant: TenantId,
    pub id: T,
    /// How long until then; not positive: it is due.
    pub due_in: TimeDelta,
}

impl<T> Due<T> {
    #[must_use]
    pub fn is_due(&self) -> bool {
        self.due_in <= TimeDelta::zero()
    }
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct DueQuery<'a> {
    /// What will be due within this time, too: so it is known for how long there is nothing to do.
    pub ahead: TimeDelta,
    /// What is not asked for.
    pub but: &'a [Uuid],
}

/// A statement of what is due, longest first, but of each tenant a first one before anybody's second.
///
/// `oldest` selects `tenant_id`, `id` and `due_at` of what is due before [`until`], but not what is in `$2`, at most
/// `$3`.
pub(crate) fn fair(oldest: impl Display) -> String {
    format!(
        "SELECT tenant_id, id, extract(epoch FROM due_at - statement_timestamp())::float8 AS due_in
           FROM (SELECT *, row_number() OVER (PARTITION BY tenant_id ORDER BY due_at) AS nth
                   FROM ({oldest}) AS oldest) AS of_tenants
          WHERE nth <= $4
          ORDER BY nth, due_at
          LIMIT $5"
    )
}

/// Until when something is asked for: stable within a statement, so that an index can serve it.
pub(crate) const UNTIL: &str = "statement_timestamp() + make_interval(secs => $1)";

/// Of a tenant that is suspended, nothing is sent: it waits until the tenant is there again, or it is too late. By the primary
/// key, for what is due alone; what is due stands in `d`.
pub(crate) const IS_THERE: &str = "NOT EXISTS (SELECT FROM tenants t
                            WHERE t.tenant_id = d.tenant_id AND t.suspended_at IS NOT NULL)";

pub(crate) async fn due<T: From<Uuid>>(
    pool: &PgPool,
    statement: &str,
    query: DueQuery<'_>,
) -> Result<Vec<Due<T>>, sqlx::Error> {
    let rows = sqlx::query(statement)
        .bind(query.ahead.as_seconds_f64())
        .bind(query.but)
        .bind(WINDOW)
        .bind(MOST_OF_TENANT)
        .bind(i64::try_from(MOST_DUE).unwrap_or(i64::MAX))
        .fetch_all(pool)
        .await?;
    let due = rows.iter().map(|row| {
        let tenant: &str = row.try_get("tenant_id")?;
        let tenant = tenant.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        let seconds: f64 = row.try_get("due_in")?;
        #[expect(clippy::cast_possible_truncation, reason = "a date is in a few thousand years")]
        let due_in = TimeDelta::microseconds((seconds * 1e6) as i64);
        Ok(Due { tenant, id: row.try_get::<Uuid, _>("id")?.into(), due_in })
    });
    due.collect()
}

/// A statement of for how long it has been due what is due longest, in seconds.
///
/// `first` selects `due_at` of what is due and not done, but not of who is suspended ([`IS_THERE`]): when it was due at first, however often it was tried since.
pub(crate) fn overdue_by(first: impl Display) -> String {
    format!(
        "SELECT extract(epoch FROM statement_timestamp() - min(due_at))::float8 FROM ({first}) AS first"
    )
}

/// Of what is to be tried again, so much is looked at.
pub(crate) const LOOKED_AT: u32 = 1_000;

/// What such a statement says; zero: nothing is due.
pub(crate) async fn overdue(pool: &PgPool, statement: &str) -> Result<f64, sqlx::Error> {
    let seconds: Option<f64> = sqlx::query_scalar(statement).fetch_one(pool).await?;
    Ok(seconds.unwrap_or_default().max(0.0))
}
