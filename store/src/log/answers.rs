//! What became of idempotency keys is forgotten after a time.
//!
//! That is asked of the table's pages, some at a time and not of tenants: the table is read once a day, by one of the
//! programs, whatever is in it. No index is needed for that, which each append would have to keep.

use std::time::Duration;

use sqlx::PgPool;
use tokio::time::sleep;

/// How many pages are gone through in a statement.
const PAGES: i64 = 256;

/// Between two of these: it is never urgent.
const PAUSE: Duration = Duration::from_millis(100);

/// After how many statements it is noted that a program is at it.
const NOTED_EVERY: usize = 256;

/// Forgets answers that were kept long enough. A command that is sent again after that is a new one.
#[derive(Debug, Clone)]
pub struct OldAnswers {
    pool: PgPool,
}

impl OldAnswers {
    /// For how long an answer is kept.
    pub const DAYS_KEPT: i32 = 30;

    pub(super) const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Goes through all of them, if no program on this database has done so within the last day, by its clock, or is
    /// at it. How many were forgotten; `None`: it is not time yet. What has failed, or was killed, is begun again a
    /// quarter of an hour later.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget(&self) -> Result<Option<u64>, sqlx::Error> {
        let begun = sqlx::query(
            "UPDATE chores SET worked_at = clock_timestamp()
              WHERE chore = 'forget answers'
                AND finished_at < clock_timestamp() - interval '1 day'
                AND worked_at < clock_timestamp() - interval '15 minutes'",
        )
        .execute(&self.pool)
        .await?;
        if begun.rows_affected() == 0 {
            return Ok(None);
        }
        let pages: i64 = sqlx::query_scalar(
            "SELECT pg_relation_size('commands') / current_setting('block_size')::bigint",
        )
        .fetch_one(&self.pool)
        .await?;
        let mut forgotten = 0;
        // What is written meanwhile is not old.
        let pieces = (0..pages).step_by(PAGES.unsigned_abs().try_into().unwrap_or(1));
        for (n, first) in pieces.enumerate() {
            if n.is_multiple_of(NOTED_EVERY) {
                self.note("UPDATE chores SET worked_at = clock_timestamp()").await?;
            }
            forgotten += self.forget_in(first).await?;
            sleep(PAUSE).await;
        }
        self.note("UPDATE chores SET finished_at = clock_timestamp()").await?;
        Ok(Some(forgotten))
    }

    /// Notes something about this chore.
    async fn note(&self, update: &str) -> Result<(), sqlx::Error> {
        let sql = format!("{update} WHERE chore = 'forget answers'");
        sqlx::query(&sql).execute(&self.pool).await.map(|_| ())
    }

    /// A scan of these pages (`Tid Range Scan`).
    async fn forget_in(&self, first: i64) -> Result<u64, sqlx::Error> {
        let deleted = sqlx::query(
            "DELETE FROM commands
              WHERE ctid >= format('(%s,0)', $1::bigint)::tid
                AND ctid < format('(%s,0)', $1::bigint + $2::bigint)::tid
                AND recorded_at < clock_timestamp() - make_interval(days => $3)",
        )
        .bind(first)
        .bind(PAGES)
        .bind(Self::DAYS_KEPT)
        .execute(&self.pool)
        .await?;
        Ok(deleted.rows_affected())
    }
}

#[cfg(test)]
mod tests {
    use sqlx::Row as _;

    use super::*;
    use crate::testing::House;

    /// So many answers, a tenth of them so old that they are forgotten, of as many tenants.
    async fn answers(pool: &PgPool, count: i32) {
        sqlx::query(
            "INSERT INTO commands (tenant_id, idempotency_key, fingerprint, version, recorded_at)
             SELECT 'tenant-' || n % 1000, n::text, sha256(n::text::bytea), 1,
                    clock_timestamp() - make_interval(days => CASE WHEN n % 10 = 0 THEN 31 ELSE 29 END)
               FROM generate_series(1, $1) AS n",
        )
        .bind(count)
        .execute(pool)
        .await
        .unwrap();
    }

    #[tokio::test]
    async fn answers_of_all_tenants_that_are_old_are_forgotten_once_a_day() {
        let house = House::new().await;
        answers(&house.pool, 30_000).await;
        let old = house.log().old_answers();
        assert_eq!(old.forget().await.unwrap(), Some(3_000));
        let left: i64 = sqlx::query_scalar("SELECT count(*) FROM commands")
            .fetch_one(&house.pool)
            .await
            .unwrap();
        assert_eq!(left, 27_000);
        assert_eq!(old.forget().await.unwrap(), None);
    }

    #[tokio::test]
    async fn what_was_killed_half_way_is_begun_again_a_quarter_of_an_hour_later() {
        let house = House::new().await;
        answers(&house.pool, 100).await;
        let old = house.log().old_answers();
        for (minutes_ago, forgotten) in [(14_i32, None), (16, Some(10))] {
            sqlx::query(
                "UPDATE chores SET worked_at = clock_timestamp() - make_interval(mins => $1)",
            )
            .bind(minutes_ago)
            .execute(&house.pool)
            .await
            .unwrap();
            assert_eq!(old.forget().await.unwrap(), forgotten);
        }
    }

    #[tokio::test]
    async fn a_piece_reads_its_pages_and_no_more() {
        let house = House::new().await;
        answers(&house.pool, 30_000).await;
        let plan = sqlx::query(
            "EXPLAIN DELETE FROM commands
              WHERE ctid >= format('(%s,0)', 256::bigint)::tid
                AND ctid < format('(%s,0)', 256::bigint + 256::bigint)::tid
                AND recorded_at < clock_timestamp() - make_interval(days => 30)",
        )
        .fetch_all(&house.pool)
        .await
        .unwrap();
        let plan: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
        assert!(plan[1].contains("Tid Range Scan"), "{plan:#?}");
    }
}
