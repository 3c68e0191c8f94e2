//! How the statements are run that a choice costs: by their indexes, also for a tenant that is newer
//! than the statistics.

use serde_json::Value;
use sqlx::types::chrono::{DateTime, Utc};

use super::super::availability;
use super::super::claims::CLAIM_QUERY;
use super::*;
use crate::log::{AsOf, Moment, NoMoment, POSITION_AT, Position, RESOURCES, STREAM_EVENTS};
use crate::testing::minute;

/// 50 resources with 400 claims each.
const CLAIMS: &str = "INSERT INTO claims (tenant_id, appointment_id, resource_id, seat, during)
    SELECT $1, gen_random_uuid(), lpad(to_hex(r), 32, '0')::uuid, 0,
           tstzrange($2 + n * interval '1 hour', $2 + n * interval '1 hour' + interval '30 minutes')
      FROM generate_series(1, 50) r, generate_series(1, 400) n";

/// What was read of the indexes, and by which.
fn read(plan: &Value, indexes: &mut Vec<(String, u64)>) {
    assert_ne!(plan["Node Type"], "Seq Scan", "{plan:#}");
    let number = |key: &str| plan[key].as_u64().unwrap_or_default();
    if let Some(index) = plan["Index Name"].as_str() {
        let removed = number("Rows Removed by Filter") + number("Rows Removed by Index Recheck");
        let rows = (number("Actual Rows") + removed) * number("Actual Loops");
        indexes.push((index.to_owned(), rows));
    }
    for child in plan["Plans"].as_array().into_iter().flatten() {
        read(child, indexes);
    }
}

async fn explained_look(house: &House, tenant: &str, resources: u128) -> Vec<(String, u64)> {
    let ids: Vec<Uuid> = (1..=resources).map(uuid).collect();
    let starts: Vec<DateTime<Utc>> = ids.iter().map(|_| minute(60 * 100)).collect();
    let ends: Vec<DateTime<Utc>> = ids.iter().map(|_| minute(60 * 124)).collect();
    let plan: Value = sqlx::query_scalar(&format!("EXPLAIN (ANALYZE, FORMAT JSON) {CLAIM_QUERY}"))
        .persistent(false)
        .bind(tenant)
        .bind(ids)
        .bind(starts)
        .bind(ends)
        .bind(uuid(9_999))
        .fetch_one(&house.pool)
        .await
        .unwrap();
    let mut indexes = Vec::new();
    read(&plan[0]["Plan"], &mut indexes);
    indexes
}

#[tokio::test]
async fn a_look_reads_what_it_looks_for_also_of_a_tenant_that_is_newer_than_the_statistics() {
    let house = House::new().await;
    let looked = async |tenant: &str| {
        for resources in [1, 50] {
            let indexes = explained_look(&house, tenant, resources).await;
            let names: Vec<&str> = indexes.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names, ["no_double_booking"], "{tenant}, {resources}");
            // A day of 24 claims each. The tenant is a filter, and all three have the same resources.
            let most = 3 * 25 * u64::try_from(resources).unwrap();
            assert!(indexes[0].1 <= most, "{tenant}, {resources}: {indexes:?}");
        }
    };
    for tenant in ["north", "south"] {
        sqlx::query(CLAIMS).bind(tenant).bind(minute(0)).execute(&house.pool).await.unwrap();
        // The first has never been analysed.
        looked(tenant).await;
    }
    sqlx::query("ANALYZE claims").execute(&house.pool).await.unwrap();
    sqlx::query(CLAIMS).bind("west").bind(minute(0)).execute(&house.pool).await.unwrap();
    for tenant in ["north", "west", "nobody"] {
        looked(tenant).await;
    }
}

/// 20 resources with 2 events each, and 4,000 appointments between them.
const EVENTS: &str =
    "INSERT INTO events (tenant_id, position, aggregate_type, aggregate_id, sequence,
           event_type, event_version, payload, metadata, recorded_at, hash)
    SELECT $1, n, kind, $1 || '/' || kind || n, 1, 'x', '1.0', '{}', '{}', $2, ''
      FROM generate_series(1, 4040) n,
           LATERAL (SELECT CASE WHEN n % 101 = 0 THEN 'resource' ELSE 'appointment' END) k (kind)";

