//! `daybook seal`: a log of before, in which something is in clear.

use std::thread;
use std::time::Duration;

use rand::Rng as _;
use serde_json::{Value, json};
use sqlx::Row as _;

use crate::harness::{Database, Practice, Server, monday};

/// Words that nobody else uses: of a client, of notes and reasons, of whom a room waits for, and of how a command was called.
const MARKS: [&str; 6] =
    ["Halibut", "hal@example.org", "turbid", "brackish", "estuary", "flounder@example.org"];

struct Clear {
    database: Database,
    practice: Practice,
    client: String,
    /// The log as it is told, by positions.
    told: Vec<Value>,
}

fn feed(practice: &Practice) -> Vec<Value> {
    let feed = practice.api.get("/v1/events?limit=1000&personal=told").send().is(200);
    feed["items"].as_array().unwrap().clone()
}

/// A log as a program of before wrote it: with what is known of persons in clear, and a chain over that.
fn a_clear_log() -> Clear {
    let database = Database::fresh();
    let server = Server::start(&database);
    let practice = Practice::on(&server);
    let contact = json!({"name": "Halibut Person", "email": "hal@example.org", "metadata": {"by": "estuary"}});
    let registered = practice.api.post("/v1/clients", &contact);
    let registered = registered.header("idempotency-key", "flounder@example.org").send().is(201);
    let client = registered["id"].as_str().unwrap().to_owned();
    let booking = |hour| practice.booking(monday(hour, 0)).with("client_id", &*client);
    booking(9).with("note", "Is turbid").send().is(201);
    let cancelled = booking(11).send().is(201);
    practice.act(&cancelled, "cancel", &json!({"reason": "Was brackish"})).is(200);
    let off = json!({"kind": "time-off", "reason": "brackish, too",
                     "days": {"first": "2020-07-01", "last": "2020-07-01"}});
    practice.created(&format!("/v1/resources/{}/exceptions", practice.room), &off);
    let told = feed(&practice);
    server.interrupt();
    server.wait();
    let (mut sql, tenant) = (database.sql(), &*practice.tenant);
    for event in &told {
        let (position, kind) = (&event["id"], event["type"].as_str().unwrap());
        let mut payload = event["data"].clone();
        payload["type"] = json!(kind.strip_prefix("daybook.").unwrap());
        let text = payload.to_string().replace('\'', "''");
        sql.run(&format!(
            "UPDATE events SET payload = '{text}' WHERE tenant_id = '{tenant}' AND position = {}",
            position.as_str().unwrap()
        ));
    }
    let key = "SELECT metadata ->> 'idempotency_key' AS key FROM events
                WHERE tenant_id = $1 AND metadata ->> 'idempotency_key' IS NOT NULL";
    let kept: String = sql.rows(key, tenant)[0].get("key");
    sql.run(&format!(
        "UPDATE events SET metadata = replace(metadata::text, '{kept}', 'flounder@example.org')::json
          WHERE tenant_id = '{tenant}';
         UPDATE commands SET idempotency_key = 'flounder@example.org'
          WHERE tenant_id = '{tenant}' AND idempotency_key = '{kept}';
         DELETE FROM personal_keys
          WHERE tenant_id = '{tenant}' AND subject_id <> '00000000-0000-0000-0000-000000000000';
         DO $$ DECLARE e record; link text; previous bytea; BEGIN
             previous := sha256(convert_to('daybook log of {tenant}', 'UTF8'));
             FOR e IN SELECT * FROM events WHERE tenant_id = '{tenant}' ORDER BY position LOOP
                 previous := previous || int8send(e.position) || int8send(e.sequence)
                     || int8send((extract(epoch FROM e.recorded_at) * 1000000)::bigint);
                 FOREACH link IN ARRAY ARRAY[e.aggregate_type, e.aggregate_id, e.event_type,
                                             e.event_version, e.payload::text, e.metadata::text] LOOP
                     previous := previous || int8send(octet_length(convert_to(link, 'UTF8')))
                         || convert_to(link, 'UTF8');
                 END LOOP;
                 previous := sha256(previous);
                 UPDATE events SET hash = previous
                  WHERE tenant_id = '{tenant}' AND position = e.position;
             END LOOP;
             UPDATE log_heads SET hash = previous WHERE tenant_id = '{tenant}';
         END $$"
    ));
    Clear { database, practice, client, told }
}

impl Clear {
    fn seal(&self) -> crate::harness::Finished {
        self.database.run(&["seal", "--tenant", &self.practice.tenant])
    }

