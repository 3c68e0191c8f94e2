use std::sync::Mutex;
use std::time::Duration;

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::lease::{self, Asked};
use super::*;
use crate::testing::{House, a_booking, eventually, noon, submission, uuid};
use crate::{Log, Position, Repeated, departures};

const ME: Uuid = Uuid::from_u128(1);
const OTHER: Uuid = Uuid::from_u128(2);

const PAUSES: Pauses = Pauses {
    first: Duration::from_mins(1),
    factor: 2,
    most: Duration::from_mins(10),
    patience: Some(Duration::from_hours(72)),
};

fn follower(house: &House, n: u128) -> Follower {
    Follower { tenant: house.tenant.clone(), kind: FollowerKind::Webhook, id: uuid(n) }
}

async fn a_follower(house: &House) -> Follower {
    let follower = follower(house, 7);
    add(&house.pool, &follower, Position::START).await.unwrap();
    follower
}

async fn take(pool: &PgPool, leader: Uuid, follower: &Follower) -> Option<Taken> {
    match lease::take(pool, leader, follower.clone()).await.unwrap() {
        Asked::Taken(taken) => Some(taken),
        Asked::Not => None,
    }
}

async fn advance(pool: &PgPool, taken: &mut Taken, to: u64) -> bool {
    let mut connection = pool.acquire().await.unwrap();
    taken.advance(&mut connection, Position::START.plus(to)).await.unwrap()
}

async fn seen(house: &House, follower: &Follower) -> FollowerStatus {
    let mut all = status(&house.pool, &follower.tenant, follower.kind).await.unwrap();
    all.remove(&follower.id).unwrap()
}

async fn is_due(house: &House) -> bool {
    !look::due(&house.pool, FollowerKind::Webhook, ME).await.unwrap().is_empty()
}

async fn run(house: &House, sql: &str) {
    sqlx::query(sql).execute(&house.pool).await.unwrap();
}

/// Whoever holds the other program's lock: it lives.
async fn shows_that_it_lives(house: &House, program: Uuid) -> sqlx::PgConnection {
    use sqlx::ConnectOptions as _;
    let mut connection = house.options().connect().await.unwrap();
    sqlx::query("SELECT pg_advisory_lock(hashtextextended('daybook program ' || $1::uuid, 0))")
        .bind(program)
        .execute(&mut connection)
        .await
        .unwrap();
    connection
}

#[tokio::test]
async fn a_follower_is_one_programs_until_it_is_given_back_or_that_program_has_ended() {
    let house = House::new().await;
    let follower = a_follower(&house).await;
    let alive = shows_that_it_lives(&house, ME).await;
    let taken = take(&house.pool, ME, &follower).await.unwrap();
    assert!(take(&house.pool, OTHER, &follower).await.is_none());
    taken.give_back(&house.pool).await.unwrap();
    assert!(take(&house.pool, OTHER, &follower).await.is_some());
    // The other one never lived.
    assert!(take(&house.pool, ME, &follower).await.is_some());
    drop(alive);
    eventually("it has ended", async || take(&house.pool, OTHER, &follower).await.is_some()).await;
    let _alive = shows_that_it_lives(&house, OTHER).await;
    assert!(take(&house.pool, ME, &follower).await.is_none());
    run(&house, "UPDATE followers SET lease_until = clock_timestamp() - interval '1 second'").await;
    assert!(take(&house.pool, ME, &follower).await.is_some(), "the lease has run out");
}

#[tokio::test]
async fn whoever_has_lost_a_follower_does_not_move_it() {
    let house = House::new().await;
    let follower = a_follower(&house).await;
    let mut lost = take(&house.pool, ME, &follower).await.unwrap();
    let mut taken = take(&house.pool, OTHER, &follower).await.unwrap();
    assert!(advance(&house.pool, &mut taken, 3).await);
    assert!(!advance(&house.pool, &mut lost, 5).await);
    assert_eq!(seen(&house, &follower).await.position, Position::START.plus(3));
    // Nor does whoever has it move one that was set elsewhere meanwhile, or is to be left alone.
    set_position(&house.pool, &follower, Position::START.plus(1)).await.unwrap();
    assert!(!advance(&house.pool, &mut taken, 4).await);
    assert!(is_due(&house).await);
    let mut taken = take(&house.pool, OTHER, &follower).await.unwrap();
    pause(&house.pool, &follower).await.unwrap();
    assert!(!advance(&house.pool, &mut taken, 4).await);
    assert!(take(&house.pool, ME, &follower).await.is_none());
    assert_eq!(seen(&house, &follower).await.position, Position::START.plus(1));
}

#[tokio::test]
async fn one_that_was_told_all_is_due_no_more_unless_its_log_has_come_to_rest_meanwhile() {
    let house = House::new().await;
    let follower = a_follower(&house).await;
    assert!(is_due(&house).await, "it is new");
    let taken = take(&house.pool, ME, &follower).await.unwrap();
    taken.caught_up(&house.pool).await.unwrap();
    assert!(!is_due(&house).await);
    let taken = take(&house.pool, ME, &follower).await.unwrap();
    run(&house, "UPDATE followers SET due_at = clock_timestamp()").await;
    taken.caught_up(&house.pool).await.unwrap();
    assert!(is_due(&house).await);
}

