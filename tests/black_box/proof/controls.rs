//! Each check finds what it is there for.

use serde_json::json;
use uuid::Uuid;

use super::finding::Finding;
use super::follower::Follower;
use super::recorder::{History, Operation, Outcome, Recorder};
use super::{accounts, claims, rebuild, verified};
use crate::harness::{APPOINTMENTS, Database, Practice, Server, Sql, monday};

fn id(appointment: &serde_json::Value) -> Uuid {
    appointment["id"].as_str().unwrap().parse().unwrap()
}

#[test]
fn without_the_exclusion_constraint_a_double_booking_gets_in_and_is_found() {
    let server = Server::start(&Database::fresh());
    let practice = Practice::on(&server);
    let (mut sql, tenant) = (server.database.sql(), &*practice.tenant);
    let has_it = practice.booked(monday(10, 0));
    practice.booked(monday(11, 0));
    claims::no_double_booking(&mut sql, tenant).unwrap();

    sql.run("ALTER TABLE claims DROP CONSTRAINT no_double_booking");
    let answer = practice.booking(monday(10, 10)).send();
    let takes_it = id(&answer.is(201));
    let found = claims::no_double_booking(&mut sql, tenant).unwrap_err();
    let expected = Finding::DoubleBooking {
        position: answer.position().cast_signed(),
        resource: practice.room.parse().unwrap(),
        has_it: id(&has_it),
        takes_it,
    };
    assert_eq!(found, expected);
    assert!(matches!(verified::is_whole(&server.database), Err(Finding::NotWhole(_))));
}

#[test]
fn a_double_booking_by_a_buffer_or_by_a_move_is_found_and_one_that_is_over_is_none() {
    let server = Server::start(&Database::fresh());
    let practice = Practice::on(&server);
    let (mut sql, tenant) = (server.database.sql(), &*practice.tenant);
    let buffered = practice.a_service(&json!({"buffer_before_minutes": 10}));
    let first = practice.booked(monday(10, 0));
    practice.act(&first, "cancel", &json!({})).is(200);
    let second = practice.booked(monday(10, 0));
    practice.act(&second, "reschedule", &json!({"start_at": "2190-01-01T00:00:00Z"})).is(200);
    practice.booked(monday(10, 0));
    claims::no_double_booking(&mut sql, tenant).unwrap();

    sql.run("ALTER TABLE claims DROP CONSTRAINT no_double_booking");
    let near = practice.booking(monday(10, 30)).with("service_id", buffered).send();
    near.is(201);
    let found = claims::no_double_booking(&mut sql, tenant).unwrap_err();
    assert!(
        matches!(found, Finding::DoubleBooking { position, .. }
            if position == near.position().cast_signed()),
        "{found:?}"
    );
    let moved =
        practice.act(&near.json(), "reschedule", &json!({"start_at": "2190-01-01T00:30:00Z"}));
    moved.is(200);
    let moved = moved.position().cast_signed();
    // As if only the move had been wrong: the buffer was none.
    sql.run(&format!(
        "UPDATE events SET payload = replace(payload::text, '\"buffer_before_minutes\":10',
                '\"buffer_before_minutes\":0')::json WHERE tenant_id = '{tenant}' AND position < {moved}"
    ));
    let found = claims::no_double_booking(&mut sql, tenant).unwrap_err();
    assert!(matches!(found, Finding::DoubleBooking { position, .. } if position == moved));
}

