//! What operators ask costs by what is behind or wrong, however many tenants there are.

use daybook_store::Position;
use serde_json::Value;
use sqlx::PgConnection;

use super::bookings::booked;
use super::world::World;
use crate::appointments::Appointments;
use crate::catalogue::Catalogue;
use crate::out_of_step::out_of_step;
use crate::runner::look;
use crate::{Leftover, OutOfStep, ProjectionId, all, leftovers, status};

/// Tenants who rest, and a projection that no program has, of which nothing is left but a schema and checkpoints.
fn many() -> String {
    let (appointments, catalogue) = (Appointments::ID.version, Catalogue::ID.version);
    format!(
        "INSERT INTO log_heads (tenant_id, position, hash, recorded_at, active)
         SELECT 'idle-' || n, 3, '', now(), false FROM generate_series(1, 5000) AS n;
         INSERT INTO checkpoints (tenant_id, projection, version, position)
         SELECT 'idle-' || n, p.name, p.version, 3
           FROM generate_series(1, 5000) AS n,
                (VALUES ('appointments', {appointments}), ('catalogue', {catalogue}),
                        ('forgotten', 1)) AS p (name, version);
         CREATE SCHEMA forgotten_1;
         ANALYZE log_heads, checkpoints"
    )
}

/// A statement reads a few rows of tables only.
async fn reads_little(connection: &mut PgConnection, statement: &str) {
    let explain = format!("EXPLAIN (ANALYZE, FORMAT JSON) {statement}");
    let plan: Value = sqlx::query_scalar(&explain).fetch_one(connection).await.unwrap();
    let read = read_by(&plan[0]["Plan"]);
    assert!(read < 50, "{read} rows: {plan:#}");
}

fn read_by(plan: &Value) -> u64 {
    let number = |key: &str| plan[key].as_f64().unwrap_or_default();
    let kept = number("Actual Rows") + number("Rows Removed by Filter");
    let is_scan =
        ["checkpoints", "log_heads"].contains(&plan["Relation Name"].as_str().unwrap_or_default());
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of rows")]
    let read = if is_scan { (kept * number("Actual Loops")).ceil() as u64 } else { 0 };
    let children = plan["Plans"].as_array().into_iter().flatten();
    read + children.map(read_by).sum::<u64>()
}

fn with_values(statement: &str) -> String {
    let versions = format!("'{{{},{}}}'", Appointments::ID.version, Catalogue::ID.version);
    statement.replace("$1", "'{appointments,catalogue}'").replace("$2", &versions)
}

#[tokio::test]
async fn what_is_left_over_and_how_far_projections_are_is_said_without_reading_all_checkpoints() {
    let world = World::new().await;
    let busy = world.tenant("busy").await;
    world.append(&busy, &[booked(1), booked(2)]).await;
    sqlx::raw_sql(&many()).execute(&world.pool).await.unwrap();
    let ids: Vec<ProjectionId> = all(&world.pool, None).iter().map(|it| it.id()).collect();
    let left = leftovers(&world.pool, &ids).await.unwrap();
    let [Leftover { schema, .. }] = &left[..] else { panic!("{left:?}") };
    assert_eq!(schema, "forgotten_1");
    let behind = status::of_all(&world.log, &[Appointments::ID]).await.unwrap();
    assert_eq!((behind[0].tenants_behind, behind[0].events_behind), (1, 2));

    let mut tx = world.pool.begin_with(crate::leftovers::BEGIN).await.unwrap();
    let names = crate::leftovers::statement()
        .replace("$1", "'{appointments_1}'::text[]")
        .replace("$2", "'{appointments}'");
    reads_little(&mut tx, &names).await;
    drop(tx);
    let mut tx = world.pool.begin_with(look::BEGIN).await.unwrap();
    reads_little(&mut tx, &with_values(status::OF_ALL)).await;
}

#[tokio::test]
async fn a_log_that_is_behind_and_that_nobody_looks_at_is_found_among_all() {
    let world = World::new().await;
    sqlx::raw_sql(&many()).execute(&world.pool).await.unwrap();
    let found = async || out_of_step(&world.pool, Appointments::ID).await.unwrap();
    assert_eq!(found().await, None);
    let tenant = world.tenant("north").await;
    let head = world.append(&tenant, &[booked(1)]).await;
    assert_eq!(found().await, None, "it is looked at");
    sqlx::query("UPDATE log_heads SET active = false").execute(&world.pool).await.unwrap();
    let overlooked = OutOfStep { logs: 1, tenant, read: Position::START, head };
    assert_eq!(found().await, Some(overlooked));
    let further = "UPDATE checkpoints SET position = 4 WHERE tenant_id = 'idle-1'";
    sqlx::query(further).execute(&world.pool).await.unwrap();
    let both = found().await.unwrap();
    assert_eq!((both.logs, both.tenant.as_str()), (2, "idle-1"));
}
