//! Titles that are personal: sealed wherever they are kept, told to whoever is told what is personal, found by whole words, and gone
//! with whom they are about. Where titles are public, all is as it was.

use serde_json::{Value, json};

use super::{all_rows, found};
use crate::harness::{
    APPOINTMENTS, Answer, Api, Database, Practice, Server, a_practice, a_tenant, date, monday, utc,
};

/// Words of titles that nobody else uses.
pub(super) const MARKS: [&str; 4] = ["Gallivantix", "Biopsyquorn", "Groupwhimble", "Retitledoon"];

/// The control: words of a title where titles are public.
pub(super) const PUBLIC: &str = "Openlyspoken";

/// What a service is called is public, whoever is booked for it.
const SERVICE: &str = "Check-up";

/// A practice where titles are personal.
pub(super) struct Discreet {
    pub(super) practice: Practice,
    pub(super) client: String,
    /// Booked by the name of somebody, and called otherwise since.
    pub(super) retitled: Value,
    /// Called as its service is.
    usual: Value,
    /// Of its own title, with a place of the client's.
    session: Value,
    place: Value,
}

impl Discreet {
    pub(super) fn on(server: &Server) -> Self {
        let practice = Practice::on(server);
        practice.settings(&json!({"titles": "personal"}));
        let client = practice.a_client("Somebody");
        let booking = |hour| practice.booking(monday(hour, 0)).with("client_id", &*client);
        let titled = booking(9).with("title", "Gallivantix: Biopsyquorn, knee").send().is(201);
        assert_eq!(titled["title"], "Gallivantix: Biopsyquorn, knee");
        let path = format!("/v1/appointments/{}", titled["id"].as_str().unwrap());
        let title = json!({"title": "Retitledoon Biopsyquorn (S\u{c5}R)"});
        let retitled = practice.api.patch(&path, &title).send().is(200);
        let usual = booking(10).send().is(201);
        booking(11).with("title", "Gallivantix again").held(30).send().is(201);
        let class = practice.a_service(&json!({"name": "Talking", "session_places": 5}));
        let session = json!({"service_id": class, "resource_ids": [practice.room],
                             "start_at": utc(monday(14, 0)), "title": "Groupwhimble of Tuesday"});
        let session = practice.api.post("/v1/sessions", &session).send().is(201);
        let path = format!("/v1/sessions/{}/appointments", session["id"].as_str().unwrap());
        let place = practice.api.post(&path, &json!({"client_id": client})).send().is(201);
        Self { practice, client, retitled, usual, session, place }
    }

    fn id(&self) -> &str {
        self.retitled["id"].as_str().unwrap()
    }

    /// Somebody who may see appointments, and change them, and is not told what is personal.
    fn reception(&self) -> Api {
        self.key(&["availability", "appointments", "book", "manage"])
    }

    fn key(&self, scopes: &[&str]) -> Api {
        let made = json!({"name": "A key", "scopes": scopes});
        let made = self.practice.api.post("/v1/keys", &made).send().is(201);
        self.practice.api.with_key(made["key"].as_str())
    }

    fn head(&self) -> u64 {
        self.practice.api.get("/v1/events?limit=1").send().is(200)["head"].as_u64().unwrap()
    }

    /// The ids of what is found by words, in order of start.
    fn found_by(&self, api: &Api, query: &str) -> Vec<String> {
        let path = format!("/v1/appointments?{query}&min_position={}", self.head());
        let list = api.get(&path).send().is(200);
        let items = list["items"].as_array().unwrap().iter();
        items.map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    }

    pub(super) fn erase(&self) -> Answer {
        let body = json!({"reason": "requested", "upcoming": "cancel"});
        self.practice.api.post(&format!("/v1/clients/{}/erase", self.client), &body).send()
    }