#[tokio::test]
async fn the_events_of_resources_are_read_without_reading_the_others() {
    let house = House::new().await;
    let read_by = async |tenant: &str, after: i64| {
        let plan: Value =
            sqlx::query_scalar(&format!("EXPLAIN (ANALYZE, FORMAT JSON) {RESOURCES}"))
                .persistent(false)
                .bind(tenant)
                .bind(after)
                .bind(1_000_i64)
                .fetch_one(&house.pool)
                .await
                .unwrap();
        let mut indexes = Vec::new();
        read(&plan[0]["Plan"], &mut indexes);
        indexes
    };
    let all = |rows| vec![("events_of_resources".to_owned(), rows)];
    for tenant in ["north", "south"] {
        sqlx::query(EVENTS).bind(tenant).bind(minute(0)).execute(&house.pool).await.unwrap();
        // The first has never been analysed.
        assert_eq!(read_by(tenant, 0).await, all(40));
    }
    sqlx::query("ANALYZE events").execute(&house.pool).await.unwrap();
    sqlx::query(EVENTS).bind("west").bind(minute(0)).execute(&house.pool).await.unwrap();
    for tenant in ["north", "west"] {
        assert_eq!(read_by(tenant, 0).await, all(40), "{tenant}");
        assert_eq!(read_by(tenant, 4_000).await, all(1), "{tenant}");
    }
    assert_eq!(read_by("nobody", 0).await, all(0));
}

#[tokio::test]
async fn the_events_of_a_stream_are_read_without_reading_those_of_others() {
    let house = House::new().await;
    let read_by = async |tenant: &str, before: i64| {
        let streams: Vec<String> = (1..=50).map(|n| format!("{tenant}/appointment{n}")).collect();
        let plan: Value =
            sqlx::query_scalar(&format!("EXPLAIN (ANALYZE, FORMAT JSON) {STREAM_EVENTS}"))
                .persistent(false)
                .bind(tenant)
                .bind("appointment")
                .bind(streams)
                .bind(before)
                .fetch_one(&house.pool)
                .await
                .unwrap();
        let mut indexes = Vec::new();
        read(&plan[0]["Plan"], &mut indexes);
        indexes
    };
    let all = |rows| vec![("events_pkey".to_owned(), rows)];
    for tenant in ["north", "south"] {
        sqlx::query(EVENTS).bind(tenant).bind(minute(0)).execute(&house.pool).await.unwrap();
        // The first has never been analysed.
        assert_eq!(read_by(tenant, 4_040).await, all(50));
    }
    sqlx::query("ANALYZE events").execute(&house.pool).await.unwrap();
    sqlx::query(EVENTS).bind("west").bind(minute(0)).execute(&house.pool).await.unwrap();
    for tenant in ["north", "west"] {
        assert_eq!(read_by(tenant, 4_040).await, all(50), "{tenant}");
    }
    assert_eq!(read_by("nobody", 4_040).await, all(0));
}

/// An event a minute, but for every seventh, which is recorded together with the one before.
const EVENTS_IN_TIME: &str =
    "INSERT INTO events (tenant_id, position, aggregate_type, aggregate_id, sequence,
           event_type, event_version, payload, metadata, recorded_at, hash)
    SELECT $1, n, 'appointment', $1 || '/' || n, 1, 'x', '1.0', '{}', '{}',
           $2 + (CASE WHEN n % 7 = 0 THEN n - 1 ELSE n END) * interval '1 minute', ''
      FROM generate_series(1, 4000) n";

