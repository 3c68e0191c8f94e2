//! What is folded stream by stream is what following the log makes of it.

use std::collections::BTreeMap;

use daybook_domain::appointment::{AppointmentEvent, Details, Slot};
use daybook_domain::time::Interval;
use daybook_store::AnyEvent;

use super::bookings::{appointment, booked, details, happening, slot};
use super::classes::{self, flooded, scheduled, session};
use super::rebuilding::{appointments, eventful, rebuild_from_nothing};
use super::world::{Stored, World, payload};
use crate::appointments::Appointments;
use crate::{ProjectionId, Rebuilt, Schema};

/// Every column of every row of every tenant, table by table.
async fn rows(world: &World, projection: ProjectionId) -> BTreeMap<String, Vec<String>> {
    let tables: Vec<String> =
        sqlx::query_scalar("SELECT tablename::text FROM pg_tables WHERE schemaname = $1")
            .bind(projection.to_string())
            .fetch_all(&world.pool)
            .await
            .unwrap();
    let mut rows = BTreeMap::new();
    for table in tables {
        let sql = format!("SELECT to_jsonb(t)::text FROM {projection}.{table} t ORDER BY 1");
        let found = sqlx::query_scalar(&sql).fetch_all(&world.pool).await.unwrap();
        rows.insert(table, found);
    }
    rows
}

/// In batches, whatever can happen to appointments and sessions: holds that are confirmed, lapse or stand,
/// appointments that move again and again, last for days or are in a session.
fn lives() -> [Vec<AnyEvent>; 3] {
    let (held, confirmed, moved, off, lapsed) = (0, 1, 2, 3, 4);
    let within = |n, slot| {
        let details = Details { slot, ..details(n) };
        AnyEvent::Appointment(appointment(n), AppointmentEvent::AppointmentBooked(details))
    };
    let days = Interval::new(slot(70).during.start(), slot(300).during.end()).unwrap();
    let long = Slot { during: days, ..slot(70) };
    let class = Slot { session_id: Some(session(1)), ..classes::slot(10) };
    let mut first = eventful(20);
    first.extend((51..=55).map(|n| happening(n, held, 0)));
    first.extend([scheduled(1, 10), scheduled(2, 20), scheduled(3, 30)]);
    first.extend([within(61, long), within(62, class), booked(63)]);
    first.extend([happening(51, confirmed, 0), happening(63, moved, 1)]);
    let second = [
        happening(52, lapsed, 0),
        happening(53, off, 0),
        happening(54, confirmed, 9),
        classes::moved(1, 10, 50),
        happening(62, moved, 3),
        happening(63, moved, 40),
        happening(63, moved, 1),
        happening(61, moved, 7),
    ];
    let third = [happening(54, lapsed, 0), flooded(3, 30), classes::moved(1, 50, 51), booked(64)];
    [first, second.into(), third.into()]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn appointments_built_from_streams_have_the_very_rows_that_following_the_log_makes() {
    let world = World::new().await;
    let tenants = [world.tenant("north").await, world.tenant("north-2").await];
    let projection = appointments();
    let runner = world.start(world.projections());
    for batch in lives() {
        for tenant in &tenants {
            // Versions end in another batch than they are made in, and not all in the same one.
            let head = world.append(tenant, &batch).await;
            world.caught_up(tenant, Appointments::ID, head).await;
        }
    }
    let only = world.append(&world.tenant("south").await, &eventful(5)).await;
    world.caught_up(&"south".parse().unwrap(), Appointments::ID, only).await;
    runner.stop().await;
    let followed = rows(&world, Appointments::ID).await;
    assert_eq!(rebuild_from_nothing(&world, &projection).await.unwrap(), Rebuilt::Done);
    let built = rows(&world, Appointments::ID).await;
    assert!(built.values().all(|rows| rows.len() > 3), "there is something to compare");
    assert_eq!(built, followed);
    // What is compared is not all alike.
    let various: (bool, bool, bool) = sqlx::query_as(&Schema::of(Appointments::ID).sql(
        "SELECT (SELECT count(DISTINCT long) = 2 FROM {schema}.appointments_by_party),
                    (SELECT count(DISTINCT count) > 2 AND min(count) = 0
                       FROM {schema}.status_day_counts),
                    (SELECT bool_or(session_id IS NOT NULL) FROM {schema}.appointments)",
    ))
    .fetch_one(&world.pool)
    .await
    .unwrap();
    assert_eq!(various, (true, true, true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_added_up_over_streams_is_so_for_a_tenant_whose_streams_cannot_all_be_folded() {
    let world = World::new().await;
    let (sick, well) = (world.tenant("sick").await, world.tenant("well").await);
    let unknown = Stored { event_type: "AppointmentDreamt".to_owned(), ..payload(&booked(3)) };
    world.append(&sick, &[booked(1), booked(2), happening(2, 5, 0)]).await;
    world.append_raw(&sick, &[unknown]).await;
    world.append(&well, &eventful(20)).await;
    assert_eq!(rebuild_from_nothing(&world, &appointments()).await.unwrap(), Rebuilt::Done);
    let counts: Vec<(String, i64)> = sqlx::query_as(&Schema::of(Appointments::ID).sql(
        "SELECT tenant_id, sum(count)::bigint FROM {schema}.status_day_counts GROUP BY 1 ORDER BY 1",
    ))
    .fetch_all(&world.pool)
    .await
    .unwrap();
    assert_eq!(counts, [("sick".to_owned(), 2), ("well".to_owned(), 20)]);
}
