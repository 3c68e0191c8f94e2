//! Who may do what: every route, the scope that it requires, and that it requires it.

mod limits;
mod links;
mod routes;
mod within;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use self::routes::{ANY_KEY, OPERATOR, ROUTES};
use crate::every_operation::house::{a_reminder, reminds};
use crate::harness::{
    Answer, Api, Practice, Server, a_practice, at_once, date, eventually, monday, utc,
};

const SCOPES: [&str; 9] = [
    "availability",
    "appointments",
    "analytics",
    "personal",
    "book",
    "manage",
    "privacy",
    "keys",
    "audit",
];

/// The sets with a name, as keys were before.
const SETS: [(&str, &[&str]); 4] = [
    ("read", &["availability", "appointments", "analytics", "personal"]),
    ("book", &["availability", "appointments", "analytics", "personal", "book"]),
    ("manage", &["availability", "appointments", "analytics", "personal", "book", "manage"]),
    ("admin", &SCOPES),
];

/// Routes that the document may leave out, because they are about itself.
const MAY_BE_UNDOCUMENTED: [&str; 2] = ["/openapi.json", "/asyncapi.json"];

/// A practice with something for each route to be about.
struct Ground {
    practice: Practice,
    to_erase: String,
    /// Held, so that they can be confirmed and released.
    held: [String; 2],
    booked: String,
    /// Of the room.
    exception: String,
    /// Of one appointment.
    series: String,
    /// Of a service that is given in sessions.
    session: String,
    class: String,
    /// On the waiting list, for a room that never opens.
    entry: String,
    import: String,
    /// Of an appointment that stays as it is, planned.
    reminder: String,
    key: String,
    issuer: String,
    webhook: String,
    calendar_feed: String,
    browser_session: String,
    /// Of the appointment.
    link: String,
}

fn a_ground() -> Ground {
    let practice = a_practice();
    reminds(&practice);
    let id = |appointment: Value| appointment["id"].as_str().unwrap().to_owned();
    let held = [7, 8].map(|hour| id(practice.booking(monday(hour, 0)).held(60).send().is(201)));
    let booked = id(practice.booked(monday(10, 0)));
    let path = format!("/v1/resources/{}/exceptions", practice.room);
    let exception = practice.created(&path, &an_exception());
    let series = practice.created("/v1/series", &a_series(&practice, 12));
    let class = practice.a_service(&json!({"session_places": 5}));
    let session = practice.created("/v1/sessions", &a_session(&practice, &class, 13));
    let entry = practice.created("/v1/waiting-list", &an_entry(&practice));
    let import = id(import(&practice.api).is(201));
    let reminder = a_reminder(&practice, &id(practice.booked(monday(15, 0))));
    let key = practice.created("/v1/keys", &a_key());
    let issuer = practice.created("/v1/issuers", &an_issuer());
    let webhook = practice.created("/v1/webhooks", &a_webhook());
    let of_room = json!({"name": "The room", "limits": {"resource_ids": [practice.room]}});
    let calendar_feed = practice.created("/v1/calendar-feeds", &of_room);
    for path in ["/v1/templates/reminder/nb", "/v1/templates/change/nb"] {
        let template = json!({"subject": "Hello", "text": "Hello"});
        practice.api.request("PUT", path).json(&template).send().is(200);
    }
    let browser_session = practice.created("/v1/browser-sessions", &json!({}));
    let link = practice.created(&format!("/v1/appointments/{booked}/links"), &json!({}));
    let to_erase = practice.a_client("No more");
    Ground {
        practice,
        to_erase,
        held,
        booked,
        exception,
        series,
        session,
        class,
        entry,
        import,
        reminder,
        key,
        issuer,
        webhook,
        calendar_feed,
        browser_session,
        link,
    }
}

