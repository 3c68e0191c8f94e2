//! Several programs share tenants out, and none is left behind.

use std::collections::HashSet;

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

/// Rounds of new tenants before both programs must have led some of them.
const ROUNDS: usize = 20;

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

/// Appends to the logs of new tenants, and waits until they are read.
async fn all_are_read(world: &World, round: usize) {
    for n in 0..TENANTS {
        let tenant = world.tenant(&format!("tenant-{round}-{n}")).await;
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
    // A slow one's are done by the other, which then gives the lease back: each has led some, once.
    let mut leaders = HashSet::new();
    for round in 0..ROUNDS {
        all_are_read(&world, round).await;
        let now: Vec<Uuid> = sqlx::query_scalar(
            "SELECT DISTINCT leader FROM checkpoints
              WHERE projection = 'appointments' AND leader IS NOT NULL",
        )
        .fetch_all(&world.pool)
        .await
        .unwrap();
        leaders.extend(now);
        if leaders.len() == 2 {
            break;
        }
    }
    assert_eq!(leaders, [world.log.program(), other.program()].into());
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
    all_are_read(&world, 0).await;
    cancel.cancel();
    running.await.unwrap();
}
