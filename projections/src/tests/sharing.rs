//! Several programs share tenants out, and none is left behind.

use chrono::DateTime;
use daybook_store::programs::LivingProgram;
use daybook_store::{Log, Role};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::bookings::booked;
use super::world::World;
use crate::appointments::Appointments;
use crate::{Heard, Runner};

const TENANTS: usize = 24;

fn living(programs: &[&Log]) -> watch::Receiver<Heard> {
    let programs = programs.iter().map(|log| LivingProgram {
        id: log.program(),
        roles: vec![Role::Projector.to_string()],
        version: String::new(),
        host: String::new(),
        started_at: DateTime::UNIX_EPOCH,
        heard_at: DateTime::UNIX_EPOCH,
    });
    let heard = Heard { at: Some(tokio::time::Instant::now()), programs: programs.collect() };
    watch::Sender::new(heard).subscribe()
}

async fn listens(log: &Log) {
    log.listening().wait_for(|listening| *listening).await.unwrap();
}

/// Appends to the logs of all tenants, and waits until they are read.
async fn all_are_read(world: &World) {
    for n in 0..TENANTS {
        let tenant = world.tenant(&format!("tenant-{n}")).await;
        let head = world.append(&tenant, &[booked(1)]).await;
        world.caught_up(&tenant, Appointments::ID, head).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_programs_that_project_have_each_its_share() {
    let world = World::new().await;
    let other = world.another_program();
    let cancel = CancellationToken::new();
    let mut running = Vec::new();
    for log in [&world.log, &other] {
        listens(log).await;
        let runner = Runner::new(log.clone(), world.projections());
        let runner = runner.with_programs(living(&[&world.log, &other]));
        running.push(tokio::spawn(runner.run(cancel.clone())));
    }
    all_are_read(&world).await;
    let leaders: Vec<(Uuid, i64)> = sqlx::query_as(
        "SELECT leader, count(DISTINCT tenant_id) FROM checkpoints
          WHERE projection = 'appointments' AND leader IS NOT NULL GROUP BY leader",
    )
    .fetch_all(&world.pool)
    .await
    .unwrap();
    // A slow one's are done by the other, which then gives the lease back.
    for log in [&world.log, &other] {
        assert!(leaders.iter().any(|(leader, _)| *leader == log.program()), "{leaders:?}");
    }
    cancel.cancel();
    for running in running {
        running.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_program_does_not_project_that_should_another_one_does() {
    let world = World::new().await;
    let idle = world.another_program();
    listens(&idle).await;
    let cancel = CancellationToken::new();
    let runner = world.runner(world.projections()).with_programs(living(&[&world.log, &idle]));
    let running = tokio::spawn(runner.run(cancel.clone()));
    all_are_read(&world).await;
    cancel.cancel();
    running.await.unwrap();
}
