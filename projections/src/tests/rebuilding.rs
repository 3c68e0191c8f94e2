//! A projection is made from the log beside whatever is read, and takes its place when it is whole.

use std::sync::Arc;

use daybook_domain::TenantId;
use daybook_store::{AnyEvent, Position, Program};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use super::bookings::{booked, happening};
use super::world::{Stored, World, payload};
use crate::appointments::Appointments;
use crate::rebuild::state;
use crate::{
    Deployment, Projection, ProjectionId, RebuildError, Rebuilder, Rebuilt, Schema, State,
    drop_leftover, leftovers, prepare, verify,
};

pub(super) fn rebuilder(world: &World) -> Rebuilder {
    let clock = Arc::new(world.clock.clone());
    // Small parts, so that there are many.
    Rebuilder::new(world.log.clone(), clock, world.projections()).with_part_events(7)
}

pub(super) fn appointments() -> Arc<dyn Projection> {
    Arc::new(Appointments::default())
}

async fn rebuild(world: &World) -> Result<Rebuilt, RebuildError> {
    rebuilder(world).rebuild(&appointments(), &CancellationToken::new()).await
}

/// Appointments, of which each has something else happening to it.
pub(super) fn eventful(count: u128) -> Vec<AnyEvent> {
    let made = (1..=count).map(booked);
    let changed = (1..=count).map(|n| happening(n, u8::try_from(1 + n % 6).unwrap(), n));
    made.chain(changed).collect()
}

/// Makes it anew, from nothing.
pub(super) async fn rebuild_from_nothing(
    world: &World,
    projection: &Arc<dyn Projection>,
) -> Result<Rebuilt, RebuildError> {
    drop_tables(world, projection.id()).await;
    rebuilder(world).rebuild(projection, &CancellationToken::new()).await
}

async fn drop_tables(world: &World, projection: ProjectionId) {
    let name = projection.name;
    let drop = format!(
        "DROP SCHEMA {projection} CASCADE; DELETE FROM checkpoints WHERE projection = '{name}'"
    );
    sqlx::raw_sql(&drop).execute(&world.pool).await.unwrap();
}

async fn parts(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM build_parts").fetch_one(pool).await.unwrap()
}

