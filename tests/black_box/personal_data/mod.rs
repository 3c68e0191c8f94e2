//! What is known of a person: it is sealed wherever it is kept, and can be forgotten.

mod bytes;
mod master_keys;
mod races;
mod titles;

use std::thread;
use std::time::Duration;

use rand::Rng as _;
use serde_json::{Value, json};
use sqlx::Row as _;

use crate::harness::{
    Answer, Api, Database, Practice, Server, Sql, a_practice, at_once, date, eventually, monday,
};

/// Words that nobody else uses, of a client, of what is noted at a booking, and of how callers name their commands.
const MARKS: [&str; 9] = [
    "Quaxly",
    "quaxly@",
    "555010101",
    "allergic",
    "Q-7781",
    "hearsay",
    "lumbago",
    "chilblain",
    NAME_OF_COMMAND,
];

/// Why somebody of the staff is away.
const OF_STAFF: &str = "burnout";

/// What a caller calls a command, who thinks nothing of it.
const NAME_OF_COMMAND: &str = "flimsy@example.org";

/// A title, which is not personal.
const TITLE: &str = "Ordinarytitle";

struct Marked {
    practice: Practice,
    client: String,
    appointment: String,
}

fn contact() -> Value {
    json!({"name": "Quaxly Person", "email": "quaxly@example.org", "phone": "+47 555010101",
           "notes": "Is allergic", "reference": "Q-7781", "metadata": {"heard by": "hearsay"}})
}

/// Somebody who has been registered, called otherwise, booked, moved and noted down.
fn marked(practice: Practice) -> Marked {
    let register = practice.api.post("/v1/clients", &contact());
    let registered = register.header("idempotency-key", NAME_OF_COMMAND).send().is(201);
    let client = registered["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/clients/{client}");
    practice.api.patch(&path, &json!({"metadata": {"since": "hearsay"}})).send().is(200);
    let booking = practice.booking(monday(9, 0)).with("client_id", &*client);
    let booking =
        booking.with("title", TITLE).with("note", "allergic to everything").send().is(201);
    let appointment = booking["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/appointments/{appointment}");
    let moved = json!({"start_at": monday(11, 0)});
    practice.api.post(&format!("{path}/reschedule"), &moved).send().is(200);
    practice.api.patch(&path, &json!({"note": "allergic to hearsay"})).send().is(200);
    let because = json!({"reason": "It is chilblain"});
    let other = practice.booking(monday(15, 0)).with("client_id", &*client);
    let other = other.with("override", because).send().is(201);
    practice.act(&other, "cancel", &json!({"reason": "Has a lumbago"})).is(200);
    let off = json!({"kind": "time-off", "reason": "sick leave: burnout",
                     "days": {"first": "2020-07-01", "last": "2020-07-01"}});
    let added = practice.api.post(&format!("/v1/resources/{}/exceptions", practice.room), &off);
    assert_eq!(added.send().is(201)["reason"], "sick leave: burnout");
    Marked { practice, client, appointment }
}

impl Marked {
    fn client(&self, query: &str) -> Value {
        self.practice.api.get(&format!("/v1/clients/{}{query}", self.client)).send().is(200)
    }

    fn appointment(&self, query: &str) -> Value {
        self.practice
            .api
            .get(&format!("/v1/appointments/{}{query}", self.appointment))
            .send()
            .is(200)
    }

    fn erase(&self, body: &Value) -> Answer {
        self.admin().post(&format!("/v1/clients/{}/erase", self.client), body).send()
    }

    fn admin(&self) -> Api {
        self.practice.api.clone()
    }

    fn head(&self) -> u64 {
        let events = self.practice.api.get("/v1/events?limit=1").send().is(200);
        events["head"].as_u64().unwrap()
    }

    fn personal_feed(&self) -> String {
        let feed = self.admin().get("/v1/events?limit=1000&personal=told").send();
        feed.is(200).to_string()
    }
}

