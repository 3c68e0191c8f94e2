//! `daybook replay --what-if`

use std::fs;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::events;
use crate::harness::{
    Database, Finished, Practice, Server, Sql, a_practice, date, eventually, id_of, monday, utc,
};

/// What a policy says of a practice's history.
struct Asked {
    folder: TempDir,
    arguments: Vec<String>,
}

impl Asked {
    fn of(practice: &Practice, policy: &str, more: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("policy.toml");
        fs::write(&file, policy).unwrap();
        let file = file.to_str().unwrap();
        let arguments = ["replay", "--json", "--tenant", &practice.tenant, "--what-if", file];
        let arguments = arguments.iter().chain(more).map(|&argument| argument.to_owned()).collect();
        Self { folder, arguments }
    }

    fn run(&self, database: &Database) -> Finished {
        assert!(self.folder.path().exists());
        database.run(&self.arguments)
    }
}

#[track_caller]
fn told(practice: &Practice, policy: &str, more: &[&str]) -> Value {
    let said = Asked::of(practice, policy, more).run(&Server::shared().database).succeeded();
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
}

/// Booked minutes of a room, before and after.
#[track_caller]
fn minutes(report: &Value, room: &str) -> (i64, i64) {
    let rooms = report["utilisation"].as_array().unwrap();
    let room = rooms.iter().find(|one| one["resource_id"] == room).expect("the room");
    (room["minutes_before"].as_i64().unwrap(), room["minutes_after"].as_i64().unwrap())
}

/// Something of all that happens to appointments and sessions.
pub(crate) fn a_full_history() -> Practice {
    let practice = a_practice();
    let act = |appointment: &Value, action: &str, body: Value| {
        practice.act(appointment, action, &body).is(200)
    };
    let other = practice.a_resource(&json!({"capacity": 2, "tags": ["x-ray"]}));
    let buffered = practice.a_service(&json!({
        "buffer_after_minutes": 10, "limit_per_client_per_day": 9,
        "rules": {"durations": [{"minutes": 60}], "cancellation_window_minutes": 60},
    }));
    let roles = json!([{"role": "room", "kind": "room", "tags": ["x-ray"]}]);
    let chosen = practice.a_service(&json!({"needs": roles}));
    for hour in [8, 9] {
        practice
            .booking(monday(hour, 0))
            .with("service_id", &*chosen)
            .without("resource_ids")
            .send()
            .is(201);
    }
    let longer = practice.booking(monday(8, 0)).with("service_id", &*buffered);
    let longer = longer.with("duration_minutes", 60).send().is(201);
    act(&longer, "reschedule", json!({"start_at": utc(monday(9, 15))}));
    act(&longer, "reassign", json!({"from_resource_id": practice.room, "to_resource_id": other}));
    act(&longer, "change", json!({"tags": ["late"], "category": "massage"}));
    act(&longer, "check-in", json!({}));
    act(&longer, "complete", json!({}));
    let held = |hour| practice.booking(monday(hour, 0)).held(30).send().is(201);
    act(&held(10), "confirm", json!({}));
    let moved = held(11);
    act(&moved, "reschedule", json!({"start_at": utc(monday(11, 30)), "resource_ids": [other]}));
    act(&moved, "confirm", json!({}));
    let released = held(12);
    practice
        .api
        .request("DELETE", &format!("/v1/holds/{}", id_of(&released)))
        .send()
        .has_status(200);
    let cancelled = practice.booked(monday(12, 0));
    act(&cancelled, "cancel", json!({"reason": "a cold"}));
    let absent = practice.booked(monday(12, 0));
    act(&absent, "no-show", json!({}));
    // Closed on Sunday, and booked all the same.
    let closed = practice.a_resource(&json!({"weekly_hours": []}));
    let overridden = practice.booking(monday(13, 0)).with("resource_ids", vec![closed]);
    overridden.with("override", json!({"reason": "an emergency"})).send().is(201);
    let items: Vec<Value> = [14, 15].map(|hour| practice.booking(monday(hour, 0)).body).into();
    practice
        .api
        .post("/v1/appointments:batch", &json!({"atomic": true, "items": items}))
        .send()
        .is(200);
    let mut series = practice.booking(monday(16, 0)).without("start_at").body;
    series["dtstart"] = json!(monday(16, 0).format("%Y-%m-%dT%H:%M").to_string());
    series["time_zone"] = json!("UTC");
    series["rrule"] = json!("FREQ=DAILY;COUNT=3");
    let series = practice.created("/v1/series", &series);
    let all = json!({"scope": "all", "time": "17:00"});
    practice.api.post(&format!("/v1/series/{series}/reschedule"), &all).send().is(200);
    let class = practice.a_service(&json!({"session_places": 3, "buffer_before_minutes": 5}));
    let session = |hour| {
        let body = json!({"service_id": class, "resource_ids": [practice.room], "start_at": utc(monday(hour, 0))});
        let session = practice.created("/v1/sessions", &body);
        for name in ["Ada", "Grace"] {
            let place = json!({"client_id": practice.a_client(name)});
            practice.created(&format!("/v1/sessions/{session}/appointments"), &place);
        }
        session
    };
    let to = json!({"start_at": utc(monday(19, 30))});
    practice.api.post(&format!("/v1/sessions/{}/reschedule", session(19)), &to).send().is(200);
    let gone = session(21);
    practice.api.post(&format!("/v1/sessions/{gone}/cancel"), &json!({})).send().is(200);
    let revised = json!({"category": "c", "tags": [], "duration_minutes": 45});
    practice.api.patch(&format!("/v1/services/{}", practice.service), &revised).send().is(200);
    let described = json!({"name": "The large room", "tags": ["x-ray"]});
    practice.api.patch(&format!("/v1/resources/{other}"), &described).send().is(200);
    practice.booked(monday(22, 0));
    let day = date(1).to_string();
    let entry = json!({"service_id": class, "client_id": practice.client, "from": day, "to": day});
    practice.created("/v1/waiting-list", &entry);
    practice
}

