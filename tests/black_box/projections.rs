//! `/v1/projections` and `daybook projections`: making projections anew while they are read, two
//! versions of the program at once, `kill -9` in the middle.

use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use chrono::TimeDelta;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};

use crate::harness::{
    APPOINTMENTS, Api, Database, NEXT_APPOINTMENTS, Practice, Server, eventually, monday, seed,
    size, within,
};

/// A projection as `GET /v1/projections` shows it, to a tenant or an operator.
fn shown(api: &Api, name: &str) -> Value {
    let all = api.get("/v1/projections").send().is(200);
    let items = all["items"].as_array().unwrap();
    items.iter().find(|item| item["name"] == name).unwrap().clone()
}

fn rebuild(operator: &Api, name: &str) {
    let path = format!("/v1/projections/{name}/rebuild");
    operator.post(&path, &json!({})).send().is(202);
}

/// Waits until nothing of it is being made.
fn made(operator: &Api, name: &str) -> Value {
    within(Duration::from_mins(5), "the projection is made", || {
        let shown = shown(operator, name);
        (shown["state"] == "ready" && shown["build"].is_null()).then_some(shown)
    })
}

/// Books so many half hours, 500 at a time, on rooms of their own.
fn many(practice: &Practice, count: usize) {
    for _ in 0..count.div_ceil(500) {
        let room = practice.a_room();
        let items = (0..500).map(|n| {
            let start = monday(0, 0) + TimeDelta::minutes(30 * n);
            practice.booking(start).with("resource_ids", json!([room])).body
        });
        let items: Vec<Value> = items.collect();
        let body = json!({"atomic": true, "items": items});
        practice.api.post("/v1/appointments:batch", &body).send().has_status(200);
    }
}

/// Sets it when dropped: also by a test that fails, whose load must end too.
struct Until<'a>(&'a AtomicBool);

impl Drop for Until<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Books and reads on several servers at once until it is told to stop; every answer must be a good
/// one. Says how many there were.
fn load(practices: &[&Practice], until: &AtomicBool, answered: &AtomicUsize) {
    thread::scope(|scope| {
        for practice in practices {
            scope.spawn(move || {
                let room = practice.a_room();
                for n in 0.. {
                    if until.load(Ordering::Relaxed) {
                        return;
                    }
                    let start = monday(0, 0) + TimeDelta::minutes(30 * (n % 4_000));
                    let booked = practice.booking(start).with("resource_ids", json!([room])).send();
                    assert!(matches!(booked.status, 201 | 409), "{booked:?}");
                    let query = format!("/v1/appointments?resource_id={room}&limit=5");
                    practice.api.get(&query).send().is(200);
                    answered.fetch_add(2, Ordering::Relaxed);
                }
            });
        }
    });
}

#[test]
fn projections_say_how_far_they_are_and_are_made_anew_while_they_are_read() {
    let server = Server::start(&Database::fresh());
    let practice = Practice::on(&server);
    let booked = practice.booked(monday(9, 0));
    let position = practice.booking(monday(10, 0)).send().position();
    practice.found(&format!("min_position={position}"));
    let operator = server.keyed_operator();
    let search = shown(&practice.api, "appointments");
    assert_eq!((&search["state"], &search["position"]), (&json!("ready"), &json!(position)));
    assert_eq!(search["head"], position);

    rebuild(&operator, "appointments");
    let all = shown(&operator, "appointments");
    assert!(all["head"].as_u64() >= Some(position), "over all tenants: {all}");
    let cancelled = practice.act(&booked, "cancel", &json!({})).position();
    assert_eq!(practice.found(&format!("min_position={cancelled}")).len(), 2);
    made(&operator, "appointments");
    assert_eq!(practice.found(&format!("min_position={cancelled}&status=booked")).len(), 1);
    server.database.projections_are_what_the_log_says();
    let unknown = operator.post("/v1/projections/nothing/rebuild", &json!({})).send();
    unknown.is_refused(404, "not-found");
    let garbled = operator.post("/v1/projections/%FF/rebuild", &json!({})).send();
    garbled.is_refused(404, "not-found");
    for misspelt in ["/v1/projections?nme=appointments", "/v1/projections?"] {
        let status = practice.api.get(misspelt).send().status;
        assert_eq!(status, if misspelt.ends_with('?') { 200 } else { 400 }, "{misspelt}");
    }
}