/// Every row of every table, as text.
fn all_rows(sql: &mut Sql) -> Vec<(String, String)> {
    let tables = "
        SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
         WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND $1 = $1";
    let tables: Vec<String> = sql.rows(tables, "").iter().map(|row| row.get(0)).collect();
    let mut all = Vec::new();
    for table in tables {
        let rows = sql.rows(&format!("SELECT t::text FROM {table} AS t WHERE $1 = $1"), "");
        all.extend(rows.iter().map(|row| (table.clone(), row.get(0))));
    }
    all
}

/// Where a word is, in whatever case; bytes are written as text is.
fn found(rows: &[(String, String)], word: &str) -> Vec<String> {
    let (word, bytes) = (word.to_lowercase(), hex(word));
    let has = |row: &str| row.to_lowercase().contains(&word) || row.contains(&bytes);
    rows.iter().filter(|(_, row)| has(row)).map(|(table, _)| table.clone()).collect()
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

#[test]
fn what_is_known_of_a_client_is_in_no_table_in_clear() {
    let server = Server::start(&Database::fresh());
    let marked = marked(Practice::on(&server));
    server.database.run(&["verify"]).succeeded();
    marked.head();
    let rows = all_rows(&mut server.database.sql());
    assert!(!found(&rows, TITLE).is_empty(), "the control: a title is in clear");
    for mark in MARKS.into_iter().chain([OF_STAFF]) {
        assert_eq!(found(&rows, mark), Vec::<String>::new(), "{mark}");
    }
}

#[test]
fn whoever_may_see_it_sees_it_as_it_was_said() {
    let marked = marked(a_practice());
    let head = marked.head();
    let mut expected = contact();
    expected["metadata"]["since"] = json!("hearsay");
    for shown in [marked.client(""), marked.client(&format!("?as_of=position:{head}"))] {
        for (member, value) in expected.as_object().unwrap() {
            assert_eq!(shown[member], *value, "{member}: {shown}");
        }
    }
    assert_eq!(marked.appointment("")["note"], "allergic to hearsay");
    let expanded = marked.appointment("?expand=client");
    assert_eq!(expanded["client"]["name"], "Quaxly Person");
    let fresh = format!("min_position={head}");
    for query in ["q=quax", "email=QUAXLY@example.org", "phone=0047555010101", "reference=Q-7781"] {
        let listed =
            marked.practice.api.get(&format!("/v1/clients?{query}&{fresh}")).send().is(200);
        assert_eq!(listed["items"][0]["name"], "Quaxly Person", "{query}: {listed}");
        assert_eq!(listed["items"].as_array().unwrap().len(), 1, "{query}: {listed}");
    }
    let (told, withheld) =
        (marked.personal_feed(), marked.practice.api.get("/v1/events?limit=1000"));
    let withheld = withheld.send().is(200).to_string();
    for mark in MARKS.into_iter().chain([OF_STAFF]) {
        let is_told = mark != NAME_OF_COMMAND;
        assert!(told.contains(mark) == is_told && !withheld.contains(mark), "{mark}");
    }
    let events = marked.appointment("/events")["items"].clone();
    assert_eq!(events[0]["data"]["note"], "allergic to everything");
}

#[test]
fn a_command_that_is_sent_again_tells_no_contact_to_whoever_may_not_see_it() {
    let practice = a_practice();
    let post = |key: &str, scopes: &[&str]| {
        let made = practice.api.post("/v1/keys", &json!({"name": "A key", "scopes": scopes}));
        let made = made.send().is(201);
        let api = practice.api.with_key(made["key"].as_str());
        let key = key.to_owned();
        move || api.post("/v1/clients", &contact()).header("idempotency-key", &key).send()
    };
    let may_not = post("may-not", &["book"]);
    for answer in [may_not(), may_not()] {
        let shown = answer.is(201);
        assert_eq!(shown["name"], "withheld");
        for mark in MARKS {
            assert!(!shown.to_string().contains(mark), "{shown}");
        }
    }
}

#[test]
fn a_registration_that_is_sent_again_after_an_erasure_tells_nothing() {
    let practice = a_practice();
    let register = || {
        let request = practice.api.post("/v1/clients", &contact());
        request.header("idempotency-key", NAME_OF_COMMAND).send()
    };
    let client = register().is(201)["id"].as_str().unwrap().to_owned();
    assert_eq!(register().is(201)["name"], "Quaxly Person");
    let body = json!({"reason": "requested"});
    practice.api.post(&format!("/v1/clients/{client}/erase"), &body).send().is(200);
    let again = register().is_refused(422, "idempotency-key-reused").to_string();
    assert!(MARKS.iter().all(|mark| !again.contains(mark)), "{again}");
}

#[test]
fn nobody_sends_ciphertext() {
    let practice = a_practice();
    let sealed = json!({"v": 1, "k": practice.client, "c": "AAEC"});
    for contact in [json!({"name": sealed}), json!({"name": "A", "metadata": sealed})] {
        let answer = practice.api.post("/v1/clients", &contact).send();
        assert_eq!(answer.status / 100, 4, "{answer:?}");
    }
}

#[test]
fn an_erased_client_is_nobody_at_any_moment() {
    let server = Server::start(&Database::fresh());
    let marked = marked(Practice::on(&server));
    let other = marked.practice.a_client("Somebody else");
    let shut = marked.practice.a_resource(&json!({"name": "Shut", "weekly_hours": []}));
    let wish = json!({"client_id": marked.client, "service_id": marked.practice.service,
                      "resource_ids": [shut], "from": date(0), "to": date(0)});
    let entry = marked.practice.created("/v1/waiting-list", &wish);
    let before = marked.head();
    let others = marked.practice.api.get(&format!("/v1/clients/{other}")).send().is(200);
    marked.erase(&json!({"reason": "requested"})).is_refused(409, "client-has-appointments");
    assert_eq!(marked.client("")["name"], "Quaxly Person");
    let erased = marked.erase(&json!({"reason": "requested", "upcoming": "cancel"}));
    assert_eq!(erased.is(200)["name"], "erased");

    let then = format!("?as_of=position:{before}");
    for shown in [marked.client(""), marked.client(&then)] {
        assert_eq!((&shown["name"], &shown["erased"]), (&json!("erased"), &json!(true)), "{shown}");
        for member in ["email", "phone", "notes", "reference", "metadata"] {
            assert!(shown.get(member).is_none(), "{member}: {shown}");
        }
    }
    for shown in [marked.appointment(""), marked.appointment(&then)] {
        assert!(shown.get("note").is_none(), "{shown}");
        assert_eq!(shown["title"], TITLE);
    }
    assert_eq!(marked.appointment("")["status"], "cancelled");
    let entry = marked.practice.api.get(&format!("/v1/waiting-list/{entry}")).send().is(200);
    assert_eq!(entry["status"], "left", "{entry}");
    let feed = marked.personal_feed();
    for mark in MARKS {
        assert!(!feed.contains(mark), "{mark}");
    }
    assert!(feed.contains("ClientErasureRequested") && feed.contains("ClientErased"), "{feed}");
    let listed = format!("/v1/clients?min_position={}", marked.head());
    let listed = marked.practice.api.get(&listed).send().is(200).to_string();
    assert!(!listed.contains(&marked.client) && listed.contains(&other), "{listed}");
    assert_eq!(marked.practice.api.get(&format!("/v1/clients/{other}")).send().is(200), others);

    // Nothing is known of them from now on, and their reference is free.
    let booking = marked.practice.booking(monday(14, 0)).with("client_id", &*marked.client);
    booking.send().is_refused(422, "erased-client");
    let note = json!({"note": "again"});
    let path = format!("/v1/appointments/{}", marked.appointment);
    marked.practice.api.patch(&path, &note).send().is_refused(409, "client-erased");
    let renamed = json!({"name": "Quaxly"});
    let path = format!("/v1/clients/{}", marked.client);
    marked.practice.api.patch(&path, &renamed).send().is_refused(409, "client-erased");
    marked.erase(&json!({"reason": "requested"})).is_refused(409, "client-erased");
    marked.practice.created("/v1/clients", &json!({"name": "B", "reference": "Q-7781"}));
    server.database.run(&["verify"]).succeeded();
    server.database.projections_are_what_the_log_says();
}

/// As programs of before wrote it.
#[test]
fn what_was_noted_in_clear_is_told_until_its_client_is_erased_and_not_after() {
    let server = Server::start(&Database::fresh());
    let marked = marked(Practice::on(&server));
    let changed = server.database.sql().change(
        r#"UPDATE events SET payload = jsonb_set(payload::jsonb, '{note}', '"Likes zaffre"')::json
            WHERE tenant_id = $1 AND event_type = 'AppointmentDescribed'"#,
        &marked.practice.tenant,
    );
    assert_eq!(changed, 1);
    let told = || [marked.personal_feed(), marked.appointment("/events").to_string()];
    assert!(told().iter().all(|told| told.contains("zaffre")), "{:?}", told());
    marked.erase(&json!({"reason": "requested", "upcoming": "cancel"})).is(200);
    assert!(told().iter().all(|told| !told.contains("zaffre")), "{:?}", told());
}

#[test]
fn an_erasure_is_told_by_a_dry_run_and_repeated_by_its_key() {
    let marked = marked(a_practice());
    let path = format!("/v1/clients/{}/erase", marked.client);
    let body = json!({"reason": "no-longer-needed", "upcoming": "cancel"});
    let tried = marked.admin().post(&format!("{path}?dry_run=true"), &body).send().is(200);
    assert_eq!(tried["name"], "erased");
    assert_eq!(marked.client("")["name"], "Quaxly Person");
    let erase = || marked.admin().post(&path, &body).header("idempotency-key", "once").send();
    let (first, again) = (erase(), erase());
    assert_eq!(first.is(200), again.is(200));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
}

#[test]
fn an_erasure_that_is_killed_is_gone_on_with() {
    let database = Database::fresh();
    let mut server = Server::start(&database);
    let mut rng = rand::rng();
    for _ in 0..4 {
        let marked = marked(Practice::on(&server));
        let body = json!({"reason": "requested", "upcoming": "cancel"});
        let path = format!("/v1/clients/{}/erase", marked.client);
        let request = marked.admin().post(&path, &body);
        thread::scope(|scope| {
            let asked = scope.spawn(|| request.try_send());
            thread::sleep(Duration::from_micros(rng.random_range(0..60_000)));
            server.kill_dash_9();
            let _ = asked.join().unwrap();
        });
        server.wait();
        server = Server::start(&database);
        let practice = marked.practice.moved_to(&server);
        let marked = Marked { practice, ..marked };
        // Asked for again, whatever was done before: it comes to the same.
        let again = marked.erase(&body);
        assert!([200, 409].contains(&again.status), "{again:?}");
        assert_eq!(marked.client("")["name"], "erased");
        eventually("it is finished", || {
            marked.personal_feed().contains("\"daybook.ClientErased\"").then_some(())
        });
        assert_eq!(marked.personal_feed().matches("\"daybook.ClientErased\"").count(), 1);
        assert_eq!(marked.appointment("")["status"], "cancelled");
    }
    database.run(&["verify"]).succeeded();
    let left = "SELECT count(*) FROM erasures WHERE finished_at IS NULL AND $1 = $1";
    assert_eq!(database.sql().number(left, ""), 0);
}

#[test]
fn many_who_write_while_somebody_is_erased_leave_nothing_that_can_be_read() {
    let server = Server::start(&Database::fresh());
    let marked = marked(Practice::on(&server));
    let answers = at_once(16, |n| {
        if n == 8 {
            return marked.erase(&json!({"reason": "requested", "upcoming": "cancel"})).status;
        }
        let note = json!({"note": format!("allergic {n}")});
        let path = format!("/v1/appointments/{}", marked.appointment);
        marked.practice.api.patch(&path, &note).send().status
    });
    assert_eq!(answers[8], 200);
    assert!(answers.iter().all(|status| [200, 409, 503].contains(status)), "{answers:?}");
    assert!(marked.appointment("").get("note").is_none());
    assert!(!marked.personal_feed().contains("allergic"));
    let keys = "SELECT count(*) FROM personal_keys WHERE wrapped IS NOT NULL
                  AND subject_id = (SELECT client_id FROM erasures) AND $1 = $1";
    assert_eq!(server.database.sql().number(keys, ""), 0);
}

#[test]
fn a_program_with_another_master_key_refuses_to_start() {
    let database = Database::fresh();
    let server = Server::start(&database);
    marked(Practice::on(&server));
    let mut other = database.daybook(&["serve", "--listen", "127.0.0.1:0"]);
    other.env("DAYBOOK_KEY_OF_TESTS", format!("daybook-master-key-1:{:064x}", 7));
    let refused = other.output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("master key") && said.contains("--master-key"), "{said}");
}