#[tokio::test]
async fn one_that_fails_is_tried_again_later_and_given_up_after_three_days() {
    let house = House::new().await;
    let follower = a_follower(&house).await;
    let fail = async || {
        let taken = take(&house.pool, ME, &follower).await.unwrap();
        taken.failed(&house.pool, &PAUSES, "status-500").await.unwrap()
    };
    assert!(!fail().await);
    assert!(!is_due(&house).await);
    let once = seen(&house, &follower).await;
    assert_eq!((once.failures, once.failure.as_deref()), (1, Some("status-500")));
    run(&house, "UPDATE followers SET failing_since = clock_timestamp() - interval '71 hours'")
        .await;
    assert!(!fail().await);
    run(&house, "UPDATE followers SET failing_since = clock_timestamp() - interval '73 hours'")
        .await;
    assert!(fail().await);
    let over = seen(&house, &follower).await;
    assert_eq!((over.state, over.failures), (FollowerState::Stopped, 3));
    assert!(over.stopped_at.is_some() && over.due_at.is_none());
    assert!(take(&house.pool, ME, &follower).await.is_none());
    let named = stopped(&house.pool, FollowerKind::Webhook, 10).await.unwrap();
    assert_eq!(named.len(), 1);
    let backlog = look::backlog(&house.pool, FollowerKind::Webhook).await.unwrap();
    assert_eq!(backlog, Backlog { stopped: 1, ..Backlog::default() });
    resume(&house.pool, &follower).await.unwrap();
    let again = seen(&house, &follower).await;
    assert_eq!(
        (again.state, again.failures, again.stopped_at),
        (FollowerState::Following, 0, None)
    );
    assert!(is_due(&house).await);
}

#[tokio::test]
async fn nobody_is_told_of_a_tenant_that_is_suspended() {
    let house = House::new().await;
    let follower = a_follower(&house).await;
    let log = house.log();
    log.append(submission(&house.tenant, uuid(1), 0, &a_booking(&[1], 0, 30))).await.unwrap();
    let counted = async || look::backlog(&house.pool, FollowerKind::Webhook).await.unwrap().events;
    assert_eq!(counted().await, 1);
    departures::suspend(&house.pool, &house.tenant, noon()).await.unwrap();
    assert_eq!(counted().await, 0, "nobody is late");
    assert!(take(&house.pool, ME, &follower).await.is_none());
    assert!(!is_due(&house).await, "it is looked at again in a while");
    departures::resume(&house.pool, &house.tenant, noon()).await.unwrap();
    assert!(take(&house.pool, ME, &follower).await.is_some());
}

#[tokio::test]
async fn who_is_behind_is_found_by_the_log_that_is_active_or_by_being_due_and_counted() {
    let house = House::new().await;
    let follower = a_follower(&house).await;
    let log = house.log();
    log.append(submission(&house.tenant, uuid(1), 0, &a_booking(&[1], 0, 30))).await.unwrap();
    let active = async || {
        let page = look::of_active_logs(&house.pool, FollowerKind::Webhook, None).await.unwrap();
        page.behind
    };
    let counted = async || look::backlog(&house.pool, FollowerKind::Webhook).await.unwrap().events;
    assert_eq!((active().await, counted().await), (vec![], 1), "it is due");
    run(&house, "UPDATE followers SET due_at = NULL").await;
    assert_eq!((active().await, counted().await), (vec![follower.clone()], 1));
    let heard = [house.tenant.clone()].into();
    let found = look::of_tenants(&house.pool, FollowerKind::Webhook, &heard).await.unwrap();
    assert_eq!(found, std::slice::from_ref(&follower));
    let mut taken = take(&house.pool, ME, &follower).await.unwrap();
    assert!(advance(&house.pool, &mut taken, 1).await);
    assert_eq!((active().await, counted().await), (vec![], 0));
}

/// One that takes note of what it is told, and fails when it is to.
#[derive(Clone, Default)]
struct Told {
    log: Option<Log>,
    positions: std::sync::Arc<Mutex<Vec<u64>>>,
}

static TELL: Repeated = Repeated::shared("tell a test");

impl Follow for Told {
    const KIND: FollowerKind = FollowerKind::Broker;
    const PAUSES: Pauses = PAUSES;
    const OF_EACH_LOG: bool = true;
    const TASK: &'static Repeated = &TELL;

    async fn turn(&self, taken: &mut Taken) -> Result<Turn, sqlx::Error> {
        let log = self.log.as_ref().unwrap();
        let head = log.head(&taken.follower.tenant).await?.unwrap_or_default();
        if taken.position >= head {
            return Ok(Turn::CaughtUp);
        }
        let next = taken.position.plus(1);
        let mut connection = log.pool().acquire().await?;
        if !taken.advance(&mut connection, next).await? {
            return Ok(Turn::Lost);
        }
        self.positions.lock().unwrap().push(next.get());
        Ok(Turn::More)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_log_has_a_broker_that_is_told_all_of_it_once_by_several_programs() {
    const EVENTS: u64 = 30;
    let house = House::new().await;
    let told = Told::default();
    let cancel = CancellationToken::new();
    let programs: Vec<_> = (0..2)
        .map(|_| {
            let log = house.log();
            let follow = Told { log: Some(log.clone()), ..told.clone() };
            tokio::spawn(super::run(log, follow, cancel.clone()))
        })
        .collect();
    let log = house.log();
    for n in 1..=EVENTS {
        let start = i64::try_from(n).unwrap() * 30;
        let booking = a_booking(&[1], start, start + 30);
        log.append(submission(&house.tenant, uuid(n.into()), 0, &booking)).await.unwrap();
    }
    eventually("all of it", async || {
        told.positions.lock().unwrap().len() >= usize::try_from(EVENTS).unwrap()
    })
    .await;
    cancel.cancel();
    for program in programs {
        program.await.unwrap();
    }
    assert_eq!(*told.positions.lock().unwrap(), (1..=EVENTS).collect::<Vec<_>>());
}