    fn is_whole(&self) {
        self.database.run(&["verify", "--tenant", &self.practice.tenant]).succeeded();
    }

    /// Which marks are in the log, and in what is kept of commands.
    fn found(&self) -> Vec<&'static str> {
        let rows = "SELECT payload::text || metadata::text AS row FROM events WHERE tenant_id = $1
                    UNION ALL SELECT idempotency_key FROM commands WHERE tenant_id = $1
                    UNION ALL SELECT payload::text || metadata::text FROM events_being_sealed
                     WHERE tenant_id = $1";
        let rows = self.database.sql().rows(rows, &self.practice.tenant);
        let rows: Vec<String> = rows.iter().map(|row| row.get("row")).collect();
        MARKS.into_iter().filter(|mark| rows.iter().any(|row| row.contains(mark))).collect()
    }

    fn hash(&self) -> Vec<u8> {
        let head = "SELECT hash FROM log_heads WHERE tenant_id = $1";
        self.database.sql().rows(head, &self.practice.tenant)[0].get("hash")
    }
}

#[test]
fn a_log_in_clear_is_sealed_with_a_proof_and_says_what_it_said() {
    let clear = a_clear_log();
    clear.is_whole();
    assert_eq!(clear.found(), MARKS, "the control: all of it is in clear");
    let before = clear.hash();
    let refused = clear.seal().failed();
    assert!(refused.contains("daybook tenant suspend"), "{refused}");
    clear.database.run(&["tenant", "suspend", &clear.practice.tenant]).succeeded();
    // Killed at any moment, the log is the one or the other, and whole.
    let mut rng = rand::rng();
    for _ in 0..4 {
        let mut child = clear.database.daybook(&["seal", "--tenant", &clear.practice.tenant]);
        let mut child = child.spawn().unwrap();
        thread::sleep(Duration::from_millis(rng.random_range(0..400)));
        let _ = child.kill();
        child.wait().unwrap();
        clear.is_whole();
        let found = clear.found();
        let is_sealed = clear.hash() != before;
        assert_eq!(found.is_empty(), is_sealed, "all or nothing: {found:?}");
    }
    let said = clear.seal().succeeded();
    let events = clear.told.len();
    assert!(said.contains(&format!("each event of positions 1 to {events}")), "{said}");
    assert!(
        said.contains("VACUUM") && said.contains("backups") && said.contains("rebuild"),
        "{said}"
    );
    assert_eq!(clear.found(), Vec::<&str>::new());
    assert_ne!(clear.hash(), before);
    clear.is_whole();
    let again = clear.seal().succeeded();
    assert!(again.contains("sealed 0 members"), "{again}");

    clear.database.run(&["tenant", "resume", &clear.practice.tenant]).succeeded();
    let server = Server::start(&clear.database);
    let practice = clear.practice.moved_to(&server);
    assert_eq!(feed(&practice), clear.told);
    let path = format!("/v1/clients/{}", clear.client);
    assert_eq!(practice.api.get(&path).send().is(200)["name"], "Halibut Person");
    // Whoever sends a command of before again is refused, and nothing is done twice.
    let again = practice.api.post("/v1/clients", &json!({"name": "Halibut Person"}));
    let again = again.header("idempotency-key", "flounder@example.org").send();
    assert_eq!(again.status, 422, "{again:?}");
    let body = json!({"reason": "requested", "upcoming": "cancel"});
    practice.api.post(&format!("{path}/erase"), &body).send().is(200);
    let told = feed(&practice);
    let told = Value::Array(told).to_string();
    for mark in ["Halibut", "hal@", "turbid", "estuary"] {
        assert!(!told.contains(mark), "{mark}");
    }
    clear.is_whole();
}

#[test]
fn a_log_that_is_not_whole_is_not_sealed() {
    let clear = a_clear_log();
    let tenant = &*clear.practice.tenant;
    clear.database.run(&["tenant", "suspend", tenant]).succeeded();
    let changed = "UPDATE events SET payload = replace(payload::text, 'Halibut', 'Mackerel')::json
                    WHERE tenant_id = $1 AND event_type = 'ClientRegistered'
                      AND payload::text LIKE '%Halibut%'";
    assert_eq!(clear.database.sql().change(changed, tenant), 1);
    let before = clear.hash();
    let refused = clear.seal().failed();
    assert!(refused.contains("not whole"), "{refused}");
    assert_eq!(clear.hash(), before);
    let nobody = clear.database.run(&["seal", "--tenant", "nobody"]).failed();
    assert!(nobody.contains("there is no tenant nobody"), "{nobody}");
}