impl Ground {
    /// Calls a route as it is meant to be called.
    fn call(&self, api: &Api, method: &str, route: &str) -> Answer {
        let practice = &self.practice;
        let id = match route.split('/').nth(2) {
            Some("services") => &practice.service,
            Some("resources") => &practice.room,
            Some("clients") if method == "POST" && route.contains("{id}") => &self.to_erase,
            Some("clients") => &practice.client,
            Some("series") => &self.series,
            Some("sessions") => &self.session,
            Some("holds") if method == "DELETE" => &self.held[0],
            Some("holds") => &self.held[1],
            Some("waiting-list") => &self.entry,
            Some("reminders") => &self.reminder,
            Some("imports") => &self.import,
            Some("keys") => &self.key,
            Some("issuers") => &self.issuer,
            Some("webhooks") => &self.webhook,
            Some("calendar-feeds") => &self.calendar_feed,
            Some("browser-sessions") => &self.browser_session,
            _ => &self.booked,
        };
        let path = route.replace("{id}", id).replace("{exception_id}", &self.exception);
        let kind = if method == "DELETE" { "change" } else { "reminder" };
        let path = path.replace("{kind}", kind).replace("{language}", "nb");
        let path = path.replace("{name}", "sessions").replace("{link_id}", &self.link);
        let body = self.body(route);
        match method {
            "GET" if route.ends_with("/opening-hours") => {
                api.get(&format!("{path}?from=2027-01-01&to=2027-01-02")).send()
            }
            "GET" if route.ends_with("/utilisation") => {
                api.get(&format!("{path}?from=2027-01-01&to=2027-01-02")).send()
            }
            "GET" if route.ends_with("/availability") => {
                let asked =
                    format!("service_id={}&resource_id={}", practice.service, practice.room);
                api.get(&format!("{path}?{asked}&from=2027-01-01&to=2027-01-02")).send()
            }
            "GET" if route.ends_with("/appointments/{id}/diff") => {
                api.get(&format!("{path}?from=2020-01-01T00:00:00Z")).send()
            }
            "GET" if route.starts_with("/v1/agenda") => {
                let day = format!("resource_id={}&date=2027-01-01", practice.room);
                let from = if route.ends_with("diff") { "&from=2020-01-01T00:00:00Z" } else { "" };
                api.get(&format!("{path}?{day}{from}")).send()
            }
            // What has an end.
            "GET" if route.ends_with("/stream") => api.get(&format!("{path}?to=2000-01-01")).send(),
            "GET" => api.get(&path).send(),
            _ if route.ends_with("/imports") => import(api),
            method => api.request(method, &path).json(&body).send(),
        }
    }

    fn body(&self, route: &str) -> Value {
        let practice = &self.practice;
        match route.trim_start_matches("/v1/") {
            "services" => {
                json!({"name": "S", "category": "c", "tags": [], "duration_minutes": 5})
            }
            "resources" => {
                json!({"name": "R", "kind": "room", "time_zone": "UTC", "weekly_hours": []})
            }
            "services/{id}" | "resources/{id}" | "clients/{id}" => json!({"name": "Another"}),
            "resources/{id}/exceptions" => an_exception(),
            "resources/{id}/holidays" => json!({"holidays": []}),
            "clients" => json!({"name": "A client"}),
            "clients/{id}/erase" => json!({"reason": "requested"}),
            "clients/{id}/restrict" => json!({"reason": "accuracy-contested"}),
            "clients/{id}/place-legal-hold" => json!({"reason": "legal-claim"}),
            "keys" => a_key(),
            "issuers" => an_issuer(),
            "webhooks" => a_webhook(),
            "calendar-feeds" => json!({"name": "All"}),
            "templates/preview" => json!({"kind": "reminder"}),
            "templates/{kind}/{language}" => json!({"subject": "Hello", "text": "Hello"}),
            "webhooks/{id}" => json!({"event_types": []}),
            "webhooks/{id}/replay" => json!({"after": 0}),
            "waiting-list" => an_entry(practice),
            "appointments" | "holds" => practice.booking(monday(20, 0)).body,
            "appointments:batch" => {
                json!({"atomic": true, "items": [practice.booking(monday(20, 0)).body]})
            }
            "series" => a_series(practice, 22),
            "sessions" => a_session(practice, &self.class, 23),
            "sessions/{id}/appointments" | "sessions/{id}/holds" => {
                json!({"client_id": practice.client})
            }
            "sessions/{id}/reschedule" => json!({"start_at": utc(monday(14, 0))}),
            "series/{id}/reschedule" => json!({"scope": "all", "shift_days": 1}),
            "series/{id}/cancel" => json!({"scope": "all"}),
            "clients/search" => json!({"name": "Nobody"}),
            "availability/search" => {
                json!({"service_id": practice.service, "from": "2027-01-01", "to": "2027-01-02"})
            }
            "appointments/{id}/reschedule" => json!({"start_at": utc(monday(21, 0))}),
            "appointments/{id}/accept-conflict" => json!({"reason": "why not"}),
            "appointments/{id}/reassign" => {
                json!({"from_resource_id": practice.room, "to_resource_id": practice.a_room()})
            }
            "appointments/{id}" => json!({"tags": ["seen"]}),
            _ => json!({}),
        }
    }
}