#[tokio::test]
async fn an_instant_becomes_a_position_by_halving_and_reads_few_events() {
    let house = House::new().await;
    let tenant = house.another_tenant("east").await;
    let at = |n: i64| minute(n);
    sqlx::query(EVENTS_IN_TIME).bind("east").bind(minute(0)).execute(&house.pool).await.unwrap();
    sqlx::query("UPDATE log_heads SET position = 4000 WHERE tenant_id = 'east'")
        .execute(&house.pool)
        .await
        .unwrap();
    let log = house.log();
    let position = async |instant: DateTime<Utc>| {
        let moment = log.moment(&tenant, AsOf::Instant(instant), at(5_000)).await.unwrap();
        moment.map(|moment| moment.position.get())
    };
    for (instant, expected) in [
        (at(0), 0),
        (at(1), 1),
        (at(5), 5),
        // The seventh has the time of the sixth.
        (at(6), 7),
        (at(7), 7),
        (at(8), 8),
        (at(8) - chrono::TimeDelta::microseconds(1), 7),
        (at(3_999), 3_999),
        (at(5_000), 4_000),
    ] {
        assert_eq!(position(instant).await, Ok(expected), "{instant}");
    }
    assert_eq!(position(at(5_001)).await, Err(NoMoment::Future { now: at(5_000) }));
    let seventh = AsOf::Position(Position::from_i64(7));
    let moment = log.moment(&tenant, seventh, at(5_000)).await.unwrap();
    let head = Position::from_i64(4_000);
    assert_eq!(moment, Ok(Moment { position: Position::from_i64(7), at: at(6), head }));
    let moment = log.moment(&tenant, AsOf::Instant(at(1)), at(5_000)).await.unwrap();
    assert_eq!(moment, Ok(Moment { position: Position::from_i64(1), at: at(1), head }));
    for none in [0, 4_001] {
        let none = AsOf::Position(Position::from_i64(none));
        let moment = log.moment(&tenant, none, at(5_000)).await.unwrap();
        assert_eq!(moment, Err(NoMoment::NoPosition { head }));
    }
    let plan: Value = sqlx::query_scalar(&format!("EXPLAIN (ANALYZE, FORMAT JSON) {POSITION_AT}"))
        .persistent(false)
        .bind("east")
        .bind(at(1_234))
        .fetch_one(&house.pool)
        .await
        .unwrap();
    let mut indexes = Vec::new();
    read(&plan[0]["Plan"], &mut indexes);
    let of_events = indexes.iter().filter(|(name, _)| name.starts_with("events"));
    let of_events: Vec<_> = of_events.collect();
    assert_eq!(of_events.len(), 1, "{indexes:?}");
    let (index, rows) = of_events[0];
    assert_eq!(index, "events_tenant_id_position_key");
    assert!((5..=13).contains(rows), "{indexes:?}");
}

/// How a prepared statement is run on a connection that prepared it when all tables were empty.
struct Prepared(sqlx::pool::PoolConnection<sqlx::Postgres>);

impl Prepared {
    async fn when_all_is_empty(log: &Log, types: &str, statement: &str) -> Self {
        let mut connection = log.claims_pool().acquire().await.unwrap();
        let prepare = format!("PREPARE claims ({types}) AS {statement}");
        sqlx::raw_sql(&prepare).execute(&mut *connection).await.unwrap();
        Self(connection)
    }

    async fn read_by(&mut self, arguments: &str) -> Vec<(String, u64)> {
        let explain = format!("EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE claims ({arguments})");
        let row = sqlx::raw_sql(&explain).fetch_one(&mut *self.0).await.unwrap();
        let plan: Value = sqlx::Row::try_get(&row, 0).unwrap();
        let mut indexes = Vec::new();
        read(&plan[0]["Plan"], &mut indexes);
        indexes
    }
}

#[tokio::test]
async fn queries_that_were_prepared_when_all_was_empty_read_what_they_look_for_later() {
    let house = House::new().await;
    let log = house.log();
    let mut claims = Prepared::when_all_is_empty(
        &log,
        "text, uuid[], timestamptz[], timestamptz[], uuid",
        CLAIM_QUERY,
    )
    .await;
    let mut free = Prepared::when_all_is_empty(
        &log,
        "text, uuid[], timestamptz, timestamptz, timestamptz, bigint",
        availability::CLAIMS_BY_RESOURCE,
    )
    .await;
    let mut versions =
        Prepared::when_all_is_empty(&log, "text, text", availability::VERSIONS).await;
    let (id, none) = (uuid(7), uuid(9_999));
    let (from, to) = (minute(60 * 100), minute(60 * 124));
    let of_claims = format!(
        "'north', ARRAY['{id}']::uuid[], ARRAY['{from}']::timestamptz[], ARRAY['{to}']::timestamptz[], '{none}'"
    );
    let of_free = format!("'north', ARRAY['{id}']::uuid[], '{from}', '{to}', '{from}', 1000");
    let of_versions = format!("'north', 'north/{id}'");
    // A generic plan is kept from here on.
    claims.read_by(&of_claims).await;
    free.read_by(&of_free).await;
    versions.read_by(&of_versions).await;
    sqlx::query(CLAIMS).bind("north").bind(minute(0)).execute(&house.pool).await.unwrap();
    sqlx::query(EVENTS).bind("north").bind(minute(0)).execute(&house.pool).await.unwrap();
    let day = |(index, rows): &(String, u64)| index == "no_double_booking" && *rows <= 25;
    let read = claims.read_by(&of_claims).await;
    assert!(read.iter().all(day), "{read:?}");
    let read = free.read_by(&of_free).await;
    assert!(read.iter().all(day), "{read:?}");
    let read = versions.read_by(&of_versions).await;
    // The last event of a resource, and of a service that has none.
    assert!(read.iter().any(|(index, _)| index == "events_of_resources"), "{read:?}");
    assert!(read.iter().all(|(_, rows)| *rows <= 1), "{read:?}");
}
