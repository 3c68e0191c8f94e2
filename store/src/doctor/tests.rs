use super::{Ailment, examine};
use crate::testing::House;

/// Logs in which nothing happens, and one that is active, of which `checkpoints` know more than it has.
const MANY: &str = "
    INSERT INTO log_heads (tenant_id, position, hash, recorded_at, active)
    SELECT 'idle-' || n, 0, '', now(), false FROM generate_series(1, 20000) AS n;
    INSERT INTO log_heads (tenant_id, position, hash, recorded_at) VALUES ('lively', 0, '', now());
    INSERT INTO checkpoints (tenant_id, projection, version, position) VALUES ('lively', 'agenda', 1, 7);
    ANALYZE log_heads";

#[tokio::test]
async fn of_many_logs_those_are_looked_at_in_which_something_happens_and_some_by_chance() {
    let house = House::new().await;
    sqlx::raw_sql(MANY).execute(&house.pool).await.unwrap();
    let examination = examine(&house.pool).await.unwrap();
    let ahead = Ailment::CheckpointAhead {
        tenant: "lively".parse().unwrap(),
        projection: "agenda_1".to_owned(),
    };
    assert_eq!(examination.ailments, [ahead]);
    assert!((100..5_000).contains(&examination.logs), "{}", examination.logs);
}

#[tokio::test]
async fn of_few_logs_all_are_looked_at() {
    let house = House::new().await;
    let few = "
        INSERT INTO log_heads (tenant_id, position, hash, recorded_at, active)
        SELECT 'idle-' || n, 0, '', now(), false FROM generate_series(1, 900) AS n;
        UPDATE log_heads SET position = 1 WHERE tenant_id = 'idle-700'";
    sqlx::raw_sql(few).execute(&house.pool).await.unwrap();
    let examination = examine(&house.pool).await.unwrap();
    let ailment = Ailment::EndIsNotLastEvent("idle-700".parse().unwrap());
    assert_eq!((examination.ailments, examination.logs), (vec![ailment], 901));
}