    /// Every route that tells a title, and what it says.
    pub(super) fn told(&self, api: &Api) -> Vec<(String, String)> {
        let (id, room, head) = (self.id(), &self.practice.room, self.head());
        let session = self.session["id"].as_str().unwrap();
        let fresh = format!("min_position={head}");
        let moment = format!("as_of=position:{head}");
        // From before anything was booked.
        let moments = format!("from=position:1&to=position:{head}");
        let paths = [
            format!("/v1/appointments/{id}"),
            format!("/v1/appointments/{id}?{moment}"),
            format!("/v1/appointments/{id}/events"),
            format!("/v1/appointments?{fresh}"),
            format!("/v1/appointments?{moment}"),
            format!("/v1/appointments?{fresh}&sort=-updated_at"),
            format!("/v1/agenda?resource_id={room}&date={}&{fresh}", date(0)),
            format!("/v1/agenda?resource_id={room}&date={}&{moment}", date(0)),
            format!("/v1/sessions?{fresh}"),
            format!("/v1/sessions?{moment}"),
            format!("/v1/sessions/{session}"),
            format!("/v1/sessions/{session}/appointments"),
            format!("/v1/conflicts?{fresh}"),
            format!("/v1/conflicts?{moment}"),
            format!("/v1/appointments/{id}/diff?{moments}"),
            format!("/v1/agenda/diff?resource_id={room}&date={}&{moments}", date(0)),
        ];
        let tell = |path: String| {
            let answer = api.get(&path).send();
            assert_eq!(answer.status, 200, "{path}: {answer:?}");
            (path, answer.text)
        };
        paths.into_iter().map(tell).collect()
    }

    /// Closes the room, so that whatever is booked there is in conflict; and what a dry run of that says.
    fn close(&self, api: &Api) -> Answer {
        let path = format!("/v1/resources/{}", self.practice.room);
        let closed = json!({"weekly_hours": []});
        let tried = api.request("PATCH", &format!("{path}?dry_run=true")).json(&closed).send();
        self.practice.api.patch(&path, &closed).send().is(200);
        tried
    }
}

fn has_mark(text: &str) -> bool {
    MARKS.iter().any(|mark| text.to_lowercase().contains(&mark.to_lowercase()))
}

#[test]
fn personal_titles_are_in_no_table_and_public_ones_are() {
    let server = Server::start(&Database::fresh());
    let discreet = Discreet::on(&server);
    discreet.close(&discreet.practice.api);
    let open = Practice::on(&server);
    open.booking(monday(9, 0)).with("title", PUBLIC).send().is(201);
    open.found(&format!("q={PUBLIC}"));
    discreet.found_by(&discreet.practice.api, "q=knee");
    server.database.run(&["verify"]).succeeded();
    server.database.projections_are_what_the_log_says();
    let rows = all_rows(&mut server.database.sql());
    let controls = found(&rows, PUBLIC);
    assert!(controls.iter().any(|table| table.starts_with("appointments_")), "{controls:?}");
    assert!(controls.contains(&String::from("public.events")), "{controls:?}");
    for mark in MARKS {
        assert_eq!(found(&rows, mark), Vec::<String>::new(), "{mark}");
    }
    let replayed = server.database.run(&["replay", "--tenant", &discreet.practice.tenant]);
    assert!(!has_mark(&replayed.succeeded()));
}

#[test]
fn who_is_told_what_is_personal_is_told_titles_and_others_are_not() {
    let discreet = Discreet::on(Server::shared());
    let (reception, admin) = (discreet.reception(), &discreet.practice.api);
    let tried = discreet.close(&reception).is(200);
    assert!(!has_mark(&tried.to_string()) && tried.to_string().contains("withheld"), "{tried}");
    for (path, said) in discreet.told(admin) {
        assert!(has_mark(&said), "{path}: {said}");
    }
    for (path, said) in discreet.told(&reception) {
        assert!(!has_mark(&said), "{path}: {said}");
    }
    let seen = |item: &Value, resource: &str| {
        let path = format!("/v1/{resource}/{}", item["id"].as_str().unwrap());
        reception.get(&path).send().is(200)["title"].clone()
    };
    assert_eq!(seen(&discreet.retitled, "appointments"), "withheld");
    assert_eq!(seen(&discreet.session, "sessions"), "withheld");
    assert_eq!(seen(&discreet.place, "appointments"), "withheld");
    assert_eq!(seen(&discreet.usual, "appointments"), SERVICE, "the name of its service");
    assert_eq!(discreet.place["title"], "Groupwhimble of Tuesday");
    // Whoever gives a title and is not told any is told by no answer.
    let booking = discreet.practice.booking(monday(17, 0)).with("title", "Biopsyquorn");
    let booking = booking.with("override", json!({"reason": "By phone"}));
    let booked = booking.request_of(&reception).send().is(201);
    assert_eq!(booked["title"], "withheld");
}