#[test]
fn a_master_key_is_replaced_while_the_program_runs_and_the_old_one_opens_nothing_any_more() {
    let database = Database::fresh();
    let server = Server::start(&database);
    let marked = marked(Practice::on(&server));
    let run = |keys: &str, arguments: &[&str]| {
        let mut command = database.daybook(&[&["master-key"], arguments].concat());
        command.env("DAYBOOK_MASTER_KEY", keys);
        command.env("NEW", format!("daybook-master-key-1:{:064x}", 7));
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.success(), said + &String::from_utf8_lossy(&output.stderr))
    };
    let (old, both) = ("env:DAYBOOK_KEY_OF_TESTS", "env:NEW,env:DAYBOOK_KEY_OF_TESTS");
    let (_, listed) = run(old, &["list"]);
    let old_id = listed.split(' ').next().unwrap().to_owned();
    // The program that runs knows the old one only: it is started again with both before keys are wrapped.
    server.interrupt();
    server.wait();
    let environment =
        [("DAYBOOK_MASTER_KEY", both), ("NEW", &*format!("daybook-master-key-1:{:064x}", 7))];
    let server = Server::start_in(&database, &environment);
    let marked = Marked { practice: marked.practice.moved_to(&server), ..marked };
    let (retired, why) = run(both, &["retire", &old_id]);
    assert!(!retired && why.contains("rotate"), "{why}");
    let (rotated, said) = run(both, &["rotate"]);
    assert!(rotated && said.contains("wrapped") && !said.contains("wrapped 0"), "{said}");
    assert_eq!(marked.client("")["name"], "Quaxly Person");
    let (retired, said) = run(both, &["retire", &old_id]);
    assert!(retired, "{said}");
    let (listed, said) = run("env:NEW", &["list"]);
    assert!(listed && !said.contains(&old_id), "{said}");
    assert!(!run(old, &["list"]).0, "the old one alone is none of this database any more");
    server.interrupt();
    server.wait();
    let server = Server::start_in(&database, &[("DAYBOOK_MASTER_KEY", "env:NEW"), environment[1]]);
    let marked = Marked { practice: marked.practice.moved_to(&server), ..marked };
    assert_eq!(marked.client("")["name"], "Quaxly Person");
}

#[test]
fn without_a_master_key_of_its_own_daybook_makes_one_beside_its_database() {
    let database = Database::embedded();
    let server = Server::start(&database);
    let marked = marked(Practice::on(&server));
    let kept = database.data_dir().join("master.key");
    let key = std::fs::read_to_string(&kept).unwrap();
    assert!(key.starts_with("daybook-master-key-1:"), "{}", key.len());
    server.interrupt();
    server.wait();
    let server = Server::start(&database);
    let again = Marked { practice: marked.practice.moved_to(&server), ..marked };
    assert_eq!(again.client("")["name"], "Quaxly Person");
}
