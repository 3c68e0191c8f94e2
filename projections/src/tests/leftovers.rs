//! What nobody reads, makes or compares any more.

use sqlx::Executor as _;

use super::world::World;
use crate::appointments::Appointments;
use crate::{Leftover, ProjectionId, all, drop_leftover, leftovers};

async fn left(world: &World) -> Vec<Leftover> {
    let ids: Vec<ProjectionId> = all(&world.pool, None).iter().map(|it| it.id()).collect();
    leftovers(&world.pool, &ids).await.unwrap()
}

/// A version that this program does not have, half made when the program that has it was killed.
const ABANDONED: &str = "
    CREATE SCHEMA appointments_1000_building;
    INSERT INTO builds (schema_name, projection, version, phase, requested_at)
    VALUES ('appointments_1000_building', 'appointments', 1000, 'filling', now());
    INSERT INTO build_tenants (schema_name, tenant_id, target) VALUES ('appointments_1000_building', 'north', 9);
    INSERT INTO build_parts (schema_name, tenant_id, kind, after, upto, more, events)
    VALUES ('appointments_1000_building', 'north', 'appointment', '', 'x', true, 9)";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_half_made_is_left_over_once_no_program_would_go_on_with_it() {
    let world = World::new().await;
    world.pool.execute(ABANDONED).await.unwrap();
    let reader = "INSERT INTO projection_readers (program, projection, version, seen_at)
                  VALUES (gen_random_uuid(), 'appointments', 1000, now())";
    world.pool.execute(reader).await.unwrap();
    assert_eq!(left(&world).await, [], "its program goes on with it");
    world.pool.execute("DELETE FROM projection_readers").await.unwrap();
    // This program would go on with what is of its own version.
    let mine = Appointments::ID;
    world
        .pool
        .execute(
            format!(
                "CREATE SCHEMA {mine}_building;
                 INSERT INTO builds (schema_name, projection, version, requested_at)
                 VALUES ('{mine}_building', '{}', {}, now())",
                mine.name, mine.version
            )
            .as_str(),
        )
        .await
        .unwrap();
    let found = left(&world).await;
    let [abandoned] = &found[..] else { panic!("{found:?}") };
    assert_eq!(
        (abandoned.schema.as_str(), abandoned.version),
        ("appointments_1000_building", 1000)
    );

    let lock =
        "SELECT pg_advisory_lock(hashtextextended('daybook build appointments_1000_building', 0))";
    let mut builder = world.pool.acquire().await.unwrap();
    builder.execute(lock).await.unwrap();
    assert_eq!(left(&world).await, [], "somebody is at it");
    assert!(!drop_leftover(&world.pool, abandoned).await.unwrap());
    builder.execute("SELECT pg_advisory_unlock_all()").await.unwrap();
    assert!(drop_leftover(&world.pool, abandoned).await.unwrap());
    assert_eq!(left(&world).await, []);
    let noted: i64 = sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM build_tenants) + (SELECT count(*) FROM build_parts)
              + (SELECT count(*) FROM builds WHERE version = 1000)",
    )
    .fetch_one(&world.pool)
    .await
    .unwrap();
    assert_eq!(noted, 0);
}