/// Of a calendar in which there is nothing.
fn import(api: &Api) -> Answer {
    let calendar =
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//daybook//tests//EN\r\nEND:VCALENDAR\r\n";
    let request = api.request("POST", "/v1/imports").header("content-type", "text/calendar");
    request.raw_body(calendar.as_bytes()).send()
}

/// That whoever may give any key may give.
fn a_key() -> Value {
    json!({"name": "A key", "scopes": ["keys"]})
}

/// The same; no two have one audience.
fn an_issuer() -> Value {
    json!({
        "issuer": "https://login.example.org", "audience": uuid::Uuid::now_v7().to_string(),
        "algorithms": ["ES256"],
        "grants": [{"claim": "scope", "value": "daybook", "scopes": ["keys"]}],
    })
}

/// One that is told nothing.
fn a_webhook() -> Value {
    json!({"url": "https://example.org/daybook", "active": false})
}

/// In the past, where it conflicts with nothing.
fn an_exception() -> Value {
    json!({"kind": "time-off", "days": {"first": "2020-07-01", "last": "2020-07-01"}})
}

/// At this hour of the Monday.
fn a_session(practice: &Practice, class: &str, hour: u32) -> Value {
    json!({"service_id": class, "resource_ids": [practice.room], "start_at": utc(monday(hour, 0))})
}

/// At this hour of the Monday, once.
fn a_series(practice: &Practice, hour: u32) -> Value {
    let mut body = practice.booking(monday(hour, 0)).without("start_at").body;
    body["dtstart"] = json!(monday(hour, 0).format("%Y-%m-%dT%H:%M").to_string());
    body["time_zone"] = json!("UTC");
    body["rrule"] = json!("FREQ=DAILY;COUNT=1");
    body
}

/// Nothing is ever offered to it.
fn an_entry(practice: &Practice) -> Value {
    let closed = practice.a_resource(&json!({"weekly_hours": []}));
    let (from, to) = (date(0).to_string(), date(1).to_string());
    json!({"service_id": practice.service, "client_id": practice.client, "resource_ids": [closed],
           "from": from, "to": to})
}

fn guarded() -> impl Iterator<Item = &'static (&'static str, &'static str, &'static [&'static str])>
{
    ROUTES.iter().filter(|(_, _, needed)| !needed.is_empty())
}

#[test]
fn every_route_of_the_document_is_in_the_table_and_the_other_way_round() {
    let document = Server::shared().api(None).get("/openapi.json").send().is(200);
    let mut documented = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            documented.insert((method.to_uppercase(), path.clone()));
        }
    }
    let table: BTreeSet<(String, String)> = ROUTES
        .iter()
        .map(|(method, route, _)| ((*method).to_owned(), (*route).to_owned()))
        .filter(|(_, route)| !MAY_BE_UNDOCUMENTED.contains(&&**route))
        .collect();
    documented.retain(|(_, route)| !MAY_BE_UNDOCUMENTED.contains(&&**route));
    assert_eq!(documented, table);
}

