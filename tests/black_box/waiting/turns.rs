//! Whose turn it is, whichever other client wants the place, and whatever happens to the program.

use std::thread;
use std::time::Duration;

use chrono::TimeDelta;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use sqlx::Row as _;

use super::{
    Full, a_full_practice, a_while, cancel, confirm, full, join, join_as, offered, path, read,
    start, status, times,
};
use crate::harness::{
    Answer, Database, Practice, Server, Sql, a_practice, at_once, date, eventually, monday,
};

#[test]
fn ten_places_that_come_free_one_by_one_go_to_ten_in_the_order_in_which_they_joined() {
    let practice = a_practice();
    let days: Vec<_> = (0..10).map(|n| monday(9, 0) + TimeDelta::minutes(30 * n)).collect();
    let mut practice = practice;
    practice.room = practice.a_resource(&json!({"weekly_hours": [
        {"days": ["mon"], "from": "09:00", "to": "14:00",
         "valid_from": date(0).to_string(), "valid_until": date(0).to_string()},
    ]}));
    let booked: Vec<Value> = days.iter().map(|start| practice.booked(*start)).collect();
    let entries: Vec<Value> = (0..10).map(|_| join(&practice, &json!({}))).collect();
    // Not in the order of the day.
    for (n, entry) in entries.iter().enumerate() {
        let freed = &booked[(n * 7 + 3) % 10];
        cancel(&practice, freed);
        let entry = offered(&practice, entry);
        assert_eq!(entry["offer"]["start_at"], freed["start_at"]);
        if let Some(next) = entries.get(n + 1) {
            assert_eq!(status(&practice, next), "waiting");
        }
    }
    practice.is_whole();
}

#[test]
fn places_that_come_free_at_once_go_to_the_first_in_turn() {
    let practice = a_practice();
    let mut practice = practice;
    practice.room = practice.a_resource(&json!({"weekly_hours": [
        {"days": ["mon"], "from": "09:00", "to": "14:00",
         "valid_from": date(0).to_string(), "valid_until": date(0).to_string()},
    ]}));
    let starts = (0..10).map(|n| monday(9, 0) + TimeDelta::minutes(30 * n));
    let booked: Vec<Value> = starts.map(|start| practice.booked(start)).collect();
    let entries: Vec<Value> = (0..12).map(|_| join(&practice, &json!({}))).collect();
    at_once(6, |n| cancel(&practice, &booked[n]));
    for entry in &entries[..6] {
        offered(&practice, entry);
    }
    a_while();
    for entry in &entries[6..] {
        assert_eq!(status(&practice, entry), "waiting");
    }
    practice.is_whole();
}

/// Far back in a long queue somebody would take any place, and in front somebody waits for one at nine.
#[test]
fn a_place_that_comes_free_while_the_queue_is_gone_through_goes_to_the_first_who_wants_it() {
    for pause_ms in [60, 120, 240] {
        let Full { practice, nine, half_past } = a_full_practice();
        practice.settings(&json!({"waiting_per_client": 1_000}));
        let in_front = join(&practice, &times("09:00", "09:30"));
        at_once(8, |_| {
            for _ in 0..25 {
                join_as(&practice, &practice.client, &times("06:00", "07:00")).is(201);
            }
        });
        let far_back = join(&practice, &json!({}));
        // All have been looked at, and nothing was free.
        a_while();
        cancel(&practice, &half_past);
        thread::sleep(Duration::from_millis(pause_ms));
        cancel(&practice, &nine);
        assert_eq!(start(&offered(&practice, &in_front)), monday(9, 0), "{pause_ms} ms");
        assert_eq!(start(&offered(&practice, &far_back)), monday(9, 30), "{pause_ms} ms");
    }
}

#[test]
fn a_place_that_came_free_before_the_program_was_killed_is_offered_after_it_starts_again() {
    let database = Database::fresh();
    let mut server = Server::start(&database);
    let Full { mut practice, nine, half_past } = full(Practice::on(&server));
    let entries = [(); 2].map(|()| join(&practice, &json!({})));
    for (appointment, entry) in [nine, half_past].iter().zip(&entries) {
        cancel(&practice, appointment);
        server.kill_dash_9();
        server = Server::start(&database);
        practice = practice.moved_to(&server);
        offered(&practice, entry);
    }
    let said = database.run(&["verify"]).succeeded();
    assert!(said.contains("not whole: 0;"), "{said}");
}

/// Sixty tenants like this one, of whom somebody waits, and whose waiting list nobody brings up to date.
fn stall_sixty_others(sql: &mut Sql, tenant: &str) {
    let schema =
        "SELECT nspname::text FROM pg_namespace WHERE nspname ~ '^waiting_[0-9]+$' AND $1 <> ''";
    let schema: String = sql.rows(schema, tenant)[0].get(0);
    let columns = format!(
        "SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
          WHERE attrelid = '{schema}.entries'::regclass AND attnum > 0 AND attname <> 'tenant_id'
            AND $1 <> ''"
    );
    let columns: String = sql.rows(&columns, tenant)[0].get(0);
    for made in [
        "INSERT INTO log_heads (tenant_id, position, hash, recorded_at)
         SELECT 'stalled-' || n, position, hash, recorded_at
           FROM log_heads, generate_series(1, 60) AS n WHERE tenant_id = $1"
            .to_owned(),
        "INSERT INTO checkpoints (tenant_id, projection, version, position, leader, lease_until)
         SELECT 'stalled-' || n, projection, version, 0, gen_random_uuid(), now() + interval '1 hour'
           FROM checkpoints, generate_series(1, 60) AS n WHERE tenant_id = $1"
            .to_owned(),
        format!(
            "INSERT INTO {schema}.entries (tenant_id, {columns})
             SELECT 'stalled-' || n, {columns}
               FROM {schema}.entries, generate_series(1, 60) AS n WHERE tenant_id = $1"
        ),
    ] {
        assert!(sql.change(&made, tenant) >= 60, "{made}");
    }
}