#[test]
fn an_operator_lists_makes_anew_compares_calls_off_and_prunes() {
    let server = Server::start(&Database::fresh());
    let practice = Practice::on(&server);
    practice.booked(monday(9, 0));
    let database = &server.database;
    let command = |arguments: &[&str]| database.run(&[&["projections"], arguments].concat());
    let listed = command(&["list"]).succeeded();
    assert!(
        listed.lines().any(|line| line.starts_with(&format!("{APPOINTMENTS}: ready, "))),
        "{listed}"
    );
    let said = command(&["rebuild", "appointments"]).succeeded();
    assert!(said.starts_with(&format!("{APPOINTMENTS}: rebuilt in ")), "{said}");
    command(&["rebuild", "--all"]).succeeded();
    database.projections_are_what_the_log_says();
    // What analysts read is what is read now.
    let mut sql = database.sql();
    let viewed = "SELECT count(*) FROM analytics.appointments WHERE tenant_id = $1";
    assert_eq!(sql.number(viewed, &practice.tenant), 1);
    practice.booked(monday(11, 0));
    eventually("the views show it", || (sql.number(viewed, &practice.tenant) == 2).then_some(()));
    assert!(command(&["cancel", "appointments"]).failed().contains("is not being rebuilt"));
    assert!(command(&["rebuild", "nothing"]).failed().contains("there is no projection"));

    sql.run(
        "SET ROLE daybook_owner; CREATE SCHEMA appointments_0;
         CREATE TABLE appointments_0.appointments (tenant_id text); RESET ROLE",
    );
    let listed = command(&["list"]).succeeded();
    assert!(listed.contains("appointments_0: left over"), "{listed}");
    assert_eq!(command(&["prune", "--dry-run"]).succeeded(), "appointments_0: would be dropped\n");
    assert_eq!(command(&["prune"]).succeeded(), "appointments_0: dropped\n");
    assert_eq!(command(&["prune"]).succeeded(), "");

    // A row that nobody wrote is found, and goes when the projection is made anew.
    let edit =
        format!("UPDATE {APPOINTMENTS}.appointments SET title = '\"Dreamt\"' WHERE $1 <> ''");
    sql.change(&edit, "any");
    let finished = command(&["verify", "appointments"]);
    assert!(finished.stdout.contains("NOT what the log says"), "{finished:?}");
    assert_eq!(finished.code, Some(1));
    command(&["rebuild", "appointments"]).succeeded();
    database.projections_are_what_the_log_says();
}

#[test]
fn a_log_that_is_behind_and_that_nobody_looks_at_is_named_and_counted_when_it_is_found() {
    let server = Server::start(&Database::fresh());
    let practice = Practice::on(&server);
    let position = practice.booking(monday(9, 0)).send().position();
    practice.found(&format!("min_position={position}"));
    eventually("all is read", || {
        let all = practice.api.get("/v1/projections").send().is(200);
        let items = all["items"].as_array().unwrap();
        items.iter().all(|item| item["position"] == position).then_some(())
    });
    let database = server.database.clone();
    let verified = || database.run(&["projections", "verify", "waiting"]);
    verified().succeeded();
    server.interrupt();
    server.wait();
    let mut sql = database.sql();
    let overlook = "WITH behind AS (
            UPDATE checkpoints SET position = position - 1
             WHERE tenant_id = $1 AND projection = 'waiting')
         UPDATE log_heads SET active = false WHERE tenant_id = $1";
    assert_eq!(sql.change(overlook, &practice.tenant), 1);
    let finished = verified();
    let found = format!(
        "NOT up to date: 1 logs are out of step; that of {} ends at {position}, and is read up to {} while nobody",
        practice.tenant,
        position - 1
    );
    assert!(finished.code == Some(1) && finished.stdout.contains(&found), "{finished:?}");

    let next = Server::start(&database);
    eventually("it is counted", || {
        let figures = next.operator().get("/metrics").send().text;
        let counted = "daybook_logs_overlooked_total{comparison=\"begun\"} 1\n";
        figures.contains(counted).then_some(())
    });
    eventually("it is read", || (verified().code == Some(0)).then_some(()));
}