#[test]
fn by_the_same_rules_everything_would_have_been_the_same() {
    let practice = a_full_history();
    let report = told(&practice, "", &[]);
    assert_eq!(report["refused"], json!([]), "{report:#}");
    assert_eq!((&report["bookings_refused"], &report["in_vain"]), (&json!(0), &json!(0)));
    assert_eq!(report["events"], events(&practice.api, "limit=1000").len());
    assert!(report["commands"].as_u64().unwrap() > 30, "{report:#}");
    let rooms = report["utilisation"].as_array().unwrap();
    assert!(rooms.iter().all(|room| room["minutes_before"] == room["minutes_after"]), "{report:#}");
    let (before, _) = minutes(&report, &practice.room);
    // 30 held and confirmed, 30 of one who did not come, 60 by a batch, 90 of a series, a session, and
    // 45 at last.
    assert_eq!(before, 30 + 30 + 60 + 90 + 30 + 45, "{report:#}");
}

#[test]
fn longer_buffers_would_have_refused_what_followed_at_once() {
    let practice = a_practice();
    let other = practice.a_service(&json!({}));
    let booked: Vec<Value> =
        [0, 30, 60].map(|minute| practice.booked(monday(10 + minute / 60, minute % 60))).into();
    practice.act(&booked[1], "check-in", &json!({})).is(200);
    let report = told(&practice, "[all]\nbuffer_after_minutes = 15\n", &[]);
    assert_eq!((&report["bookings_refused"], &report["others_refused"]), (&json!(1), &json!(0)));
    assert_eq!((&report["in_vain"], &report["reasons"]), (&json!(1), &json!({"slot-taken": 1})));
    let refused = &report["refused"][0];
    assert_eq!((&refused["id"], &refused["position"]), (&booked[1]["id"], &json!(6)), "{report:#}");
    assert_eq!(refused["event_type"], "AppointmentBooked");
    assert_eq!(minutes(&report, &practice.room), (90, 60));
    let of_other = format!("[services.{other}]\nbuffer_after_minutes = 15\n");
    assert_eq!(told(&practice, &of_other, &[])["bookings_refused"], 0);
    let only = format!(
        "[all]\nbuffer_after_minutes = 15\n[services.{}]\nbuffer_after_minutes = 0\n",
        practice.service
    );
    assert_eq!(told(&practice, &only, &[])["bookings_refused"], 0);
    let asked = Asked::of(&practice, "[all]\nbuffer_after_minutes = 15\n", &[]);
    let in_words: Vec<&String> = asked.arguments.iter().filter(|one| *one != "--json").collect();
    let said = Server::shared().database.run(&in_words).succeeded();
    assert!(said.contains("bookings that would have been refused: 1"), "{said}");
    assert!(said.contains("90 -> 60 (-30)"), "{said}");
}

#[test]
fn rules_hold_from_the_moment_that_is_named() {
    let practice = a_practice();
    for minute in [0, 30] {
        practice.booked(monday(10, minute));
    }
    let later = practice.booked(monday(11, 0));
    let all = events(&practice.api, "");
    let from = all[5]["time"].as_str().unwrap();
    assert_eq!(all[5]["subject"], format!("appointment/{}", id_of(&later)));
    let policy = "[all]\nminimum_notice_minutes = 100000\n";
    let report = told(&practice, policy, &["--from", from]);
    assert_eq!((&report["bookings_refused"], &report["commands"]), (&json!(1), &json!(1)));
    assert_eq!(report["reasons"], json!({"minimum-notice": 1}));
    assert_eq!(minutes(&report, &practice.room), (90, 60));
    assert_eq!(told(&practice, policy, &[])["bookings_refused"], 3);
    let before = told(&practice, policy, &["--to", from]);
    assert_eq!((&before["events"], &before["bookings_refused"]), (&json!(5), &json!(2)));
}

#[test]
fn a_policy_that_makes_no_sense_is_refused() {
    let practice = a_practice();
    for (policy, says) in [
        ("[all]\nbuffer_minutes = 15\n", "nothing of a service is called"),
        ("[all]\nbuffer_after_minutes = \"long\"\n", "would be none"),
        ("[some]\n", "unknown field `some`"),
        ("[services.01900000-0000-7000-8000-000000000000]\n", "there is no service"),
        ("all = ", "is no policy"),
    ] {
        let said = Asked::of(&practice, policy, &[]).run(&Server::shared().database).failed();
        assert!(said.contains(says), "{policy}: {said}");
    }
}