async fn position(world: &World, tenant: &TenantId) -> i64 {
    sqlx::query_scalar(
        "SELECT position FROM checkpoints WHERE tenant_id = $1 AND projection = 'appointments'",
    )
    .bind(tenant.as_str())
    .fetch_one(&world.pool)
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_built_from_streams_is_what_following_the_log_makes() {
    let world = World::new().await;
    let (one, two) = (world.tenant("north").await, world.tenant("north-2").await);
    let head = world.append(&one, &eventful(60)).await;
    let other = world.append(&two, &eventful(13)).await;
    let runner = world.start(world.projections());
    world.caught_up(&one, Appointments::ID, head).await;
    world.caught_up(&two, Appointments::ID, other).await;
    runner.stop().await;
    let followed = (world.appointment_rows(&one).await, world.appointment_rows(&two).await);

    drop_tables(&world, Appointments::ID).await;
    assert_eq!(rebuild(&world).await.unwrap(), Rebuilt::Done);
    assert_eq!((world.appointment_rows(&one).await, world.appointment_rows(&two).await), followed);
    assert_eq!(position(&world, &one).await, head.as_i64());
    assert_eq!(rebuild(&world).await.unwrap(), Rebuilt::NotNeeded);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_projection_is_what_it_is_when_it_is_made_again_and_a_row_that_is_not_is_found() {
    let world = World::new().await;
    let tenant = world.tenant("north").await;
    let head = world.append(&tenant, &eventful(40)).await;
    let runner = world.start(world.projections());
    for projection in world.projections() {
        world.caught_up(&tenant, projection.id(), head).await;
    }
    runner.stop().await;
    let never = CancellationToken::new();
    for projection in world.projections() {
        let verified = verify(&rebuilder(&world), &projection, &never).await.unwrap();
        assert_eq!(verified.difference, None);
    }
    let verified = verify(&rebuilder(&world), &appointments(), &never).await.unwrap();
    // Each has two versions, is listed under its client and its resource, and six happenings make many days.
    assert_eq!(verified.tenants, 1);
    assert!(verified.rows > 160, "{}", verified.rows);

    let edit = "UPDATE {schema}.appointments SET title = '\"Dreamt\"' WHERE appointment_id IN (
                    SELECT appointment_id FROM {schema}.appointments LIMIT 1)";
    let live = Schema::of(Appointments::ID);
    sqlx::raw_sql(&live.sql(edit)).execute(&world.pool).await.unwrap();
    let verified = verify(&rebuilder(&world), &appointments(), &never).await.unwrap();
    let difference = verified.difference.unwrap();
    assert_eq!((difference.table, difference.too_much), (format!("{live}.appointments"), true));
    assert!(difference.row.contains("Dreamt"), "{}", difference.row);

    // Made anew, it is as it should be.
    world.progress().rebuild(Appointments::ID, world.now()).await.unwrap();
    assert_eq!(rebuild(&world).await.unwrap(), Rebuilt::Done);
    let verified = verify(&rebuilder(&world), &appointments(), &never).await.unwrap();
    assert_eq!(verified.difference, None);
    let ids: Vec<_> = world.projections().iter().map(|it| it.id()).collect();
    assert_eq!(leftovers(&world.pool, &ids).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_build_that_was_stopped_goes_on_where_it_was() {
    let world = World::new().await;
    let tenant = world.tenant("north").await;
    world.append(&tenant, &eventful(100)).await;
    let projection = appointments();
    let stops = rebuild_with_stops(&world, &projection).await;
    assert!(stops > 0, "it was stopped at least once");
    let never = CancellationToken::new();
    let verified = verify(&rebuilder(&world), &projection, &never).await.unwrap();
    assert_eq!(verified.difference, None);
    assert_eq!(world.appointment_rows(&tenant).await.len(), 100);
}

/// Builds it from nothing, and stops it whenever something was done. Says how often that was.
async fn rebuild_with_stops(world: &World, projection: &Arc<dyn Projection>) -> u32 {
    drop_tables(world, projection.id()).await;
    let mut before = 0;
    let mut stops = 0;
    loop {
        let cancel = CancellationToken::new();
        let (stop, pool) = (cancel.clone(), world.pool.clone());
        let watch = tokio::spawn(async move {
            loop {
                if parts(&pool).await > before + 2 {
                    return stop.cancel();
                }
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
        });
        let built = rebuilder(world).rebuild(projection, &cancel).await;
        watch.abort();
        match built {
            Ok(Rebuilt::Done) => return stops,
            Err(RebuildError::Stopped) => stops += 1,
            other => panic!("{other:?}"),
        }
        let now = parts(&world.pool).await;
        assert!(now >= before, "nothing that is done is lost");
        before = now;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_programs_that_want_it_one_builds_and_events_come_meanwhile() {
    let world = World::new().await;
    let tenant = world.tenant("north").await;
    world.append(&tenant, &eventful(100)).await;
    drop_tables(&world, Appointments::ID).await;
    let appending = async {
        for n in 201..230 {
            world.append(&tenant, &[booked(n)]).await;
        }
    };
    let (one, other, ()) = tokio::join!(rebuild(&world), rebuild(&world), appending);
    let mut built = [one.unwrap(), other.unwrap()];
    built.sort_by_key(|it| *it as u8);
    assert!(
        matches!(built, [Rebuilt::Done, Rebuilt::ByAnother] | [Rebuilt::NotNeeded, Rebuilt::Done]),
        "{built:?}"
    );
    let runner = world.start(world.projections());
    world.caught_up(&tenant, Appointments::ID, Position::from_i64(229)).await;
    runner.stop().await;
    assert_eq!(world.appointment_rows(&tenant).await.len(), 129);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_called_off_is_cleared_away_and_begun_again_only_when_asked_for() {
    let world = World::new().await;
    let tenant = world.tenant("north").await;
    world.append(&tenant, &eventful(30)).await;
    // Of what is read, nothing is left to do.
    world.progress().rebuild(Appointments::ID, world.now()).await.unwrap();
    assert!(world.progress().cancel(Appointments::ID, world.now()).await.unwrap());
    assert!(matches!(rebuild(&world).await, Err(RebuildError::Cancelled)));
    assert_eq!(rebuild(&world).await.unwrap(), Rebuilt::NotNeeded);
    assert!(!world.progress().cancel(Appointments::ID, world.now()).await.unwrap());
    // What is not read yet is not made behind one's back.
    drop_tables(&world, Appointments::ID).await;
    world.progress().rebuild(Appointments::ID, world.now()).await.unwrap();
    assert!(world.progress().cancel(Appointments::ID, world.now()).await.unwrap());
    for _ in 0..2 {
        assert!(matches!(rebuild(&world).await, Err(RebuildError::Cancelled)));
    }
    assert_eq!(world.progress().status().await.unwrap()[0].state, State::Cancelled);
    world.progress().rebuild(Appointments::ID, world.now()).await.unwrap();
    assert_eq!(rebuild(&world).await.unwrap(), Rebuilt::Done);
    assert_eq!(world.progress().status().await.unwrap()[0].state, State::Ready);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_makes_no_sense_keeps_only_its_tenant_from_being_built_to_the_end() {
    let world = World::new().await;
    let (sick, well) = (world.tenant("sick").await, world.tenant("well").await);
    let unknown = Stored { event_type: "AppointmentDreamt".to_owned(), ..payload(&booked(3)) };
    world.append(&sick, &[booked(1), booked(2)]).await;
    world.append_raw(&sick, &[unknown]).await;
    world.append(&sick, &[booked(4)]).await;
    let head = world.append(&well, &eventful(20)).await;
    drop_tables(&world, Appointments::ID).await;
    assert_eq!(rebuild(&world).await.unwrap(), Rebuilt::Done);
    assert_eq!(position(&world, &sick).await, 2);
    assert_eq!(world.appointment_rows(&sick).await.len(), 2);
    assert_eq!(position(&world, &well).await, head.as_i64());
    assert_eq!(world.appointment_rows(&well).await.len(), 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_program_of_another_version_reads_is_dropped_when_it_has_gone() {
    let world = World::new().await;
    world.tenant("north").await;
    // One that this program has no more.
    let old = ProjectionId { name: "search", version: 3 };
    let (live, replaced) = (Appointments::ID, format!("{}_replaced", Appointments::ID));
    sqlx::raw_sql(&format!(
        "CREATE SCHEMA {old}; CREATE TABLE {old}.appointments (tenant_id text);
         CREATE SCHEMA {replaced}; CREATE SCHEMA {live}_building;
         CREATE SCHEMA re{old};
         INSERT INTO checkpoints (tenant_id, projection, version, position)
         VALUES ('north', 'search', 3, 0)"
    ))
    .execute(&world.pool)
    .await
    .unwrap();
    state::request(
        &world.pool,
        &crate::rebuild::shadow(Appointments::ID),
        Appointments::ID,
        world.now(),
    )
    .await
    .unwrap();
    let names = async || -> Vec<String> {
        let found = leftovers(&world.pool, &[Appointments::ID]).await.unwrap();
        found.into_iter().map(|it| it.schema).collect()
    };
    let cancel = CancellationToken::new();
    let program = Program::new(world.log.program(), vec![], String::new());
    let readers = Deployment::new(world.pool.clone(), program, vec![old]);
    let reading = tokio::spawn(readers.run(cancel.clone()));
    for _ in 0..100 {
        if names().await == [replaced.as_str()] {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    // The old program reads its version, and somebody asked for what is being built.
    assert_eq!(names().await, [replaced.as_str()]);
    cancel.cancel();
    reading.await.unwrap();
    assert_eq!(names().await, [replaced, old.to_string()]);
    for leftover in leftovers(&world.pool, &[Appointments::ID]).await.unwrap() {
        drop_leftover(&world.pool, &leftover).await.unwrap();
    }
    assert_eq!(names().await, Vec::<String>::new());
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM checkpoints WHERE version = 3")
        .fetch_one(&world.pool)
        .await
        .unwrap();
    assert_eq!(left, 0);
    // What is there is not made twice.
    prepare(&world.pool, &world.projections()).await.unwrap();
}