#[test]
fn without_a_key_every_route_but_the_open_ones_answers_401() {
    let ground = a_ground();
    let nobody = ground.practice.api.with_key(None);
    for (method, route, scope) in ROUTES {
        let answer = ground.call(&nobody, method, route);
        if scope.is_empty() {
            answer.has_status(200);
            continue;
        }
        answer.is_refused(401, "missing-key");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{answer:#?}");
    }
}

#[test]
fn with_a_key_that_is_none_every_route_but_the_open_ones_answers_401() {
    let ground = a_ground();
    let almost = format!("{}x", ground.practice.api.key().unwrap());
    for bad in ["nonsense", &almost, "a b", "%"] {
        let stranger = ground.practice.api.with_key(Some(bad));
        for &(method, route, _) in guarded() {
            let answer = ground.call(&stranger, method, route);
            answer.is_refused(401, "invalid-key");
            let challenge = answer.header("www-authenticate").unwrap_or_default();
            assert!(challenge.starts_with("Bearer"), "{answer:#?}");
        }
    }
    let other_scheme = ground.practice.api.with_key(None).get("/v1/services");
    other_scheme.header("authorization", "Basic YTpi").send().is_refused(401, "missing-key");
}

/// What a key with these scopes can do, and cannot, at every route.
fn does_what_its_scopes_say(option: &str, name: &str, held: &[&str]) {
    let ground = a_ground();
    let practice = &ground.practice;
    let key = Server::shared().database.key_with(&practice.tenant, &[option, name]);
    let holder = practice.api.with_key(Some(&key));
    for &(method, route, needed) in guarded() {
        let answer = ground.call(&holder, method, route);
        if needed == [OPERATOR] {
            answer.is_refused(403, "not-an-operators-key");
            continue;
        }
        if needed == [ANY_KEY] {
            // Another key's session is not there.
            assert!([200, 201, 404].contains(&answer.status), "{name}: {answer:#?}");
            continue;
        }
        match needed.iter().find(|scope| !held.contains(scope)) {
            Some(missing) => {
                let problem = answer.is_refused(403, "insufficient-scope");
                assert!(needed.contains(&problem["required_scope"].as_str().unwrap()), "{missing}");
                let said = problem["detail"].as_str().unwrap();
                assert!(needed.iter().all(|scope| said.contains(&format!("`{scope}`"))), "{said}");
            }
            // What earlier calls did may cause a conflict; the key does not.
            None => assert!(![401, 403, 404].contains(&answer.status), "{name}: {answer:#?}"),
        }
    }
}

#[test]
fn a_key_with_one_scope_does_what_needs_that_alone() {
    at_once(2, |half| {
        for scope in SCOPES.iter().skip(half).step_by(2) {
            does_what_its_scopes_say("--scopes", scope, &[scope]);
        }
    });
}

#[test]
fn a_key_without_one_scope_does_all_but_what_needs_that() {
    at_once(2, |half| {
        for missing in SCOPES.iter().skip(half).step_by(2) {
            let held: Vec<&str> = SCOPES.into_iter().filter(|scope| scope != missing).collect();
            does_what_its_scopes_say("--scopes", &held.join(","), &held);
        }
    });
}

#[test]
fn the_sets_with_a_name_do_what_keys_of_before_did() {
    at_once(2, |half| {
        for (name, held) in SETS.iter().skip(half).step_by(2) {
            does_what_its_scopes_say("--scope", name, held);
        }
    });
}

#[test]
fn the_document_says_which_scopes_each_route_needs() {
    let document = Server::shared().api(None).get("/openapi.json").send().is(200);
    for &(method, route, needed) in guarded() {
        let operation = &document["paths"][route][method.to_lowercase()];
        if needed == [OPERATOR] {
            assert_eq!(operation["security"], json!([{"operator_key": []}]), "{method} {route}");
            continue;
        }
        let needed = if needed == [ANY_KEY] { &[][..] } else { needed };
        let mut said: Vec<&str> = operation["x-scopes"]
            .as_array()
            .unwrap_or_else(|| panic!("{method} {route}"))
            .iter()
            .map(|scope| scope.as_str().unwrap())
            .collect();
        let mut needed = needed.to_vec();
        said.sort_unstable();
        needed.sort_unstable();
        assert_eq!(said, needed, "{method} {route}");
        let has_all = |set: &&(&str, &[&str])| needed.iter().all(|scope| set.1.contains(scope));
        let smallest = SETS.iter().find(has_all).unwrap().0;
        assert_eq!(operation["x-scope"], smallest, "{method} {route}");
        let description = operation["description"].as_str().unwrap();
        assert!(needed.iter().all(|scope| description.contains(&format!("`{scope}`"))));
    }
}

#[test]
fn with_another_tenants_key_nothing_is_there() {
    let ground = a_ground();
    let position = ground.practice.booking(monday(11, 0)).send().position();
    let stranger = Server::shared().database.key(&crate::harness::a_tenant(), "admin");
    let stranger = ground.practice.api.with_key(Some(&stranger));
    for &(method, route, _) in guarded() {
        let answer = ground.call(&stranger, method, route);
        match (method, route) {
            (_, route) if route.contains("{id}") || route.starts_with("/v1/agenda") => {
                answer.is_refused(404, "not-found");
            }
            (_, "/v1/availability" | "/v1/availability/search")
            | (
                "POST",
                "/v1/appointments"
                | "/v1/appointments:batch"
                | "/v1/holds"
                | "/v1/series"
                | "/v1/sessions"
                | "/v1/waiting-list",
            ) => {
                answer.is_refused(422, "unknown-service");
            }
            (_, "/v1/projections/{name}/rebuild" | "/v1/programs") => {
                answer.is_refused(403, "not-an-operators-key");
            }
            // Of the stranger's own log, in which there is nothing.
            (_, "/v1/projections") => {
                let list = answer.is(200);
                for item in list["items"].as_array().unwrap() {
                    assert_eq!((&item["head"], item.get("build")), (&json!(0), None), "{item}");
                }
            }
            // Their own clients stay.
            (_, "/v1/tenant/retention") => {
                assert_eq!(answer.is(200)["due"], 0);
            }
            // Their own.
            (_, "/v1/clients/search" | "/v1/tenant/settings" | "/v1/templates/preview")
            | ("PUT", "/v1/templates/{kind}/{language}") => answer.has_status(200),
            (_, "/v1/templates/{kind}/{language}") => {
                answer.is_refused(404, "not-found");
            }
            ("GET", "/v1/keys" | "/v1/audit" | "/v1/audit/export") => {
                answer.has_status(200);
                assert!(!answer.text.contains(&ground.key), "{answer:#?}");
            }
            // Their own log has what they have made.
            (_, "/v1/events" | "/v1/events/stream" | "/v1/events/export") => {
                answer.has_status(200);
                let ours = format!("urn:daybook:log:{}\"", ground.practice.tenant);
                assert!(!answer.text.contains(&ours), "{answer:#?}");
            }
            ("GET", _) => {
                let list = answer.is(200);
                assert!(list["items"].as_array().unwrap().is_empty(), "{route}: {list}");
            }
            // The others make something of the stranger's own, seen below.
            _ => {
                answer.is(201);
            }
        }
    }
    // Nothing of what the stranger tried has been done here.
    let practice = &ground.practice;
    let found = practice.found(&format!("min_position={position}"));
    let found: Vec<_> = found.iter().map(|a| (&a["status"], &a["version"])).collect();
    let (held, booked, first) = (json!("held"), json!("booked"), json!(1));
    let unchanged: Vec<_> = [&held, &held, &booked, &booked, &booked, &booked]
        .into_iter()
        .map(|status| (status, &first))
        .collect();
    assert_eq!(found, unchanged);
}

/// Whoever runs daybook is no tenant, whose log that opens.
#[test]
fn an_operators_key_does_what_is_of_all_tenants_and_opens_no_log() {
    let ground = a_ground();
    let operator = Server::shared().keyed_operator();
    for &(method, route, needed) in guarded() {
        let answer = ground.call(&operator, method, route);
        if needed == [OPERATOR] || ["/v1/projections", "/v1/audit"].contains(&route) {
            assert!([200, 202].contains(&answer.status), "{answer:#?}");
            assert!(!answer.text.contains(&ground.practice.tenant), "{answer:#?}");
        } else {
            answer.is_refused(403, "not-a-tenants-key");
        }
    }
    let database = &Server::shared().database;
    let listed = database.run(&["operator-key", "list"]).succeeded();
    let id = listed.lines().next_back().unwrap().split(' ').next().unwrap();
    database.run(&["operator-key", "revoke", id]).succeeded();
    eventually("it is none any more", || {
        (operator.get("/v1/programs").send().status == 401).then_some(())
    });
}

#[test]
fn a_key_of_one_tenant_cannot_book_what_is_anothers() {
    let (ours, theirs) = (a_practice(), a_practice());
    let booking = || ours.booking(monday(10, 0));
    let refused = [
        ("service_id", json!(theirs.service), "unknown-service"),
        ("resource_ids", json!([theirs.room]), "unknown-resource"),
        ("client_id", json!(theirs.client), "unknown-client"),
    ];
    for (member, id, slug) in refused {
        booking().with(member, id).send().is_refused(422, slug);
    }
    booking().send().is(201);
}
