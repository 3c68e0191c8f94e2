//! An event that cannot be applied stops one projection of one tenant, and nothing else.

use std::sync::Arc;
use std::time::Duration;

use daybook_store::Position;

use super::bookings::{booked, happening};
use super::world::{Stored, World, payload};
use crate::appointments::Appointments;
use crate::catalogue::Catalogue;
use crate::{Projection, Schema};

async fn failure(world: &World) -> Vec<(String, String, i64, i64, String)> {
    sqlx::query_as(
        "SELECT tenant_id, projection, position, failed_position, failure FROM checkpoints
          WHERE failed_position IS NOT NULL ORDER BY projection",
    )
    .fetch_all(&world.pool)
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_makes_no_sense_stops_that_projection_of_that_tenant_until_it_is_mended() {
    let world = World::new().await;
    let (sick, well) = (world.tenant("sick").await, world.tenant("well").await);
    // The third is about an appointment that was never made.
    let head = world.append(&sick, &[booked(1), booked(2), happening(3, 3, 0), booked(4)]).await;
    // One that it makes no sense to, and one that it does not concern.
    let projections: Vec<Arc<dyn Projection>> =
        vec![Arc::new(Appointments::default()), Arc::new(Catalogue::new(world.pool.clone()))];
    let runner = world.start(projections);
    world.caught_up(&sick, Appointments::ID, Position::from_i64(2)).await;
    world.caught_up(&sick, Catalogue::ID, head).await;
    world.caught_up(&well, Appointments::ID, world.append(&well, &[booked(1)]).await).await;
    tokio::time::sleep(Duration::from_millis(100)).await;

    let [(tenant, projection, position, failed, reason)] = &failure(&world).await[..] else {
        panic!("not one failure");
    };
    let found = (tenant.as_str(), projection.as_str(), *position, *failed);
    assert_eq!(found, ("sick", "appointments", 2, 3));
    assert!(reason.contains("was neither held nor booked"), "{reason}");
    assert_eq!(world.appointment_rows(&sick).await.len(), 2);
    let lag = world.progress().status().await.unwrap();
    assert_eq!((lag[0].tenants_behind, lag[0].events_behind, lag[0].tenants_stalled), (1, 2, 1));
    assert_eq!((lag[1].tenants_behind, lag[1].events_behind, lag[1].tenants_stalled), (0, 0, 0));

    // A program that can read it: here the event itself is mended.
    let Stored { event_type, payload, .. } = payload(&booked(3));
    sqlx::query(
        "UPDATE events SET event_type = $1, payload = $2::json
          WHERE tenant_id = 'sick' AND position = 3",
    )
    .bind(event_type)
    .bind(payload)
    .execute(&world.pool)
    .await
    .unwrap();
    world.caught_up(&sick, Appointments::ID, head).await;
    runner.stop().await;
    assert!(failure(&world).await.is_empty());
    assert_eq!(world.appointment_rows(&sick).await.len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_this_program_cannot_read_stops_every_projection_before_it() {
    let world = World::new().await;
    let tenant = world.tenant("north").await;
    world.append(&tenant, &[booked(1)]).await;
    let unknown = Stored { event_type: "AppointmentDreamt".to_owned(), ..payload(&booked(2)) };
    let unknown = Stored { payload: r#"{"type":"AppointmentDreamt"}"#.to_owned(), ..unknown };
    world.append_raw(&tenant, &[unknown]).await;
    let runner = world.start(world.projections());
    for projection in world.projections() {
        world.caught_up(&tenant, projection.id(), Position::from_i64(1)).await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    runner.stop().await;
    let failures = failure(&world).await;
    assert_eq!(failures.len(), world.projections().len());
    assert!(failures.iter().all(|(.., position, failed, _)| (*position, *failed) == (1, 2)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_whose_row_the_database_refuses_is_found_among_its_neighbours() {
    let world = World::new().await;
    let tenant = world.tenant("north").await;
    let check = "ALTER TABLE {schema}.appointments ADD CHECK (title::text NOT LIKE '\"Visit 37,%')";
    sqlx::raw_sql(&Schema::of(Appointments::ID).sql(check)).execute(&world.pool).await.unwrap();
    let events: Vec<_> = (1..=60).map(booked).collect();
    world.append(&tenant, &events).await;
    let runner = world.start(world.projections());
    world.caught_up(&tenant, Appointments::ID, Position::from_i64(36)).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    runner.stop().await;
    let [(_, _, position, failed, _)] = &failure(&world).await[..] else {
        panic!("not one failure");
    };
    assert_eq!((*position, *failed), (36, 37));
}
