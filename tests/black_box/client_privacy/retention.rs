//! Clients are erased so long after their last appointment, if their tenant has settled on it.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{ALL_BUT_PRIVACY, act, audited, no_reason};
use crate::harness::{Practice, Server, a_practice, date, id_of, monday, size, within};

/// Erasing some takes a while where the machine has much to do.
const LIMIT: Duration = Duration::from_mins(2);

/// How many visits are imported at once.
const AT_ONCE: usize = 5_000;

/// A calendar in which these people have appointments on these days, of which the first is the so manyth.
fn a_calendar(first: usize, visits: &[(&str, &str)]) -> String {
    let mut calendar = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//tests//EN\r\n".to_owned();
    for (number, (person, day)) in (first..).zip(visits) {
        let (room, hour, minute) = (number / 1_440, number / 60 % 24, number % 60);
        write!(
            calendar,
            "BEGIN:VEVENT\r\nUID:visit-{number}\r\nDTSTAMP:20200101T000000Z\r\n\
             DTSTART:{day}T{hour:02}{minute:02}00Z\r\nDURATION:PT1M\r\nSUMMARY:Visit\r\nLOCATION:Room {room}\r\n\
             ORGANIZER:mailto:desk@example.org\r\n\
             ATTENDEE;CN={person}:mailto:{person}@example.org\r\nEND:VEVENT\r\n"
        )
        .unwrap();
    }
    calendar + "END:VCALENDAR\r\n"
}

struct Clinic {
    practice: Practice,
}

impl Clinic {
    /// People who were there on these days.
    fn with(visits: &[(&str, &str)]) -> Self {
        let practice = a_practice();
        for (part, visits) in visits.chunks(AT_ONCE).enumerate() {
            let path = format!("/v1/imports?source=visits-{part}");
            let import = practice.api.request("POST", &path);
            let begun =
                import.body("text/calendar", a_calendar(part * AT_ONCE, visits)).send().is(201);
            let path = format!("/v1/imports/{}", id_of(&begun));
            let report = within(LIMIT, "the import is finished", || {
                let report = practice.api.get(&path).send().is(200);
                (report["status"] == "finished").then_some(report)
            });
            assert_eq!(report["counts"]["booked"], visits.len());
        }
        Self { practice }
    }

    fn fresh(&self) -> String {
        let events = self.practice.api.get("/v1/events?limit=1").send().is(200);
        format!("min_position={}", events["head"])
    }

    fn id(&self, person: &str) -> String {
        let body = json!({"email": format!("{person}@example.org")});
        let path = format!("/v1/clients/search?{}", self.fresh());
        let found = self.practice.api.post(&path, &body).send().is(200);
        found["items"][0]["id"].as_str().unwrap_or_else(|| panic!("{person}: {found}")).to_owned()
    }

    fn name(&self, client: &str) -> Value {
        self.practice.api.get(&format!("/v1/clients/{client}")).send().is(200)["name"].clone()
    }

    fn erased(&self, client: &str) {
        within(LIMIT, "they are erased", || (self.name(client) == "erased").then_some(()));
    }

    fn settle(&self, days: u32) {
        self.practice.settings(&json!({"retention_days": days}));
    }

    fn preview(&self, query: &str) -> Value {
        let path = format!("/v1/tenant/retention?{query}&{}", self.fresh());
        self.practice.api.get(&path).send().is(200)
    }
}

