//! Who may do what: every route, the scope that it requires, and that it requires it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::{Answer, Api, Practice, Server, a_practice, date, monday, utc};

/// Every route and the smallest scope that it takes; none for those that are open to everybody.
const ROUTES: &[(&str, &str, Option<&str>)] = &[
    ("GET", "/livez", None),
    ("GET", "/readyz", None),
    ("GET", "/openapi.json", None),
    ("GET", "/asyncapi.json", None),
    ("GET", "/v1/programs", Some("admin")),
    ("GET", "/v1/projections", Some("read")),
    ("POST", "/v1/projections/{name}/rebuild", Some("admin")),
    ("GET", "/v1/services", Some("read")),
    ("POST", "/v1/services", Some("manage")),
    ("GET", "/v1/services/{id}", Some("read")),
    ("PATCH", "/v1/services/{id}", Some("manage")),
    ("POST", "/v1/services/{id}/retire", Some("manage")),
    ("GET", "/v1/resources", Some("read")),
    ("POST", "/v1/resources", Some("manage")),
    ("GET", "/v1/resources/{id}", Some("read")),
    ("PATCH", "/v1/resources/{id}", Some("manage")),
    ("POST", "/v1/resources/{id}/exceptions", Some("manage")),
    ("GET", "/v1/resources/{id}/exceptions/{exception_id}", Some("read")),
    ("DELETE", "/v1/resources/{id}/exceptions/{exception_id}", Some("manage")),
    ("PUT", "/v1/resources/{id}/holidays", Some("manage")),
    ("GET", "/v1/resources/{id}/opening-hours", Some("read")),
    ("POST", "/v1/resources/{id}/retire", Some("manage")),
    ("GET", "/v1/clients", Some("read")),
    ("POST", "/v1/clients", Some("book")),
    ("GET", "/v1/clients/{id}", Some("read")),
    ("PATCH", "/v1/clients/{id}", Some("book")),
    ("GET", "/v1/clients/{id}/history", Some("read")),
    ("GET", "/v1/appointments", Some("read")),
    ("POST", "/v1/appointments", Some("book")),
    ("POST", "/v1/appointments:batch", Some("book")),
    ("GET", "/v1/appointments/{id}", Some("read")),
    ("GET", "/v1/appointments/{id}/events", Some("read")),
    ("GET", "/v1/appointments/{id}/diff", Some("read")),
    ("POST", "/v1/appointments/{id}/reschedule", Some("book")),
    ("POST", "/v1/appointments/{id}/cancel", Some("book")),
    ("POST", "/v1/appointments/{id}/check-in", Some("book")),
    ("POST", "/v1/appointments/{id}/complete", Some("book")),
    ("POST", "/v1/appointments/{id}/no-show", Some("book")),
    ("PATCH", "/v1/appointments/{id}", Some("book")),
    ("POST", "/v1/appointments/{id}/accept-conflict", Some("manage")),
    ("POST", "/v1/appointments/{id}/reassign", Some("book")),
    ("GET", "/v1/agenda", Some("read")),
    ("GET", "/v1/agenda/diff", Some("read")),
    ("GET", "/v1/conflicts", Some("read")),
    ("GET", "/v1/utilisation", Some("read")),
    ("GET", "/v1/availability", Some("read")),
    ("POST", "/v1/availability/search", Some("read")),
    ("GET", "/v1/events", Some("read")),
    ("GET", "/v1/events/stream", Some("read")),
    ("GET", "/v1/events/export", Some("read")),
    ("POST", "/v1/series", Some("book")),
    ("GET", "/v1/series/{id}", Some("read")),
    ("POST", "/v1/series/{id}/reschedule", Some("book")),
    ("POST", "/v1/series/{id}/cancel", Some("book")),
    ("POST", "/v1/sessions", Some("manage")),
    ("GET", "/v1/sessions", Some("read")),
    ("GET", "/v1/sessions/{id}", Some("read")),
    ("GET", "/v1/sessions/{id}/appointments", Some("read")),
    ("POST", "/v1/sessions/{id}/appointments", Some("book")),
    ("POST", "/v1/sessions/{id}/holds", Some("book")),
    ("POST", "/v1/sessions/{id}/reschedule", Some("manage")),
    ("POST", "/v1/sessions/{id}/cancel", Some("manage")),
    ("POST", "/v1/holds", Some("book")),
    ("POST", "/v1/holds/{id}/confirm", Some("book")),
    ("DELETE", "/v1/holds/{id}", Some("book")),
    ("POST", "/v1/waiting-list", Some("book")),
    ("GET", "/v1/waiting-list", Some("read")),
    ("GET", "/v1/waiting-list/{id}", Some("read")),
    ("DELETE", "/v1/waiting-list/{id}", Some("book")),
    ("POST", "/v1/imports", Some("manage")),
    ("GET", "/v1/imports/{id}", Some("read")),
    ("GET", "/v1/tenant/settings", Some("read")),
    ("PUT", "/v1/tenant/settings", Some("admin")),
];

