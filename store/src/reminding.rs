//! Since when reminders are sent in this database.
//!
//! A copy of a database says of many reminders that they are still to be sent, and the original has sent them. What tells one from
//! the other is no part of a dump: the cluster's system identifier, and the database's oid. A server that takes over from
//! another is the same cluster.

use chrono::{DateTime, Utc};
use sqlx::PgPool;

/// Since when this database is where reminders are sent: since the first start of a program that sends them, here.
///
/// # Errors
/// When the database fails.
pub async fn at_home_since(pool: &PgPool) -> Result<DateTime<Utc>, sqlx::Error> {
    let moved = sqlx::query(
        "INSERT INTO reminding_home AS h (is_here, database_id, since)
         SELECT true, c.system_identifier || '/' || d.oid, clock_timestamp()
           FROM pg_control_system() AS c, pg_database AS d WHERE d.datname = current_database()
         ON CONFLICT (is_here) DO UPDATE
            SET database_id = excluded.database_id, since = excluded.since
          WHERE h.database_id <> excluded.database_id",
    );
    moved.execute(pool).await?;
    sqlx::query_scalar("SELECT since FROM reminding_home").fetch_one(pool).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::House;

    #[tokio::test]
    async fn it_is_since_the_first_start_in_this_database_and_anew_in_another() {
        let house = House::new().await;
        let since = at_home_since(&house.pool).await.unwrap();
        assert_eq!(at_home_since(&house.pool).await.unwrap(), since);
        // As a copy of another one has it.
        let moved = "UPDATE reminding_home SET database_id = 'another', since = '2026-01-01'";
        sqlx::query(moved).execute(&house.pool).await.unwrap();
        assert!(at_home_since(&house.pool).await.unwrap() > since);
    }
}
