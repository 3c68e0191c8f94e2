//! What is due, of many tenants.

use std::collections::HashMap;

use chrono::TimeDelta;
use sqlx::{PgPool, Row as _};
use uuid::Uuid;

use super::world::World;
use crate::due::MOST_DUE;
use crate::search::Search;
use crate::waiting::WaitingList;
use crate::{Due, DueQuery, Schema};

/// So many offers of a tenant, which end one after the other, a second each, from so many seconds ago on.
async fn offers(pool: &PgPool, tenant: &str, count: i32, first_seconds_ago: i32) {
    let insert = "INSERT INTO {schema}.entries (tenant_id, entry_id, turn, service_id, client_id, wishes,
               joined_at, until_at, status, appointment_id, start_at, offer_expires_at, due, version, position)
        SELECT $1, gen_random_uuid(), n, gen_random_uuid(), gen_random_uuid(), '{}', clock_timestamp(),
               'infinity', 'offered', gen_random_uuid(), clock_timestamp(),
               clock_timestamp() + make_interval(secs => n - $3), false, 2, n
          FROM generate_series(0, $2 - 1) AS n";
    sqlx::query(&Schema::of(WaitingList::ID).sql(insert))
        .bind(tenant)
        .bind(count)
        .bind(first_seconds_ago)
        .execute(pool)
        .await
        .unwrap();
}

fn by_tenant<T>(due: &[Due<T>]) -> HashMap<&str, usize> {
    let mut counts = HashMap::new();
    for it in due {
        *counts.entry(it.tenant.as_str()).or_default() += 1;
    }
    counts
}

#[tokio::test]
async fn a_tenant_with_thousands_due_does_not_keep_others_from_their_turn() {
    let world = World::new().await;
    offers(&world.pool, "many", 15_000, 20_000).await;
    offers(&world.pool, "few", 3, 10).await;
    let list = WaitingList::new(world.pool.clone());
    let query = DueQuery { ahead: TimeDelta::seconds(4), but: &[] };
    let due = list.due(query).await.unwrap();
    assert_eq!(by_tenant(&due), [("few", 3), ("many", 64)].into());
    assert!(due.len() <= MOST_DUE && due.iter().all(Due::is_due));
    let but: Vec<Uuid> = due.iter().map(|due| due.id.uuid()).collect();
    let due = list.due(DueQuery { but: &but, ..query }).await.unwrap();
    assert_eq!(
        by_tenant(&due),
        [("many", 64)].into(),
        "others of it, and they are not asked for again"
    );
    assert!(due.iter().all(|due| !but.contains(&due.id.uuid())));
}

#[tokio::test]
async fn what_will_be_due_soon_is_told_with_how_long_until_then() {
    let world = World::new().await;
    offers(&world.pool, "north", 50, -60).await;
    let list = WaitingList::new(world.pool.clone());
    let due = list.due(DueQuery { ahead: TimeDelta::seconds(30), but: &[] }).await.unwrap();
    assert_eq!(due, [], "not for half a minute");
    let due = list.due(DueQuery { ahead: TimeDelta::seconds(80), but: &[] }).await.unwrap();
    assert!((20..50).contains(&due.len()) && !due[0].is_due(), "{due:?}");
    assert!((30.0..=60.0).contains(&due[0].due_in.as_seconds_f64()), "{due:?}");
}

/// The plan of a statement, by the settings of the readers' connections.
async fn plan(pool: &PgPool, statement: &str) -> String {
    let mut connection = pool.acquire().await.unwrap();
    let settings = "SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan";
    sqlx::raw_sql(settings).execute(&mut *connection).await.unwrap();
    let prepare = format!("PREPARE due (float8, uuid[], bigint, bigint, bigint) AS {statement}");
    sqlx::raw_sql(&prepare).execute(&mut *connection).await.unwrap();
    let explain = "EXPLAIN EXECUTE due(4, '{}', 20000, 64, 512)";
    let lines = sqlx::raw_sql(explain).fetch_all(&mut *connection).await.unwrap();
    lines.iter().map(|line| line.get::<String, _>(0) + "\n").collect()
}

#[tokio::test]
async fn what_is_due_is_found_by_indexes_in_the_order_of_time() {
    let world = World::new().await;
    offers(&world.pool, "many", 20_000, 10).await;
    sqlx::raw_sql("ANALYZE").execute(&world.pool).await.unwrap();
    let of_list = plan(&world.pool, &WaitingList::due_statement()).await;
    for index in ["entries_lapsing", "entries_passing", "entries_due"] {
        assert!(of_list.contains(index), "{of_list}");
    }
    assert!(of_list.contains("Index Cond: (offer_expires_at <= "), "{of_list}");
    let of_holds = plan(&world.pool, &Search::due_statement()).await;
    assert!(of_holds.contains("Index Only Scan using current_holds"), "{of_holds}");
    assert!(of_holds.contains("Index Cond: (hold_expires_at <= "), "{of_holds}");
    assert!(!of_list.contains("Seq Scan") && !of_holds.contains("Seq Scan"));
}
