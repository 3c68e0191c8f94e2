use daybook_domain::appointment::{
    AppointmentCancelled, AppointmentConfirmed, AppointmentEvent, AppointmentHoldExpired,
    AppointmentRescheduled, CancelledBy, MovedBy, Slot,
};
use daybook_domain::claim::ClaimConflict;
use daybook_domain::time::Interval;
use serde_json::Value;
use sqlx::{Connection, Row};

use super::*;
use crate::testing::{
    House, a_booking, a_hold, claims_in_the_log, claims_in_the_table, minute, resource, uuid,
};

fn slot_of(event: &AppointmentEvent) -> Slot {
    match event {
        AppointmentEvent::AppointmentBooked(details) => details.slot.clone(),
        AppointmentEvent::AppointmentHeld(held) => held.details.slot.clone(),
        other => panic!("no slot: {other:?}"),
    }
}

fn moved_to(event: &AppointmentEvent) -> AppointmentEvent {
    let slot = slot_of(event);
    AppointmentEvent::AppointmentRescheduled(AppointmentRescheduled {
        slot,
        hold_expires_at: None,
        by: MovedBy::Client,
        with_calendar: false,
        overridden: None,
    })
}

fn confirmed(event: &AppointmentEvent) -> AppointmentEvent {
    AppointmentEvent::AppointmentConfirmed(AppointmentConfirmed { slot: slot_of(event) })
}

fn cancelled() -> AppointmentEvent {
    let by = CancelledBy::Staff;
    AppointmentEvent::AppointmentCancelled(AppointmentCancelled {
        reason: None,
        by,
        overridden: None,
    })
}

fn taken(by: u128, from: i64, to: i64) -> Verdict {
    let during = Interval::new(minute(from), minute(to)).unwrap();
    Verdict::SlotTaken(ClaimConflict { resource: resource(by), during, reference_of: None })
}

fn is_appended(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Appended(_))
}