#[test]
fn who_has_not_been_there_for_so_long_is_erased_and_nobody_else_is() {
    let next = (date(0) + chrono::Days::new(60)).format("%Y%m%d").to_string();
    let clinic = Clinic::with(&[
        ("first", "20200105"),
        ("second", "20200203"),
        ("held", "20200301"),
        ("restricted", "20200401"),
        ("regular", "20200501"),
        ("regular", &next),
        ("early", "20200601"),
    ]);
    let people = ["first", "second", "held", "restricted", "regular", "early"];
    let [first, second, held, restricted, regular, early] = people.map(|person| clinic.id(person));
    let practice = &clinic.practice;
    practice.booking(monday(9, 0)).with("client_id", &*early).held(60).send().is(201);
    act(practice, &held, "place-legal-hold", &json!({"reason": "retention-duty"})).is(200);
    act(practice, &restricted, "restrict", &json!({"reason": "needed-for-claims"})).is(200);

    // Tried first.
    let untold = practice.api.get("/v1/tenant/retention").send();
    let untold = untold.is(200);
    assert_eq!((&untold["days"], &untold["due"]), (&json!(0), &json!(0)), "{untold}");
    let tried = clinic.preview("days=365");
    let counts = ["due", "restricted", "on_legal_hold", "days"].map(|name| tried[name].clone());
    assert_eq!(counts, [json!(2), json!(1), json!(1), json!(365)], "{tried}");
    let named: Vec<&Value> =
        tried["clients"].as_array().unwrap().iter().map(|client| &client["id"]).collect();
    assert_eq!(named, [&json!(first), &json!(second)]);
    assert_eq!(tried["clients"][0]["last_seen_at"], "2020-01-05T00:01:00Z");
    assert_eq!(clinic.preview("days=365&limit=1")["clients"].as_array().unwrap().len(), 1);
    assert_eq!(clinic.preview("days=36500")["due"], 0);
    assert_eq!(clinic.name(&first), "first");

    clinic.settle(365);
    clinic.erased(&first);
    clinic.erased(&second);
    assert_eq!(clinic.preview("")["due"], 0);
    for (client, name) in [(&held, "held"), (&regular, "regular"), (&early, "early")] {
        assert_eq!(clinic.name(client), name);
    }
    assert_eq!(clinic.name(&practice.client), crate::harness::personal::NAME);
    let feed =
        practice.api.get("/v1/events?limit=1000&event_type=ClientErasureRequested").send().is(200);
    let requests = feed["items"].as_array().unwrap();
    assert_eq!(requests.len(), 2, "{feed}");
    for request in requests {
        assert_eq!(request["data"]["reason"], "retention", "{request}");
        assert!(request.to_string().contains("daybook:retention"), "{request}");
    }
    assert_eq!(audited(practice, &first), ["erasure-ended", "erasure-begun"]);

    // What kept them ends.
    act(practice, &held, "release-legal-hold", &no_reason()).is(200);
    act(practice, &restricted, "lift-restriction", &no_reason()).is(200);
    let visits = format!("client_id={regular}&status=booked&{}", clinic.fresh());
    for visit in practice.found(&visits) {
        practice.act(&visit, "cancel", &json!({})).is(200);
    }
    assert_eq!(clinic.preview("")["restricted"], 0);
    clinic.settle(365);
    for client in [&held, &restricted] {
        clinic.erased(client);
    }
    assert_eq!(clinic.name(&early), "early");
    practice.is_whole();
}

#[test]
fn settling_on_it_needs_privacy_and_taking_it_back_too() {
    let practice = a_practice();
    let key = Server::shared().database.key_with(&practice.tenant, &["--scopes", ALL_BUT_PRIVACY]);
    let desk = practice.api.with_key(Some(&key));
    let put = |body: Value| desk.request("PUT", "/v1/tenant/settings").json(&body).send();
    put(json!({"retention_days": 30})).is_refused(403, "insufficient-scope");
    put(json!({"offer_minutes": 20})).is(200);
    practice.settings(&json!({"retention_days": 36_500}));
    put(json!({"offer_minutes": 20})).is_refused(403, "insufficient-scope");
    put(json!({"offer_minutes": 20, "retention_days": 36_500})).is(200);
    let too_long = practice.api.request("PUT", "/v1/tenant/settings");
    let too_long = too_long.json(&json!({"retention_days": 36_501})).send();
    too_long.is_refused(422, "invalid-body");
    practice.settings(&json!({}));
    let nobody = practice.api.get("/v1/tenant/retention").send().is(200);
    assert_eq!((&nobody["days"], nobody.get("cutoff_at")), (&json!(0), None), "{nobody}");
}

/// More are due than are erased in a round; whoever books meanwhile has their turn.
#[test]
fn many_are_erased_in_rounds_while_others_book() {
    let people = size("DAYBOOK_RETENTION_CLIENTS", 70);
    let names: Vec<String> = (0..people).map(|number| format!("person{number}")).collect();
    let visits: Vec<(&str, &str)> = names.iter().map(|name| (&**name, "20200105")).collect();
    let clinic = Clinic::with(&visits);
    assert_eq!(clinic.preview("days=365")["due"], people);
    let (settled, limit) = (Instant::now(), LIMIT + Duration::from_millis(100) * people);
    clinic.settle(365);
    let mut slots =
        (0..).map(|hour: u32| monday(hour % 24, 0) + chrono::Days::new(u64::from(hour / 24)));
    within(limit, "all are erased", || {
        clinic.practice.booked(slots.next().expect("there are more"));
        (clinic.preview("")["due"] == 0).then_some(())
    });
    let erased = "SELECT count(*) FROM erasures WHERE tenant_id = $1 AND finished_at IS NOT NULL";
    let count = || Server::shared().database.sql().number(erased, &clinic.practice.tenant);
    within(limit, "all erasures are finished", || (count() == i64::from(people)).then_some(()));
    println!("{people} clients were erased within {:?}", settled.elapsed());
    clinic.practice.is_whole();
}