#[test]
fn the_feed_and_exports_have_titles_for_whom_they_are_asked_for() {
    let discreet = Discreet::on(Server::shared());
    let get = |path: &str| {
        let answer = discreet.practice.api.get(path).send();
        assert_eq!(answer.status, 200, "{path}");
        answer.text
    };
    for path in ["/v1/events?limit=1000", "/v1/events/export?format=csv"] {
        let withheld = get(path);
        assert!(!has_mark(&withheld) && withheld.contains(SERVICE), "{path}: {withheld}");
        let and = if path.contains('?') { '&' } else { '?' };
        assert!(has_mark(&get(&format!("{path}{and}personal=told"))), "{path}");
    }
    let feed = discreet.practice.api.get("/v1/events?limit=1000").send().is(200);
    let title_of = |appointment: &Value| {
        let id = appointment["id"].as_str().unwrap();
        let events = feed["items"].as_array().unwrap().iter();
        let mut of_it = events.filter(|event| event["subject"].as_str().unwrap().contains(id));
        of_it.next().unwrap()["data"].get("title").cloned()
    };
    assert_eq!(title_of(&discreet.retitled), None);
    assert_eq!(title_of(&discreet.usual), Some(json!(SERVICE)), "the name of its service");
}

#[test]
fn personal_titles_are_found_by_whole_words_and_by_whom_they_are_told_to() {
    let discreet = Discreet::on(Server::shared());
    let (admin, reception) = (&discreet.practice.api, discreet.reception());
    let of = |query: &str| discreet.found_by(admin, query);
    let retitled = vec![discreet.id().to_owned()];
    for query in [
        "q=Biopsyquorn",
        "q=retitledoon%20biopsyquorn",
        "q=sar",
        "q=s%C3%A5r",
        "q=biopsyquorn&category=check-up",
        "q=biopsyquorn&status=booked&sort=-start_at",
        "q=biopsyquorn&sort=-updated_at",
    ] {
        assert_eq!(of(query), retitled, "{query}");
    }
    let by_client = format!("q=biopsyquorn&client_id={}", discreet.client);
    assert_eq!(of(&by_client), retitled);
    // Neither by the beginning of a word, nor by what it was called before, nor by all but one of the words.
    for query in
        ["q=Biopsyquor", "q=b", "q=knee", "q=biopsyquorn%20knee", "q=retitledoon&status=held"]
    {
        assert_eq!(of(query), Vec::<String>::new(), "{query}");
    }
    // A place is called as its session is, and what is called as its service is found by beginnings, as ever.
    assert_eq!(of("q=groupwhimble"), [discreet.place["id"].as_str().unwrap()]);
    assert_eq!(of("q=che"), [discreet.usual["id"].as_str().unwrap()]);
    for query in ["q=biopsyquorn", "q=groupwhimble", &by_client] {
        assert_eq!(discreet.found_by(&reception, query), Vec::<String>::new(), "{query}");
    }
    assert_eq!(discreet.found_by(&reception, "q=check"), [discreet.usual["id"].as_str().unwrap()]);
    // As it was: before it was called otherwise.
    let events = admin.get(&format!("/v1/appointments/{}/events", discreet.id())).send().is(200);
    let first = events["items"][0]["position"].as_u64().unwrap();
    let then = admin.get(&format!("/v1/appointments?q=knee&as_of=position:{first}"));
    assert_eq!(then.send().is(200)["items"][0]["id"], discreet.id());
}

#[test]
fn who_is_restricted_is_found_by_no_title_but_by_whom_it_is_told_to() {
    let discreet = Discreet::on(Server::shared());
    let front_desk = discreet.key(&["appointments", "personal"]);
    let found = |api: &Api| discreet.found_by(api, "q=biopsyquorn");
    assert_eq!(found(&front_desk), [discreet.id()]);
    let path = format!("/v1/clients/{}/restrict", discreet.client);
    let because = json!({"reason": "objection-pending"});
    discreet.practice.api.post(&path, &because).send().is(200);
    assert_eq!(found(&front_desk), Vec::<String>::new());
    let read = front_desk.get(&format!("/v1/appointments/{}", discreet.id())).send().is(200);
    assert_eq!(read["title"], "withheld");
    assert_eq!(found(&discreet.practice.api), [discreet.id()]);
}