#[test]
fn a_claim_that_is_gone_or_that_the_log_does_not_know_is_found() {
    let server = Server::start(&Database::fresh());
    let mut sql = server.database.sql();
    let mut found_after = |damage: &str| {
        let practice = Practice::on(&server);
        let booked = practice.booked(monday(10, 0));
        practice.booking(monday(11, 0)).held(60).send().is(201);
        claims::claims_are_what_the_log_says(&mut sql, &practice.tenant).unwrap();
        assert_eq!(sql.change(damage, &practice.tenant), 1, "{damage}");
        let found = claims::claims_are_what_the_log_says(&mut sql, &practice.tenant);
        (id(&booked), practice.room.parse().unwrap(), found.unwrap_err())
    };
    let (appointment, resource, found) =
        found_after("DELETE FROM claims WHERE tenant_id = $1 AND expires_at IS NULL");
    let only_in = "the log".to_owned();
    assert_eq!(found, Finding::OtherClaims { appointment, resource, only_in });
    let (_, resource, found) = found_after(
        "INSERT INTO claims (tenant_id, appointment_id, resource_id, seat, during)
         SELECT tenant_id, '00000000-0000-0000-0000-000000000001', resource_id, seat,
                tstzrange(upper(during) + interval '1 day', upper(during) + interval '2 days')
           FROM claims WHERE tenant_id = $1 AND expires_at IS NULL",
    );
    let (appointment, only_in) = (Uuid::from_u128(1), "the claims".to_owned());
    assert_eq!(found, Finding::OtherClaims { appointment, resource, only_in });
}

#[test]
fn an_event_that_the_check_does_not_know_is_found() {
    let server = Server::start(&Database::fresh());
    let practice = Practice::on(&server);
    let mut sql = server.database.sql();
    practice.booked(monday(10, 0));
    sql.change(
        "UPDATE events SET event_type = 'AppointmentDreamt'
          WHERE tenant_id = $1 AND aggregate_type = 'appointment'",
        &practice.tenant,
    );
    let found = claims::no_double_booking(&mut sql, &practice.tenant);
    assert_eq!(found, Err(Finding::UnknownEvent("AppointmentDreamt".into())));
}

#[test]
fn a_key_whose_answer_was_forgotten_works_twice_and_that_is_found() {
    let server = Server::start(&Database::fresh());
    let practice = Practice::on(&server);
    let (mut sql, tenant) = (server.database.sql(), &*practice.tenant);
    let booking = practice.booking(monday(10, 0)).idempotency_key("the-key");
    let first = booking.send();
    practice.act(&first.is(201), "cancel", &json!({})).is(200);
    assert_eq!(booking.send().is(201)["id"], first.json()["id"]);
    accounts::no_key_has_two_effects(&mut sql, tenant).unwrap();

    assert!(sql.change("DELETE FROM commands WHERE tenant_id = $1", tenant) > 0);
    let second = booking.send();
    assert_ne!(second.is(201)["id"], first.json()["id"]);
    let positions = [&first, &second].map(|answer| answer.position().cast_signed()).into();
    let found = accounts::no_key_has_two_effects(&mut sql, tenant);
    assert_eq!(found, Err(Finding::TwoEffects { positions }));
}

/// Two bookings and a refusal, as a recorder has written them down.
fn a_short_history(practice: &Practice) -> History {
    let recorder = Recorder::new(1, &practice.api);
    let book = |hour| Operation::Book {
        service: practice.service.clone(),
        rooms: vec![practice.room.clone()],
        client: practice.client.clone(),
        start: monday(hour, 0),
        hold_minutes: None,
    };
    for hour in [9, 10, 10] {
        recorder.perform(&practice.api, 0, book(hour));
    }
    recorder.settled()
}

