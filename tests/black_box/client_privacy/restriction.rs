//! What is known of a restricted client is only kept (GDPR, Art. 18).

use std::thread;
use std::time::Duration;

use rand::Rng as _;
use serde_json::{Value, json};

use super::{act, audited, desk, no_reason};
use crate::harness::{
    Api, Database, Practice, Server, a_practice, date, eventually, id_of, monday,
};

/// Words that nobody else uses.
const MARKS: [&str; 4] = ["Wexford", "wexford@example.org", "seasick", "homesick"];

struct Restricted {
    practice: Practice,
    client: String,
    /// Booked, with a note.
    visit: String,
    /// The position before they were restricted.
    before: u64,
}

fn known(practice: Practice) -> Restricted {
    let contact = json!({"name": "Wexford Person", "email": "wexford@example.org"});
    let client = practice.created("/v1/clients", &contact);
    let booking = |hour| practice.booking(monday(hour, 0)).with("client_id", &*client);
    let visit = id_of(&booking(9).with("note", "Is seasick").send().is(201));
    let cancelled = booking(11).send().is(201);
    let cancel = practice.act(&cancelled, "cancel", &json!({"reason": "Was homesick"}));
    cancel.is(200);
    let before = cancel.position();
    Restricted { practice, client, visit, before }
}

impl Restricted {
    fn restrict(&self) {
        let body = json!({"reason": "accuracy-contested"});
        let answer = act(&self.practice, &self.client, "restrict", &body);
        assert_eq!(answer.is(200)["restriction"], "accuracy-contested");
    }

    /// All that somebody is told of them, by paths.
    fn told(&self, api: &Api) -> Vec<(String, Value)> {
        let (client, visit, before) = (&self.client, &self.visit, self.before);
        let paths = [
            format!("/v1/clients/{client}"),
            format!("/v1/clients/{client}?as_of=position:{before}"),
            format!("/v1/clients?as_of=position:{before}"),
            format!("/v1/clients?ids={client}&min_position={before}"),
            format!("/v1/appointments/{visit}?expand=client"),
            format!("/v1/appointments/{visit}?as_of=position:{before}&expand=client"),
            format!("/v1/appointments/{visit}/events"),
            format!("/v1/appointments?client_id={client}&expand=client&min_position={before}"),
        ];
        let get = |path: String| (path.clone(), api.get(&path).send().is(200));
        paths.into_iter().map(get).collect()
    }
}

fn has_a_mark(answer: &Value) -> bool {
    let text = answer.to_string();
    MARKS.iter().any(|mark| text.contains(mark))
}

#[test]
fn what_is_known_of_a_restricted_client_is_told_with_privacy_alone() {
    let server = Server::start(&Database::fresh());
    let known = known(Practice::on(&server));
    let desk = desk(&known.practice, &server);
    for (path, answer) in known.told(&desk) {
        assert!(has_a_mark(&answer), "the control: {path}: {answer}");
    }
    known.restrict();
    for (path, answer) in known.told(&desk) {
        assert!(!has_a_mark(&answer), "{path}: {answer}");
    }
    let path = format!("/v1/clients/{}", known.client);
    let shown = desk.get(&path).send().is(200);
    assert_eq!((&shown["name"], &shown["restricted"]), (&json!("withheld"), &json!(true)));
    assert!(shown.get("email").is_none() && shown.get("erased").is_none(), "{shown}");
    desk.get(&format!("{path}/history")).send().is_refused(403, "insufficient-scope");
    desk.get(&format!("{path}/privacy")).send().is_refused(403, "insufficient-scope");

    let officer = &known.practice.api;
    let shown = officer.get(&path).send().is(200);
    assert_eq!((&shown["name"], &shown["restricted"]), (&json!("Wexford Person"), &json!(true)));
    for path in [format!("/v1/appointments/{}", known.visit), format!("{path}/personal-data")] {
        let told = officer.get(&path).download();
        assert!(String::from_utf8_lossy(&told).contains("seasick"), "{path}");
    }
    officer.get(&format!("{path}/history")).send().is(200);
    let feed = officer.get("/v1/events?limit=1000&personal=told").send().is(200);
    assert!(has_a_mark(&feed));
    let kept = |query: &str| officer.get(&format!("{path}/privacy{query}")).send().is(200);
    assert_eq!(kept("")["restriction"], "accuracy-contested");
    assert!(kept(&format!("?as_of=position:{}", known.before)).get("restriction").is_none());
    assert_eq!(audited(&known.practice, &known.client), ["personal-data-exported", "restricted"]);

    let lifted = act(&known.practice, &known.client, "lift-restriction", &no_reason());
    assert!(lifted.is(200).get("restriction").is_none());
    for (path, answer) in known.told(&desk) {
        assert!(has_a_mark(&answer), "{path}: {answer}");
    }
    assert_eq!(audited(&known.practice, &known.client)[0], "restriction-lifted");
    server.database.run(&["verify"]).succeeded();
    server.database.projections_are_what_the_log_says();
}