#[test]
fn tenants_whose_waiting_lists_are_behind_hold_up_nobody() {
    let server = Server::start(&Database::fresh());
    let Full { practice, nine, half_past } = full(Practice::on(&server));
    let entries = [(); 2].map(|()| join(&practice, &json!({})));
    let list = || practice.api.get("/v1/waiting-list").send().is(200)["items"].clone();
    eventually("they are on the list", || (list().as_array().unwrap().len() == 2).then_some(()));
    let database = server.database.clone();
    server.interrupt();
    server.wait();
    stall_sixty_others(&mut database.sql(), &practice.tenant);
    let server = Server::start(&database);
    let practice = practice.moved_to(&server);
    for (appointment, entry) in [nine, half_past].iter().zip(&entries) {
        cancel(&practice, appointment);
        offered(&practice, entry);
    }
}

#[test]
fn a_program_that_is_told_to_stop_gives_the_tenants_back_whose_lists_it_goes_through() {
    let mut server = Server::start(&Database::fresh());
    let Full { practice, .. } = full(Practice::on(&server));
    practice.settings(&json!({"waiting_per_client": 1_000}));
    at_once(4, |_| {
        for _ in 0..150 {
            join_as(&practice, &practice.client, &times("09:00", "10:00")).is(201);
        }
    });
    let database = server.database.clone();
    server.interrupt();
    server.wait();
    let mut sql = database.sql();
    // All are to be gone through, which takes several turns.
    sql.change("DELETE FROM promotions WHERE tenant_id = $1", &practice.tenant);
    server = Server::start_with(&database, &["--drain-seconds", "0"]);
    let leased = "SELECT count(*) FROM promotions
                   WHERE tenant_id = $1 AND lease_until > clock_timestamp()";
    eventually("it goes through the list", || {
        (sql.number(leased, &practice.tenant) == 1).then_some(())
    });
    server.signal(Signal::SIGTERM);
    assert_eq!(server.wait().code(), Some(0), "{}", server.log());
    assert_eq!(sql.number(leased, &practice.tenant), 0);
}

#[test]
fn two_programs_on_one_database_offer_a_place_once() {
    let database = Database::fresh();
    let servers = [Server::start(&database), Server::start(&database)];
    let Full { practice, nine, half_past } = full(Practice::on(&servers[0]));
    let entries = [(); 4].map(|()| join(&practice, &json!({})));
    for (appointment, entry) in [nine, half_past].iter().zip(&entries) {
        cancel(&practice, appointment);
        offered(&practice, entry);
    }
    a_while();
    let statuses = entries.each_ref().map(|entry| status(&practice, entry));
    assert_eq!(statuses, ["offered", "offered", "waiting", "waiting"]);
    let starts = [&entries[0], &entries[1]].map(|entry| start(&read(&practice.api, entry)));
    assert_eq!(starts, [monday(9, 0), monday(9, 30)]);
    let held = practice.found("status=held");
    assert_eq!(held.len(), 2, "{held:#?}");
    let said = database.run(&["verify"]).succeeded();
    assert!(said.contains("not whole: 0;"), "{said}");
}

#[test]
fn of_a_promotion_and_32_direct_bookings_one_has_the_place() {
    let Full { practice, nine, .. } = a_full_practice();
    let clients: Vec<String> = (0..32).map(|n| practice.a_client(&format!("Client {n}"))).collect();
    let mut has_it = nine;
    let mut offers = 0;
    for round in 0..20_u64 {
        let entry = join(&practice, &times("09:00", "09:30"));
        // From well before it is offered until well after that.
        let after = Duration::from_millis(round * round * 3);
        let answers = at_once(33, |n| match n.checked_sub(1) {
            None => cancel(&practice, &has_it),
            Some(n) => {
                thread::sleep(after);
                practice.booking(monday(9, 0)).with("client_id", &*clients[n]).send()
            }
        });
        let won: Vec<&Answer> = answers[1..].iter().filter(|it| it.status == 201).collect();
        for lost in answers[1..].iter().filter(|it| it.status != 201) {
            lost.is_refused(409, "slot-taken");
        }
        if let [won] = &*won {
            thread::sleep(Duration::from_millis(300));
            assert_eq!(status(&practice, &entry), "waiting", "round {round}");
            practice.api.request("DELETE", &path(&entry)).send().is(200);
            has_it = won.json();
        } else {
            assert!(won.is_empty(), "round {round}: {won:#?}");
            let entry = offered(&practice, &entry);
            offers += 1;
            assert_eq!(start(&entry), monday(9, 0));
            has_it = confirm(&practice, &entry).is(200);
        }
    }
    println!("it was offered in {offers} of 20 rounds");
    assert!((1..20).contains(&offers), "each wins some rounds, or it was no race");
    practice.is_whole();
}