async fn the_table_is_as_the_log_says(house: &House, log: &Log) {
    let table = claims_in_the_table(&house.pool, &house.tenant).await;
    assert_eq!(table, claims_in_the_log(log, &house.tenant).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_bookings_of_one_slot_from_two_programs_one_wins() {
    let house = House::new().await;
    let logs = [house.log(), house.log()];
    let book =
        async |n: usize| append(&logs[n % 2], &house.tenant, &a_booking(&[1], 0, 30)).await.1;
    let verdicts = join_all((0..64).map(book)).await;
    assert_eq!(verdicts.iter().filter(|verdict| is_appended(verdict)).count(), 1);
    assert_eq!(verdicts.iter().filter(|verdict| **verdict == taken(1, 0, 30)).count(), 63);
    the_table_is_as_the_log_says(&house, &logs[0]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unequal_intervals_never_overlap_on_a_resource() {
    let house = House::new().await;
    let logs = [house.log(), house.log()];
    let book = async |n: i64| {
        let (from, length) = ((n * 37) % 240, 5 + (n * 13) % 55);
        let log = &logs[usize::try_from(n % 2).unwrap()];
        append(log, &house.tenant, &a_booking(&[1, 2], from, from + length)).await.1
    };
    let verdicts = join_all((0..200).map(book)).await;
    let won = verdicts.iter().filter(|verdict| is_appended(verdict)).count();
    assert!((4..=48).contains(&won), "{won} bookings fit into 240 minutes");
    let overlaps: i64 = sqlx::query(
        "SELECT count(*) FROM claims a JOIN claims b
             ON a.resource_id = b.resource_id AND a.during && b.during
            AND a.appointment_id < b.appointment_id",
    )
    .fetch_one(&house.pool)
    .await
    .unwrap()
    .get(0);
    assert_eq!(overlaps, 0);
    the_table_is_as_the_log_says(&house, &logs[0]).await;
}

#[tokio::test]
async fn a_loser_of_two_resources_leaves_the_other_to_its_neighbour() {
    let house = House::new().await;
    let log = house.log();
    append(&log, &house.tenant, &a_booking(&[1], 0, 30)).await;
    let batch = [(2, a_booking(&[2, 1], 0, 30)), (3, a_booking(&[2], 0, 30))];
    let batch = batch.map(|(id, event)| submission(&house.tenant, uuid(id), 0, &event));
    let verdicts = append_at_once(&log, batch).await;
    assert_eq!(verdicts[0], Ok(taken(1, 0, 30)));
    assert_eq!(verdicts[1], Ok(Verdict::Appended(Position::START.plus(2))));
    the_table_is_as_the_log_says(&house, &log).await;
}

#[tokio::test]
async fn an_appointment_is_not_in_its_own_way() {
    let house = House::new().await;
    let log = house.log();
    let (id, _) = append(&log, &house.tenant, &a_booking(&[1], 0, 30)).await;
    let later = moved_to(&a_booking(&[1], 15, 45));
    let verdict = log.append(submission(&house.tenant, id, 1, &later)).await.unwrap();
    assert!(is_appended(&verdict), "{verdict:?}");
    let (_, verdict) = append(&log, &house.tenant, &a_booking(&[1], 0, 15)).await;
    assert!(is_appended(&verdict), "{verdict:?}");
    let (_, verdict) = append(&log, &house.tenant, &a_booking(&[1], 44, 50)).await;
    assert_eq!(verdict, taken(1, 15, 45));
    the_table_is_as_the_log_says(&house, &log).await;
}

#[tokio::test]
async fn a_cancellation_frees_all_that_was_claimed() {
    let house = House::new().await;
    let log = house.log();
    let (id, _) = append(&log, &house.tenant, &a_booking(&[1, 2], 0, 30)).await;
    log.append(submission(&house.tenant, id, 1, &cancelled())).await.unwrap();
    assert!(claims_in_the_table(&house.pool, &house.tenant).await.is_empty());
    let (_, verdict) = append(&log, &house.tenant, &a_booking(&[2], 0, 30)).await;
    assert!(is_appended(&verdict), "{verdict:?}");
}

#[tokio::test]
async fn what_is_freed_in_a_batch_is_taken_only_after_that() {
    let house = House::new().await;
    let log = house.log();
    let (id, _) = append(&log, &house.tenant, &a_booking(&[1], 0, 30)).await;
    let (moves, _) = append(&log, &house.tenant, &a_booking(&[1], 60, 90)).await;
    let batch = [
        submission(&house.tenant, uuid(1), 0, &a_booking(&[1], 10, 40)),
        submission(&house.tenant, moves, 1, &moved_to(&a_booking(&[1], 20, 50))),
        submission(&house.tenant, id, 1, &cancelled()),
        submission(&house.tenant, uuid(2), 0, &a_booking(&[1], 0, 30)),
    ];
    let verdicts = append_at_once(&log, batch).await;
    assert_eq!(verdicts[0], Ok(taken(1, 0, 30)));
    assert_eq!(verdicts[1], Ok(taken(1, 0, 30)));
    assert_eq!(verdicts[2], Ok(Verdict::Appended(Position::START.plus(3))));
    assert_eq!(verdicts[3], Ok(Verdict::Appended(Position::START.plus(4))));
    the_table_is_as_the_log_says(&house, &log).await;
}

#[tokio::test]
async fn a_hold_that_lapsed_is_in_nobodys_way_although_nobody_recorded_it() {
    let house = House::new().await;
    let log = house.log();
    append(&log, &house.tenant, &a_hold(&[1, 2], 60, 90, 10)).await;
    house.clock.set(minute(9));
    let book = |id, resources: &[u128], at| Submission {
        decided_at: minute(at),
        ..submission(&house.tenant, uuid(id), 0, &a_booking(resources, 60, 90))
    };
    assert_eq!(log.append(book(1, &[1], 9)).await, Ok(taken(1, 60, 90)));
    house.clock.set(minute(10));
    let verdict = log.append(book(2, &[1], 10)).await.unwrap();
    assert!(is_appended(&verdict), "{verdict:?}");
    assert_eq!(claims_in_the_table(&house.pool, &house.tenant).await.len(), 1);
    the_table_is_as_the_log_says(&house, &log).await;
}

#[tokio::test]
async fn who_loses_on_another_resource_does_not_evict_a_lapsed_hold() {
    let house = House::new().await;
    let log = house.log();
    append(&log, &house.tenant, &a_hold(&[1], 60, 90, 10)).await;
    append(&log, &house.tenant, &a_booking(&[2], 60, 90)).await;
    house.clock.set(minute(20));
    let mut lost = submission(&house.tenant, uuid(1), 0, &a_booking(&[1, 2], 60, 90));
    lost.decided_at = minute(20);
    // A neighbour that wins makes the batch write.
    let won = submission(&house.tenant, uuid(2), 0, &a_booking(&[3], 60, 90));
    let verdicts = append_at_once(&log, [lost, won]).await;
    assert_eq!(verdicts[0], Ok(taken(2, 60, 90)));
    assert_eq!(claims_in_the_table(&house.pool, &house.tenant).await.len(), 3);
    the_table_is_as_the_log_says(&house, &log).await;
}

#[tokio::test]
async fn a_hold_that_is_confirmed_in_time_keeps_its_slot() {
    let house = House::new().await;
    let log = house.log();
    let hold = a_hold(&[1], 60, 90, 10);
    let (id, _) = append(&log, &house.tenant, &hold).await;
    house.clock.set(minute(9));
    let confirm = submission(&house.tenant, id, 1, &confirmed(&hold));
    assert!(is_appended(&log.append(confirm).await.unwrap()));
    house.clock.set(minute(20));
    let mut late = submission(&house.tenant, uuid(1), 0, &a_booking(&[1], 60, 90));
    late.decided_at = minute(20);
    assert_eq!(log.append(late).await, Ok(taken(1, 60, 90)));
    the_table_is_as_the_log_says(&house, &log).await;
}

#[tokio::test]
async fn a_hold_that_lost_its_slot_can_neither_be_confirmed_nor_free_it() {
    let house = House::new().await;
    let log = house.log();
    let hold = a_hold(&[1], 60, 90, 10);
    let (id, _) = append(&log, &house.tenant, &hold).await;
    house.clock.set(minute(10));
    let mut other = submission(&house.tenant, uuid(1), 0, &a_booking(&[1], 60, 90));
    other.decided_at = minute(10);
    assert!(is_appended(&log.append(other).await.unwrap()));
    // Decided in time, by a program whose clock is slow.
    let mut confirm = submission(&house.tenant, id, 1, &confirmed(&hold));
    confirm.decided_at = minute(9);
    assert_eq!(log.append(confirm).await, Ok(taken(1, 60, 90)));
    let expired = AppointmentEvent::AppointmentHoldExpired(AppointmentHoldExpired {});
    let sweep = submission(&house.tenant, id, 1, &expired);
    assert!(is_appended(&log.append(sweep).await.unwrap()));
    assert_eq!(claims_in_the_table(&house.pool, &house.tenant).await.len(), 1);
    the_table_is_as_the_log_says(&house, &log).await;
}

/// A plan that is made while the tables are empty is kept when they have grown.
#[tokio::test]
async fn what_a_batch_is_decided_by_is_found_by_the_indexes_whenever_the_plan_was_made() {
    let house = House::new().await;
    let options = house.committer_options();
    let mut committer = sqlx::PgConnection::connect_with(&options).await.unwrap();
    let state = format!("PREPARE state AS {}", super::super::commit::STATE);
    sqlx::raw_sql(&state).execute(&mut committer).await.unwrap();
    let asked = "EXECUTE state('clinic', '{appointment}', '{clinic/1}', '{key}',
                   '{00000000-0000-0000-0000-000000000001}', '{0}', '{2026-11-23}', '{2026-11-24}')";
    sqlx::raw_sql(asked).execute(&mut committer).await.unwrap();
    sqlx::raw_sql(
        "INSERT INTO claims
         SELECT 'clinic', gen_random_uuid(),
                ('00000000-0000-0000-0000-' || lpad((n % 50)::text, 12, '0'))::uuid, 0,
                tstzrange('2026-11-23'::timestamptz + n / 50 * interval '30 min',
                          '2026-11-23'::timestamptz + (n / 50 + 1) * interval '30 min'), NULL
           FROM generate_series(0, 4999) n;
         INSERT INTO events
         SELECT 'clinic', n, 'appointment', 'clinic/' || n, 1, 'x', '1.0', '{}', '{}', now(), ''
           FROM generate_series(1, 5000) n;
         INSERT INTO commands
         SELECT 'clinic', n::text, '', NULL, NULL, NULL, '{}', now()
           FROM generate_series(1, 5000) n",
    )
    .execute(&house.pool)
    .await
    .unwrap();
    let explained = format!("EXPLAIN (ANALYZE, FORMAT JSON) {asked}");
    let plan: Value = sqlx::query_scalar(&explained).fetch_one(&mut committer).await.unwrap();
    let mut read = Vec::new();
    rows_read(&plan[0]["Plan"], &mut read);
    read.sort_unstable();
    let expected = [("commands_pkey", 0), ("events_pkey", 1), ("no_double_booking", 48)];
    assert_eq!(read, expected.map(|(index, rows)| (index.to_owned(), rows)), "{plan:#}");
}

/// How many rows were read of the tables, and by which index.
fn rows_read(plan: &Value, read: &mut Vec<(String, u64)>) {
    let number = |key: &str| plan[key].as_u64().unwrap_or_default();
    if plan["Relation Name"].is_string() {
        let index = plan["Index Name"].as_str().unwrap_or("no index");
        let removed = number("Rows Removed by Filter") + number("Rows Removed by Index Recheck");
        read.push((index.to_owned(), number("Actual Rows") + removed));
    }
    for child in plan["Plans"].as_array().into_iter().flatten() {
        rows_read(child, read);
    }
}