fn scratch_schemas(sql: &mut Sql) -> Vec<String> {
    use sqlx::Row as _;
    let query = "SELECT nspname::text FROM pg_namespace
                  WHERE nspname LIKE 'daybook\\_what\\_if\\_%' AND $1 <> ''";
    sql.rows(query, "any").iter().map(|row| row.get(0)).collect()
}

/// All that the program keeps in the database, as one text; but for where it stands with its own work.
fn live_tables(sql: &mut Sql) -> String {
    use sqlx::Row as _;
    let rows = sql.rows(
        "SELECT md5(string_agg(query_to_xml(
                    format('SELECT (to_jsonb(t) - ''active'' - ''last_used_at'')::text FROM public.%I t ORDER BY 1', relname),
                    true, true, '')::text, ''
                    ORDER BY relname))
           FROM pg_class
          WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND $1 <> ''
            AND relname NOT IN ('checkpoints', 'programs', 'projection_readers')",
        "any",
    );
    rows[0].get(0)
}

/// 480 half hours, one after another.
fn ten_full_days(practice: &Practice) {
    for day in 0..10 {
        let items: Vec<Value> = (0..48)
            .map(|slot| {
                let start = monday(0, 0) + chrono::TimeDelta::minutes(day * 1_440 + slot * 30);
                practice.booking(start).body
            })
            .collect();
        let batch = json!({"atomic": true, "items": items});
        practice.api.post("/v1/appointments:batch", &batch).send().is(200);
    }
}

/// A program that is at it.
fn begun(asked: &Asked, database: &Database, sql: &mut Sql) -> Child {
    let mut child = database.daybook(&asked.arguments).stdout(Stdio::null()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while scratch_schemas(sql).is_empty() {
        assert!(child.try_wait().unwrap().is_none(), "it has ended already");
        assert!(Instant::now() < deadline, "it does not begin");
    }
    child
}

fn signal(child: &Child, signal: Signal) {
    kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
}

#[test]
fn no_live_table_is_touched_and_nothing_is_left_also_after_it_was_stopped_or_killed() {
    let server = Server::start(&Database::fresh());
    let practice = Practice::on(&server);
    ten_full_days(&practice);
    let database = &server.database;
    let mut sql = database.sql();
    let before = live_tables(&mut sql);
    let asked = Asked::of(&practice, "[all]\nbuffer_after_minutes = 15\n", &[]);
    let mut stopped = begun(&asked, database, &mut sql);
    signal(&stopped, Signal::SIGTERM);
    assert!(!stopped.wait().unwrap().success());
    assert_eq!(scratch_schemas(&mut sql), [""; 0], "stopped in order");
    let mut killed = begun(&asked, database, &mut sql);
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert_eq!(scratch_schemas(&mut sql).len(), 1, "nobody was left to drop it");
    let report: Value = serde_json::from_str(&asked.run(database).succeeded()).unwrap();
    assert_eq!(report["bookings_refused"], 240, "every other one");
    assert_eq!(scratch_schemas(&mut sql), [""; 0]);
    assert_eq!(live_tables(&mut sql), before);
}

#[test]
fn what_a_killed_one_leaves_is_named_by_the_doctor_and_pruned_and_what_is_in_use_is_not() {
    let server = Server::start(&Database::fresh());
    let practice = Practice::on(&server);
    ten_full_days(&practice);
    let database = &server.database;
    let mut sql = database.sql();
    let asked = Asked::of(&practice, "[all]\nbuffer_after_minutes = 15\n", &[]);
    let mut child = begun(&asked, database, &mut sql);
    signal(&child, Signal::SIGSTOP);
    let schema = scratch_schemas(&mut sql).pop().expect("it is held in the middle");
    eventually("all is well", || (database.run(&["doctor"]).code == Some(0)).then_some(()));
    assert_eq!(database.run(&["projections", "prune"]).succeeded(), "");
    assert_eq!(scratch_schemas(&mut sql), [schema.as_str()], "somebody is at it");
    child.kill().unwrap();
    child.wait().unwrap();
    let said = eventually("the doctor sees it", || {
        let finished = database.run(&["doctor"]);
        (finished.code == Some(1)).then_some(finished.stdout)
    });
    assert!(said.contains(&format!("the schema {schema} is left over")), "{said}");
    assert!(said.contains("`daybook projections prune` drops it"), "{said}");
    let prune = |more: &[&str]| database.run(&[&["projections", "prune"], more].concat());
    assert_eq!(prune(&["--dry-run"]).succeeded(), format!("{schema}: would be dropped\n"));
    assert_eq!(prune(&[]).succeeded(), format!("{schema}: dropped\n"));
    assert_eq!(scratch_schemas(&mut sql), [""; 0]);
    database.run(&["doctor"]).succeeded();
}
