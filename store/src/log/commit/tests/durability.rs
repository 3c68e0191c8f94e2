use sqlx::Executor as _;

use super::*;
use crate::testing::{House, a_booking};

/// Sees the setting that a transaction commits by, at its end.
const WITNESS: &str = "
    CREATE TABLE seen (synchronous_commit text);
    CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO seen VALUES (current_setting('synchronous_commit'));
        RETURN NULL;
    END $$;
    CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON events
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION see();";

#[tokio::test]
async fn what_is_acknowledged_is_on_disk_whatever_the_database_says_by_default() {
    let house = House::new().await;
    house.pool.execute(sqlx::raw_sql(WITNESS)).await.unwrap();
    let name: String =
        sqlx::query_scalar("SELECT current_database()").fetch_one(&house.pool).await.unwrap();
    let settings = [
        ("off", "on"),
        ("local", "on"),
        ("on", "on"),
        ("remote_write", "remote_write"),
        ("remote_apply", "remote_apply"),
    ];
    for (resource, (default, expected)) in (1..).zip(settings) {
        let default = format!(r#"ALTER DATABASE "{name}" SET synchronous_commit = {default}"#);
        house.pool.execute(&*default).await.unwrap();
        // The first by itself, under the lock of the log's end; the second optimistically.
        let log = house.log();
        for hour in [0, 60] {
            append(&log, &house.tenant, &a_booking(&[resource], hour, hour + 30)).await;
        }
        let seen: Vec<String> = sqlx::query_scalar("DELETE FROM seen RETURNING synchronous_commit")
            .fetch_all(&house.pool)
            .await
            .unwrap();
        assert_eq!(seen, [expected, expected], "{default}");
    }
}