/// From the smallest to the largest.
const SCOPES: [&str; 4] = ["read", "book", "manage", "admin"];

/// Routes that the document may leave out, because they are about itself.
const MAY_BE_UNDOCUMENTED: [&str; 2] = ["/openapi.json", "/asyncapi.json"];

/// A practice with something for each route to be about.
struct Ground {
    practice: Practice,
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
}

fn a_ground() -> Ground {
    let practice = a_practice();
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
    Ground { practice, held, booked, exception, series, session, class, entry, import }
}

impl Ground {
    /// Calls a route as it is meant to be called.
    fn call(&self, api: &Api, method: &str, route: &str) -> Answer {
        let practice = &self.practice;
        let id = match route.split('/').nth(2) {
            Some("services") => &practice.service,
            Some("resources") => &practice.room,
            Some("clients") => &practice.client,
            Some("series") => &self.series,
            Some("sessions") => &self.session,
            Some("holds") if method == "DELETE" => &self.held[0],
            Some("holds") => &self.held[1],
            Some("waiting-list") => &self.entry,
            Some("imports") => &self.import,
            _ => &self.booked,
        };
        let path = route.replace("{id}", id).replace("{exception_id}", &self.exception);
        let path = path.replace("{name}", "sessions");
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

fn guarded() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    ROUTES.iter().filter_map(|(method, route, scope)| Some((*method, *route, (*scope)?)))
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
        if scope.is_none() {
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
        for (method, route, _) in guarded() {
            let answer = ground.call(&stranger, method, route);
            answer.is_refused(401, "invalid-key");
            let challenge = answer.header("www-authenticate").unwrap_or_default();
            assert!(challenge.starts_with("Bearer"), "{answer:#?}");
        }
    }
    let other_scheme = ground.practice.api.with_key(None).get("/v1/services");
    other_scheme.header("authorization", "Basic YTpi").send().is_refused(401, "missing-key");
}

#[test]
fn every_route_takes_its_scope_and_every_larger_one_and_refuses_the_smaller() {
    let tenants: Vec<(usize, &str, Ground)> =
        SCOPES.iter().enumerate().map(|(rank, scope)| (rank, *scope, a_ground())).collect();
    for (rank, scope, ground) in &tenants {
        let practice = &ground.practice;
        let key = Server::shared().database.key(&practice.tenant, scope);
        let holder = practice.api.with_key(Some(&key));
        for (method, route, needed) in guarded() {
            let needed = SCOPES.iter().position(|scope| *scope == needed).unwrap();
            let answer = ground.call(&holder, method, route);
            if *rank < needed {
                answer.is_refused(403, "insufficient-scope");
            } else {
                // What earlier calls did may cause a conflict; the key does not.
                assert!(![401, 403, 404].contains(&answer.status), "{scope}: {answer:#?}");
            }
        }
    }
}

#[test]
fn with_another_tenants_key_nothing_is_there() {
    let ground = a_ground();
    let position = ground.practice.booking(monday(11, 0)).send().position();
    let stranger = Server::shared().database.key(&crate::harness::a_tenant(), "admin");
    let stranger = ground.practice.api.with_key(Some(&stranger));
    for (method, route, _) in guarded() {
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
            // Projections and programs are of all tenants.
            (_, "/v1/projections" | "/v1/projections/{name}/rebuild" | "/v1/programs") => {
                assert!(answer.status < 300, "{answer:#?}");
                assert!(!answer.text.contains(&ground.practice.tenant), "{answer:#?}");
            }
            // Their own.
            (_, "/v1/tenant/settings") => answer.has_status(200),
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
    let unchanged: Vec<_> = [&held, &held, &booked, &booked, &booked]
        .into_iter()
        .map(|status| (status, &first))
        .collect();
    assert_eq!(found, unchanged);
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