#[test]
fn nobody_finds_a_restricted_client_and_nothing_new_is_booked_for_them() {
    let known = known(a_practice());
    let (api, client) = (&known.practice.api, &*known.client);
    let restrict =
        act(&known.practice, client, "restrict", &json!({"reason": "needed-for-claims"}));
    let fresh = format!("min_position={}", restrict.position());
    for query in ["", "q=wexf&", "email=wexford@example.org&"] {
        let listed = api.get(&format!("/v1/clients?{query}{fresh}")).send().is(200);
        assert!(!listed.to_string().contains(client), "{query}: {listed}");
    }
    let body = json!({"email": "wexford@example.org"});
    let found = api.post(&format!("/v1/clients/search?{fresh}"), &body).send().is(200);
    assert_eq!(found["items"], json!([]));
    let listed = api.get(&format!("/v1/clients?restricted=true&{fresh}")).send().is(200);
    assert_eq!(
        (listed["items"][0]["id"].as_str(), listed["items"][1].as_str()),
        (Some(client), None)
    );
    assert_eq!(listed["items"][0]["restricted"], true);
    let desk = desk(&known.practice, Server::shared());
    desk.get("/v1/clients?restricted=true").send().is_refused(403, "insufficient-scope");

    let booking = || known.practice.booking(monday(14, 0)).with("client_id", client);
    let refused = booking().send().is_refused(409, "restricted-client");
    assert!(refused["detail"].as_str().unwrap().contains("privacy"), "{refused}");
    booking().held(10).send().is_refused(409, "restricted-client");
    let wish = json!({"client_id": client, "service_id": known.practice.service,
                      "resource_ids": [known.practice.room], "from": date(0), "to": date(0)});
    api.post("/v1/waiting-list", &wish).send().is_refused(409, "restricted-client");
    let mut series = booking().without("start_at").body;
    series["dtstart"] = json!(format!("{}T14:00", date(2)));
    series["time_zone"] = json!("UTC");
    series["rrule"] = json!("FREQ=DAILY;COUNT=2");
    api.post("/v1/series", &series).send().is_refused(409, "restricted-client");
    let path = format!("/v1/clients/{client}");
    let changed = api.patch(&path, &json!({"name": "Another"})).send();
    changed.is_refused(409, "client-restricted");

    // What is booked stands, and can be looked after.
    let visit = known.practice.appointment(&known.visit);
    assert_eq!(visit["status"], "booked");
    known.practice.act(&visit, "reschedule", &json!({"start_at": monday(10, 0)})).is(200);
    act(&known.practice, client, "lift-restriction", &no_reason()).is(200);
    booking().send().is(201);
    api.patch(&path, &json!({"name": "Another"})).send().is(200);
    known.practice.is_whole();
}

#[test]
fn who_is_restricted_by_one_program_is_so_for_the_other() {
    let database = Database::fresh();
    let servers = [Server::start(&database), Server::start(&database)];
    let known = known(Practice::on(&servers[0]));
    let there = desk(&known.practice, &servers[0]).at(&servers[1].url);
    let name =
        || there.get(&format!("/v1/clients/{}", known.client)).send().is(200)["name"].clone();
    assert_eq!(name(), "Wexford Person");
    known.restrict();
    eventually("the other has heard of it", || (name() == "withheld").then_some(()));
}

#[test]
fn a_restriction_that_only_is_tried_or_is_there_already_changes_nothing() {
    let known = known(a_practice());
    let path = format!("/v1/clients/{}/restrict", known.client);
    let body = json!({"reason": "objection-pending"});
    let tried = known.practice.api.post(&format!("{path}?dry_run=true"), &body).send().is(200);
    assert_eq!(tried["restriction"], "objection-pending");
    let view = || known.practice.api.get(&path.replace("restrict", "privacy")).send().is(200);
    assert!(view().get("restriction").is_none());
    let restrict = || {
        let request = known.practice.api.post(&path, &body);
        request.header("idempotency-key", "once").send()
    };
    let (first, again) = (restrict(), restrict());
    assert_eq!(first.is(200), again.is(200));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    let version = view()["version"].clone();
    assert_eq!(act(&known.practice, &known.client, "restrict", &body).is(200)["version"], version);
    let nobody = act(&known.practice, &known.practice.room, "restrict", &body);
    nobody.is_refused(404, "not-found");
    let erase = json!({"reason": "requested", "upcoming": "cancel"});
    act(&known.practice, &known.client, "erase", &erase).is(200);
    act(&known.practice, &known.client, "restrict", &body).is_refused(409, "client-erased");
}

/// Whenever it is killed, what is told follows what the log says within seconds.
#[test]
fn a_restriction_that_is_cut_off_is_gone_on_with() {
    let database = Database::fresh();
    let mut server = Server::start(&database);
    let mut rng = rand::rng();
    for _ in 0..3 {
        let known = known(Practice::on(&server));
        let path = format!("/v1/clients/{}", known.client);
        let body = json!({"reason": "accuracy-contested"});
        let request = known.practice.api.post(&format!("{path}/restrict"), &body);
        thread::scope(|scope| {
            let asked = scope.spawn(|| request.try_send());
            thread::sleep(Duration::from_micros(rng.random_range(0..30_000)));
            server.kill_dash_9();
            let _ = asked.join().unwrap();
        });
        server.wait();
        server = Server::start(&database);
        let practice = known.practice.moved_to(&server);
        let desk = desk(&practice, &server);
        eventually("what is told follows the log", || {
            let kept = practice.api.get(&format!("{path}/privacy")).send().is(200);
            let told = desk.get(&path).send().is(200)["name"] == "withheld";
            let left = "SELECT count(*) FROM restrictions_begun WHERE tenant_id = $1";
            let is_done = database.sql().number(left, &practice.tenant) == 0;
            (is_done && told == kept.get("restriction").is_some()).then_some(())
        });
    }
}