/// The schemas in which rows are made to be compared.
fn compared(database: &Database) -> Vec<String> {
    use sqlx::Row as _;
    let query = "SELECT nspname::text FROM pg_namespace
                  WHERE nspname LIKE '%\\_verifying' AND $1 <> ''";
    database.sql().rows(query, "any").iter().map(|row| row.get(0)).collect()
}

/// A program that compares, and is stopped in the middle of it, and where.
fn held_while_it_compares(database: &Database) -> (Child, String) {
    for _ in 0..10 {
        let mut command = database.daybook(&["projections", "verify", "--all"]);
        let mut child = command.stdout(Stdio::null()).spawn().unwrap();
        let id = Pid::from_raw(child.id().try_into().unwrap());
        while compared(database).is_empty() && child.try_wait().unwrap().is_none() {}
        kill(id, Signal::SIGSTOP).unwrap();
        // What it had sent is done.
        thread::sleep(Duration::from_millis(500));
        if let Some(schema) = compared(database).pop() {
            return (child, schema);
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    panic!("it was never caught in the middle");
}

#[test]
fn what_a_killed_comparison_leaves_is_pruned_and_what_is_compared_now_is_not() {
    let server = Server::start(&Database::fresh());
    let practice = Practice::on(&server);
    many(&practice, 500);
    let operator = server.keyed_operator();
    made(&operator, "appointments");
    let database = &server.database;
    let prune = |more: &[&str]| database.run(&[&["projections", "prune"], more].concat());
    let (mut child, schema) = held_while_it_compares(database);
    assert_eq!(prune(&[]).succeeded(), "", "somebody is at it");
    assert_eq!(compared(database), [schema.as_str()]);
    child.kill().unwrap();
    child.wait().unwrap();
    eventually("the doctor names it", || {
        let said = database.run(&["doctor"]).stdout;
        said.contains(&format!("the schema {schema} is left over")).then_some(())
    });
    assert_eq!(prune(&["--dry-run"]).succeeded(), format!("{schema}: would be dropped\n"));
    assert_eq!(prune(&[]).succeeded(), format!("{schema}: dropped\n"));
    assert_eq!(compared(database), [""; 0]);
    let noted = "SELECT count(*) FROM builds WHERE schema_name LIKE '%verifying' AND $1 <> ''";
    assert_eq!(database.sql().number(noted, "any"), 0);
    database.projections_are_what_the_log_says();
}

#[test]
fn an_event_that_cannot_be_applied_is_shown_and_a_program_that_can_goes_on_from_there() {
    let server = Server::start(&Database::fresh());
    let (sick, well) = (Practice::on(&server), Practice::on(&server));
    let booked = sick.booking(monday(9, 0)).send();
    sick.found(&format!("min_position={}", booked.position()));
    let mut sql = server.database.sql();
    let dream = "WITH head AS (
            UPDATE log_heads SET position = position + 1, active = true WHERE tenant_id = $1
             RETURNING position)
         INSERT INTO events (tenant_id, position, aggregate_type, aggregate_id, sequence, event_type,
                             event_version, payload, metadata, recorded_at, hash)
         SELECT tenant_id, head.position, aggregate_type, $1 || '/' || gen_random_uuid(), 1,
                'ClientDreamt', event_version, payload, metadata, recorded_at, hash
           FROM head, events WHERE tenant_id = $1 AND event_type = 'ClientRegistered' LIMIT 1";
    assert_eq!(sql.change(dream, &sick.tenant), 1);
    let at = booked.position() + 1;
    let failed = eventually("it stands still", || {
        let shown = shown(&sick.api, "appointments");
        (!shown["failed"].is_null()).then_some(shown)
    });
    assert_eq!((&failed["failed"]["position"], &failed["position"]), (&json!(at), &json!(at - 1)));
    let reason = failed["failed"]["reason"].as_str().unwrap();
    assert!(reason.contains("ClientDreamt"), "{reason}");
    server.log_with("has stalled");
    let metric = r#"daybook_projection_tenants_stalled{projection="appointments","#;
    eventually("a metric shows it", || {
        let metrics = server.operator().get("/metrics").send();
        let mut lines = metrics.text.lines();
        lines.any(|line| line.starts_with(metric) && line.ends_with(" 1")).then_some(())
    });
    let position = well.booking(monday(9, 0)).send().position();
    assert_eq!(well.found(&format!("min_position={position}")).len(), 1);
    assert!(shown(&well.api, "appointments")["failed"].is_null());

    // A program that can read it: here the event itself is mended.
    let awake = "UPDATE events SET event_type = 'ClientRegistered'
                  WHERE tenant_id = $1 AND event_type = 'ClientDreamt'";
    assert_eq!(sql.change(awake, &sick.tenant), 1);
    server.interrupt();
    server.wait();
    let server = Server::start(&server.database);
    let sick = sick.moved_to(&server);
    eventually("it goes on", || {
        let shown = shown(&sick.api, "appointments");
        (shown["failed"].is_null() && shown["position"] == at).then_some(())
    });
    server.database.projections_are_what_the_log_says();
}

#[test]
fn what_is_read_is_not_replaced_by_what_cannot_be_made_to_the_end() {
    let server = Server::start(&Database::fresh());
    let practice = Practice::on(&server);
    let position = practice.booking(monday(9, 0)).send().position();
    practice.found(&format!("min_position={position}"));
    let mut sql = server.database.sql();
    let dream = "UPDATE events SET event_type = 'Dreamt' || event_type
                  WHERE tenant_id = $1 AND event_type = 'AppointmentBooked'";
    assert_eq!(sql.change(dream, &practice.tenant), 1);
    let operator = server.keyed_operator();
    rebuild(&operator, "appointments");
    let build = eventually("it fails", || {
        let shown = shown(&operator, "appointments");
        (!shown["build"]["failure"].is_null()).then(|| shown["build"].clone())
    });
    // It may be another tenant's: what is in the event is for the operator.
    assert!(!build.to_string().contains("Dreamt"), "{build}");
    let listed = server.database.run(&["projections", "list"]).succeeded();
    assert!(listed.contains("Dreamt"), "{listed}");
    assert_eq!(practice.found("status=booked").len(), 1);
    server.database.run(&["projections", "cancel", "appointments"]).succeeded();
    made(&operator, "appointments");
}

#[test]
fn the_next_version_is_deployed_beside_this_one_and_nobody_notices() {
    let database = Database::fresh();
    let server = Server::start(&database);
    let practice = Practice::on(&server);
    many(&practice, 1_000);
    let (until, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let next = thread::scope(|scope| {
        let _over = Until(&until);
        scope.spawn(|| load(&[&practice, &practice], &until, &answered));
        let next = Server::start_next(&database);
        // It answers 503 until its projection is made, and says how far that is.
        next.wait_until_ready();
        let on_next = Practice::of(practice.tenant.clone(), &next);
        thread::scope(|scope| {
            scope.spawn(|| load(&[&on_next], &until, &answered));
            thread::sleep(Duration::from_secs(1));
            drop(Until(&until));
        });
        next
    });
    assert!(answered.load(Ordering::Relaxed) > 20, "there was load: {answered:?}");

    // Both versions are kept up to date, and are what the log says.
    let mut sql = database.sql();
    let position = practice.booking(monday(9, 0)).send().position();
    let versions = "SELECT count(*) FROM checkpoints c JOIN log_heads h USING (tenant_id)
                     WHERE projection = 'appointments' AND c.position = h.position AND tenant_id = $1";
    practice.found(&format!("min_position={position}"));
    eventually("both have read all", || {
        (sql.number(versions, &practice.tenant) == 2).then_some(())
    });
    database.projections_are_what_the_log_says();
    let difference = format!(
        "SELECT count(*) FROM
        (SELECT to_jsonb(n) - 'minutes' AS r
           FROM {NEXT_APPOINTMENTS}.appointments n WHERE tenant_id = $1) n
        FULL JOIN
        (SELECT to_jsonb(o) AS r FROM {APPOINTMENTS}.appointments o WHERE tenant_id = $1) o USING (r)
        WHERE n.r IS NULL OR o.r IS NULL"
    );
    assert_eq!(sql.number(&difference, &practice.tenant), 0);
    let wrong = format!(
        "SELECT count(*) FROM {NEXT_APPOINTMENTS}.appointments WHERE tenant_id = $1 AND minutes <> 30"
    );
    assert_eq!(sql.number(&wrong, &practice.tenant), 0);

    // While it runs, what it reads is not dropped; when it has gone, it is. This version goes on.
    let prune = || database.run(&["projections", "prune"]).succeeded();
    assert_eq!(prune(), "");
    next.interrupt();
    next.wait();
    assert_eq!(prune(), format!("{NEXT_APPOINTMENTS}: dropped\n"));
    practice.found("status=booked");
    database.projections_are_what_the_log_says();
}

#[test]
fn killed_in_the_middle_of_a_rebuild_it_goes_on_where_it_was() {
    let (cycles, events) =
        (size("DAYBOOK_REBUILD_CYCLES", 3), size("DAYBOOK_REBUILD_EVENTS", 6_000));
    let seed = seed("kill -9 of a rebuild");
    let mut rng = StdRng::seed_from_u64(seed);
    let database = Database::fresh();
    let mut server = Server::start(&database);
    let mut practice = Practice::on(&server);
    let mut operator = server.keyed_operator();
    many(&practice, events);
    let mut sql = database.sql();
    let counted = "SELECT count(*) FROM build_parts WHERE schema_name = $1";
    let requested = "SELECT count(*) FROM builds WHERE schema_name = $1";
    let (name, schema) = ("appointments", format!("{APPOINTMENTS}_building"));
    let (mut killed, mut parts) = (0, 0);
    rebuild(&operator, name);
    while killed < cycles {
        thread::sleep(Duration::from_millis(rng.random_range(0..1_500)));
        practice.booking(monday(9, 0)).send();
        server.kill_dash_9();
        let now = sql.number(counted, &schema);
        if sql.number(requested, &schema) == 0 {
            // It was quicker.
            parts = 0;
        } else {
            assert!(now >= parts, "what is done stays done: {parts}, then {now}");
            parts = now;
            killed += 1;
        }
        drop(server);
        server = Server::start(&database);
        practice = practice.moved_to(&server);
        operator = operator.at(&server.url);
        if parts == 0 {
            rebuild(&operator, name);
        }
    }
    made(&operator, name);
    println!("{name} was killed {killed} times in the middle of {events} events");
    database.projections_are_what_the_log_says();
}

#[test]
fn bookings_go_on_while_everything_is_made_anew() {
    let events = size("DAYBOOK_REBUILD_EVENTS", 6_000);
    let server = Server::start(&Database::fresh());
    let practice = Practice::on(&server);
    many(&practice, events);
    let operator = server.keyed_operator();
    let (until, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        let _over = Until(&until);
        scope.spawn(|| load(&[&practice, &practice], &until, &answered));
        let names = ["appointments", "catalogue", "conflicts"];
        for name in names {
            rebuild(&operator, name);
        }
        for name in names {
            made(&operator, name);
        }
    });
    assert!(answered.load(Ordering::Relaxed) > 20, "there was load: {answered:?}");
    server.database.projections_are_what_the_log_says();
    server.database.run(&["verify"]).succeeded();
}