#[test]
fn a_title_goes_with_whom_it_is_about_and_with_all_that_it_is_found_by() {
    let server = Server::start(&Database::fresh());
    let discreet = Discreet::on(&server);
    let other = discreet.practice.booking(monday(16, 0)).with("title", "Biopsyquorn of another");
    let other = other.send().is(201)["id"].as_str().unwrap().to_owned();
    let admin = &discreet.practice.api;
    let tokens = format!(
        "SELECT count(*) FROM {APPOINTMENTS}.appointments
          WHERE word_tokens <> '{{}}' AND client_id::text = $1"
    );
    assert_eq!(discreet.found_by(admin, "q=biopsyquorn").len(), 2);
    assert!(server.database.sql().number(&tokens, &discreet.client) > 0);
    discreet.erase().is(200);

    assert_eq!(discreet.found_by(admin, "q=biopsyquorn"), std::slice::from_ref(&other));
    assert_eq!(discreet.found_by(admin, "q=gallivantix"), Vec::<String>::new());
    assert_eq!(discreet.found_by(admin, "q=check").len(), 1, "the name of a service is nobody's");
    assert_eq!(server.database.sql().number(&tokens, &discreet.client), 0);
    let read =
        |id: &str| admin.get(&format!("/v1/appointments/{id}")).send().is(200)["title"].clone();
    assert_eq!(read(discreet.id()), "erased");
    assert_eq!(read(discreet.place["id"].as_str().unwrap()), "erased");
    assert_eq!(read(discreet.usual["id"].as_str().unwrap()), SERVICE);
    assert_eq!(read(&other), "Biopsyquorn of another");
    let reception = discreet.reception();
    let seen = reception.get(&format!("/v1/appointments/{}", discreet.id())).send().is(200);
    assert_eq!(seen["title"], "withheld");
    let feed = admin.get("/v1/events?limit=1000&personal=told").send().is(200).to_string();
    assert!(!feed.contains("Retitledoon") && !feed.contains("Gallivantix"), "{feed}");
    assert!(feed.contains("Groupwhimble"), "a session is nobody's who is erased: {feed}");
    // As they are now, the tables are what the log says, of which the key is gone; and made anew they are the same.
    server.database.projections_are_what_the_log_says();
    server.database.run(&["verify"]).succeeded();
    server.database.run(&["projections", "rebuild", "--all"]).succeeded();
    assert_eq!(discreet.found_by(admin, "q=biopsyquorn"), [other]);
}

#[test]
fn what_is_written_from_then_on_is_as_the_setting_says() {
    let practice = a_practice();
    let booked = |hour, title: &str| {
        practice.booking(monday(hour, 0)).with("title", title).send().is(201)["id"].clone()
    };
    let before = booked(9, "Gallivantix one");
    practice.settings(&json!({"titles": "personal"}));
    let personal = booked(10, "Gallivantix two");
    practice.settings(&json!({}));
    let after = booked(11, "Gallivantix three");
    let read = practice.api.post("/v1/keys", &json!({"name": "A key", "scopes": ["appointments"]}));
    let read = practice.api.with_key(read.send().is(201)["key"].as_str());
    let titles = || {
        [&before, &personal, &after].map(|id| {
            let path = format!("/v1/appointments/{}", id.as_str().unwrap());
            let shown = read.get(&path).send().is(200);
            (shown["title"].as_str().unwrap().to_owned(), shown["version"].as_u64().unwrap())
        })
    };
    let one = |title: &str, version| (title.to_owned(), version);
    let expected = [one("Gallivantix one", 1), one("withheld", 1), one("Gallivantix three", 1)];
    assert_eq!(titles(), expected);
    let head = practice.api.get("/v1/events?limit=1").send().is(200)["head"].clone();
    let found = practice.found(&format!("q=gallivantix&min_position={head}"));
    assert_eq!(found.len(), 3, "{found:?}");
    // A patch that says nothing of it leaves it as it is, and one that says the same changes nothing.
    practice.settings(&json!({"titles": "personal"}));
    let patch = |id: &Value, body: Value| {
        practice
            .api
            .patch(&format!("/v1/appointments/{}", id.as_str().unwrap()), &body)
            .send()
            .is(200)
    };
    patch(&personal, json!({"title": "Gallivantix two"}));
    assert_eq!(titles(), expected);
    patch(&before, json!({"note": "Comes by bus"}));
    patch(&personal, json!({"note": "Comes by bus"}));
    assert_eq!(titles(), [one("Gallivantix one", 2), one("withheld", 2), expected[2].clone()]);
    patch(&before, json!({"title": "Gallivantix one"}));
    assert_eq!(titles()[0], one("withheld", 3));
}

