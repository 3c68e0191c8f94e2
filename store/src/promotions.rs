//! How far what has become available was offered to those who wait, of each tenant, and which program is at it.
//!
//! That is kept only to spare looking again: an offer is one submission to the log, whoever makes it. So a lease is
//! a time by the database's clock, and one that has run out does no harm.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use sqlx::{PgPool, Row as _};
use uuid::Uuid;

use crate::Position;

/// For how long a tenant is one program's after it was last taken.
const LEASE_SECONDS: i32 = 10;

/// How far a tenant is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Promoted {
    /// Up to here in its log, what has become available was offered. `None`: nobody was looked at yet.
    pub read: Option<Position>,
    /// Up to then, what time alone has brought was offered.
    pub passed: Option<DateTime<Utc>>,
}

/// Who waits is promoted by one program at a time. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Promotions {
    pool: PgPool,
    program: Uuid,
    /// Those that it has, unless the lease has run out.
    taken: Arc<Mutex<HashSet<TenantId>>>,
}

impl Promotions {
    /// For a program of its own.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool, program: Uuid::now_v7(), taken: Arc::default() }
    }

    /// Takes a tenant for a short time; `None`: another program has it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take(&self, tenant: &TenantId) -> Result<Option<Promoted>, sqlx::Error> {
        let row = sqlx::query(
            "INSERT INTO promotions AS p (tenant_id, program, lease_until)
             VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3))
             ON CONFLICT (tenant_id) DO UPDATE
                SET program = excluded.program, lease_until = excluded.lease_until
              WHERE p.program = excluded.program OR p.lease_until < clock_timestamp()
          RETURNING read_position, passed_at",
        )
        .bind(tenant.as_str())
        .bind(self.program)
        .bind(f64::from(LEASE_SECONDS))
        .fetch_optional(&self.pool)
        .await?;
        self.taken().extend(row.iter().map(|_| tenant.clone()));
        row.map(|row| {
            let read = row.try_get::<Option<i64>, _>("read_position")?.map(Position::from_i64);
            Ok(Promoted { read, passed: row.try_get("passed_at")? })
        })
        .transpose()
    }

    /// Says how far a tenant is, and gives it back. If another program has it by now, nothing is said.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn give_back(
        &self,
        tenant: &TenantId,
        promoted: Promoted,
    ) -> Result<(), sqlx::Error> {
        self.taken().remove(tenant);
        sqlx::query(
            "UPDATE promotions
                SET read_position = $3, passed_at = $4, lease_until = clock_timestamp()
              WHERE tenant_id = $1 AND program = $2",
        )
        .bind(tenant.as_str())
        .bind(self.program)
        .bind(promoted.read.map(Position::as_i64))
        .bind(promoted.passed)
        .execute(&self.pool)
        .await
        .map(drop)
    }

    /// Gives all tenants back that this program has; how far they are, is what was said last.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn give_all_back(&self) -> Result<(), sqlx::Error> {
        let taken: Vec<String> = self.taken().drain().map(|tenant| tenant.to_string()).collect();
        if taken.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "UPDATE promotions SET lease_until = clock_timestamp()
              WHERE tenant_id = ANY($1) AND program = $2 AND lease_until > clock_timestamp()",
        )
        .bind(taken)
        .bind(self.program)
        .execute(&self.pool)
        .await
        .map(drop)
    }

    fn taken(&self) -> MutexGuard<'_, HashSet<TenantId>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{House, noon};

    #[tokio::test]
    async fn a_tenant_is_one_programs_until_it_is_given_back_or_the_lease_runs_out() {
        let house = House::new().await;
        let (one, other) =
            (Promotions::new(house.pool.clone()), Promotions::new(house.pool.clone()));
        let tenant = &house.tenant;
        assert_eq!(one.take(tenant).await.unwrap(), Some(Promoted::default()));
        assert_eq!(other.take(tenant).await.unwrap(), None);
        assert_eq!(one.take(tenant).await.unwrap(), Some(Promoted::default()), "it is its own");
        let far = Promoted { read: Some(Position::START.plus(7)), passed: Some(noon()) };
        other.give_back(tenant, far).await.unwrap();
        assert_eq!(one.take(tenant).await.unwrap(), Some(Promoted::default()), "that said nothing");
        one.give_back(tenant, far).await.unwrap();
        assert_eq!(other.take(tenant).await.unwrap(), Some(far));
        let expire = "UPDATE promotions SET lease_until = clock_timestamp() - interval '1 second'";
        sqlx::query(expire).execute(&house.pool).await.unwrap();
        assert_eq!(one.take(tenant).await.unwrap(), Some(far), "the other one died");
        other.give_all_back().await.unwrap();
        assert_eq!(other.take(tenant).await.unwrap(), None, "it was not that program's to give");
        one.give_all_back().await.unwrap();
        assert_eq!(other.take(tenant).await.unwrap(), Some(far), "the first one ends");
    }
}