#[test]
fn what_was_answered_and_is_not_in_the_log_or_the_other_way_round_is_found() {
    let server = Server::start(&Database::fresh());
    let practice = Practice::on(&server);
    let (mut sql, tenant) = (server.database.sql(), &*practice.tenant);
    let history = a_short_history(&practice);
    let outcomes: Vec<_> = history.records.iter().map(|record| &record.outcome).collect();
    let [Outcome::Accepted(first), Outcome::Accepted(second), Outcome::Refused(refusal)] =
        *outcomes
    else {
        panic!("{outcomes:?}");
    };
    let (first, second) = (first.position.unwrap(), second.position.unwrap());
    let key = |nth: usize| history.records[nth].key.clone();
    let mut found = |change: &dyn Fn(&mut History)| {
        let mut changed = history.clone();
        change(&mut changed);
        let answered = accounts::all_were_answered(&changed);
        (answered, accounts::log_is_what_was_answered(&mut sql, tenant, &changed))
    };
    assert_eq!(found(&|_| {}), (Ok(()), Ok(())));
    let unanswered = Finding::Unanswered { sent: 3, accepted: 1, refused: 1 };
    let nobody_asked = Finding::NobodyAsked { position: first };
    let forgotten = found(&|history| drop(history.records.remove(0)));
    assert_eq!(forgotten, (Err(unanswered), Err(nobody_asked)));
    let denied = found(&|history| {
        history.records[1].outcome = Outcome::Refused(refusal.clone());
    });
    let and_done = Finding::NobodyAsked { position: second };
    assert_eq!(denied, (Ok(()), Err(and_done)));
    let elsewhere = found(&|history| {
        let Outcome::Accepted(seen) = &mut history.records[0].outcome else { unreachable!() };
        seen.version = 2;
    });
    assert_eq!(elsewhere, (Ok(()), Err(Finding::Lost { key: key(0), position: first })));
    let invented = found(&|history| {
        history.records[2].outcome = history.records[1].outcome.clone();
    });
    assert_eq!(invented, (Ok(()), Err(Finding::Lost { key: key(2), position: second })));

    let lost = sql.change(
        &format!("DELETE FROM events WHERE tenant_id = $1 AND position = {second}"),
        tenant,
    );
    assert_eq!(lost, 1);
    let found = accounts::log_is_what_was_answered(&mut sql, tenant, &history);
    assert_eq!(found, Err(Finding::Lost { key: key(1), position: second }));
}

/// What a follower finds in a log of six events, the last two of one stream, after this.
fn followed_after(server: &Server, damage: &str) -> Result<(), Finding> {
    let practice = Practice::on(server);
    let (mut sql, tenant) = (server.database.sql(), &*practice.tenant);
    practice.booked(monday(9, 0));
    let appointment = practice.booked(monday(10, 0));
    practice.act(&appointment, "cancel", &json!({})).is(200);
    let follow = |sql: &mut Sql| Follower::default().catch_up(sql, tenant);
    follow(&mut sql).unwrap();
    sql.run(&damage.replace("$1", &format!("'{tenant}'")));
    follow(&mut sql)
}

#[test]
fn a_log_out_of_order_is_found_by_who_follows_it() {
    let server = Server::start(&Database::fresh());
    let found = followed_after(&server, "DELETE FROM events WHERE tenant_id = $1 AND position = 4");
    assert_eq!(found, Err(Finding::Gap { after: 3, found: 5 }));
    let found = followed_after(
        &server,
        "UPDATE events SET position = 100 WHERE tenant_id = $1 AND position = 5;
         UPDATE events SET position = 5 WHERE tenant_id = $1 AND position = 6;
         UPDATE events SET position = 6 WHERE tenant_id = $1 AND position = 100",
    );
    assert!(
        matches!(found, Err(Finding::OutOfSequence { position: 5, after: 0, found: 2, .. })),
        "{found:?}"
    );
    let found = followed_after(
        &server,
        "UPDATE events SET recorded_at = recorded_at - interval '1 hour'
          WHERE tenant_id = $1 AND position = 6",
    );
    assert!(matches!(found, Err(Finding::WentBack { position: 6, .. })), "{found:?}");
}

#[test]
fn a_row_that_no_event_explains_is_found_by_a_rebuild() {
    let database = Database::fresh();
    let server = Server::start(&database);
    let practice = Practice::on(&server);
    rebuild::something_of_everything(&practice, json!({}));
    practice.booked(monday(10, 0));
    let (server, same) = rebuild::equal_their_rebuild(&database, server, &practice.tenant);
    same.unwrap();
    rebuild::caught_up(&mut database.sql(), &practice.tenant);
    let table = format!("{APPOINTMENTS}.appointments");
    let change = format!("UPDATE {table} SET title = '\"Dreamt\"' WHERE tenant_id = $1");
    assert_eq!(database.sql().change(&change, &practice.tenant), 1);
    let (_server, same) = rebuild::equal_their_rebuild(&database, server, &practice.tenant);
    assert!(
        matches!(&same, Err(Finding::OtherRows { table: found, before: Some(before), rebuilt: Some(_) })
            if *found == table && before.contains("Dreamt")),
        "{same:?}"
    );
}