/// A client of before there were such titles would make them public by leaving them out.
#[test]
fn what_titles_are_is_changed_by_whom_privacy_is_for() {
    let practice = a_practice();
    let key = ["--scopes", "manage,keys"];
    let desk = Server::shared().database.key_with(&practice.tenant, &key);
    let desk = practice.api.with_key(Some(&desk));
    let put = |body: Value| desk.request("PUT", "/v1/tenant/settings").json(&body).send();
    put(json!({"titles": "personal"})).is_refused(403, "insufficient-scope");
    practice.settings(&json!({"titles": "personal"}));
    put(json!({"offer_minutes": 20})).is_refused(403, "insufficient-scope");
    let kept = put(json!({"offer_minutes": 20, "titles": "personal"})).is(200);
    assert_eq!((&kept["titles"], &kept["offer_minutes"]), (&json!("personal"), &json!(20)));
}

#[test]
fn a_tenant_is_made_with_personal_titles_and_its_imports_come_round() {
    let server = Server::start(&Database::fresh());
    let tenant = a_tenant();
    let create = ["tenant", "create", &*tenant, "--titles", "personal"];
    server.database.run(&create).succeeded();
    let shown = server.database.run(&["tenant", "show", &*tenant]).succeeded();
    assert!(shown.contains("titles: personal"), "{shown}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("calendar.ics");
    let import = |events: &[(&str, &str)], options: &[&str]| {
        std::fs::write(&file, calendar(events)).unwrap();
        server.database.import(&file, &tenant, options).succeeded()
    };
    let first = [("1", "Gallivantix (first)"), ("2", "Biopsyquorn")];
    let said = import(&first, &["--dry-run"]);
    assert!(said.contains("withheld") && !has_mark(&said), "{said}");
    let said = import(&first, &[]);
    assert!(said.contains("booked 2") && !has_mark(&said), "{said}");
    let said = import(&first, &[]);
    assert!(said.contains("booked 0, already there 2"), "{said}");
    let said = import(&[("1", "Retitledoon"), ("2", "Biopsyquorn")], &[]);
    assert!(said.contains("changed 1, already there 1") && !has_mark(&said), "{said}");
    let api = server.api(Some(server.database.key(&tenant, "admin")));
    let titles = |api: &Api| -> Vec<Value> {
        api.found("status=booked").into_iter().map(|item| item["title"].clone()).collect()
    };
    let told = || Some(titles(&api)).filter(|titles| *titles == ["Retitledoon", "Biopsyquorn"]);
    crate::harness::eventually("the list is up to date", told);
    let read = server.api(Some(server.database.key_with(&tenant, &["--scopes", "appointments"])));
    assert_eq!(titles(&read), ["withheld", "withheld"]);
    let rows = all_rows(&mut server.database.sql());
    for mark in MARKS {
        assert_eq!(found(&rows, mark), Vec::<String>::new(), "{mark}");
    }
}

/// Events of an hour each, on days that follow on each other.
fn calendar(events: &[(&str, &str)]) -> String {
    let event = |(n, (uid, summary)): (usize, &(&str, &str))| {
        let day = n + 1;
        format!(
            "BEGIN:VEVENT\r\nUID:{uid}@example.org\r\nDTSTAMP:20260101T000000Z\r\n\
             DTSTART:2030060{day}T090000Z\r\nDTEND:2030060{day}T100000Z\r\nSUMMARY:{summary}\r\nEND:VEVENT\r\n"
        )
    };
    let events: String = events.iter().enumerate().map(event).collect();
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//a//b//EN\r\n{events}END:VCALENDAR\r\n")
}
