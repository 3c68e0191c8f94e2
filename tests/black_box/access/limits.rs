//! Keys that are limited to some of a tenant: what lies elsewhere is to them as if it were not there.

use serde_json::json;

use super::{ANY_KEY, Ground, OPERATOR, a_ground, guarded};
use crate::harness::{Answer, Api, Practice, Server, a_practice, date, id_of, monday, utc};

/// Routes that keep to what a key is limited to. All others refuse it: so does a new one, until it stands here.
const KEEPS_TO_LIMITS: [(&str, &str); 53] = [
    ("POST", "/v1/appointments/{id}/links"),
    ("GET", "/v1/appointments/{id}/links"),
    ("POST", "/v1/appointments/{id}/links/{link_id}/revoke"),
    ("GET", "/v1/availability"),
    ("POST", "/v1/availability/search"),
    ("GET", "/v1/services"),
    ("GET", "/v1/services/{id}"),
    ("GET", "/v1/resources"),
    ("GET", "/v1/resources/{id}"),
    ("GET", "/v1/resources/{id}/exceptions/{exception_id}"),
    ("GET", "/v1/resources/{id}/opening-hours"),
    ("POST", "/v1/clients"),
    ("GET", "/v1/clients/{id}"),
    ("GET", "/v1/appointments"),
    ("POST", "/v1/appointments"),
    ("GET", "/v1/appointments/{id}"),
    ("PATCH", "/v1/appointments/{id}"),
    ("POST", "/v1/appointments/{id}/reschedule"),
    ("POST", "/v1/appointments/{id}/cancel"),
    ("POST", "/v1/appointments/{id}/check-in"),
    ("POST", "/v1/appointments/{id}/complete"),
    ("POST", "/v1/appointments/{id}/no-show"),
    ("POST", "/v1/appointments/{id}/reassign"),
    ("GET", "/v1/agenda"),
    ("GET", "/v1/agenda/diff"),
    ("GET", "/v1/appointments/{id}/events"),
    ("GET", "/v1/appointments/{id}/diff"),
    ("POST", "/v1/appointments:batch"),
    ("GET", "/v1/clients/{id}/history"),
    ("GET", "/v1/conflicts"),
    ("GET", "/v1/utilisation"),
    ("GET", "/v1/events"),
    ("GET", "/v1/events/stream"),
    ("GET", "/v1/events/export"),
    ("POST", "/v1/series"),
    ("GET", "/v1/series/{id}"),
    ("POST", "/v1/series/{id}/reschedule"),
    ("POST", "/v1/series/{id}/cancel"),
    ("GET", "/v1/sessions"),
    ("GET", "/v1/sessions/{id}"),
    ("GET", "/v1/sessions/{id}/appointments"),
    ("POST", "/v1/sessions/{id}/appointments"),
    ("POST", "/v1/sessions/{id}/holds"),
    ("POST", "/v1/waiting-list"),
    ("GET", "/v1/waiting-list"),
    ("GET", "/v1/waiting-list/{id}"),
    ("DELETE", "/v1/waiting-list/{id}"),
    ("POST", "/v1/holds"),
    ("GET", "/v1/calendar-feeds"),
    ("POST", "/v1/calendar-feeds"),
    ("GET", "/v1/calendar-feeds/{id}"),
    ("POST", "/v1/calendar-feeds/{id}/rotate"),
    ("DELETE", "/v1/calendar-feeds/{id}"),
];

/// The same of holds, by their ids.
const OF_HOLDS: [(&str, &str); 2] =
    [("POST", "/v1/holds/{id}/confirm"), ("DELETE", "/v1/holds/{id}")];

pub(super) const MARK: &str = "Zimtstern";

fn keeps_to_limits(method: &str, route: &str) -> bool {
    KEEPS_TO_LIMITS.iter().chain(&OF_HOLDS).any(|it| *it == (method, route))
}

/// Whoever has this key, which has all scopes and is limited by these options.
pub(super) fn limited(practice: &Practice, options: &[&str]) -> Api {
    let all = ["--scope", "admin"];
    let key = Server::shared().database.key_with(&practice.tenant, &[&all[..], options].concat());
    practice.api.with_key(Some(&key))
}

#[test]
fn every_route_keeps_to_what_a_key_is_limited_to_or_refuses_it() {
    let ground = a_ground();
    let practice = &ground.practice;
    let last = practice.booking(monday(3, 0)).send().position();
    practice.found(&format!("min_position={last}"));
    let entry = practice.api.get(&format!("/v1/waiting-list/{}", ground.entry)).send().is(200);
    let awaited = entry["resource_ids"][0].as_str().unwrap();
    let here = limited(practice, &["--resource", &practice.room, "--resource", awaited]);
    let elsewhere = limited(practice, &["--location", "Nowhere"]);
    for &(method, route, needed) in guarded() {
        if needed == [OPERATOR] {
            ground.call(&here, method, route).is_refused(403, "not-an-operators-key");
        } else if needed == [ANY_KEY] {
            // Of the key's own; another's is not there.
            let answer = ground.call(&here, method, route);
            assert!([200, 201, 404].contains(&answer.status), "{method} {route}: {answer:#?}");
        } else if keeps_to_limits(method, route) {
            is_not_there(&ground, &elsewhere, method, route);
            let answer = ground.call(&here, method, route);
            assert!(![401, 403, 404].contains(&answer.status), "{method} {route}: {answer:#?}");
        } else {
            for api in [&here, &elsewhere] {
                let problem = ground.call(api, method, route).is_refused(403, "limited-key");
                assert!(
                    problem["detail"].as_str().unwrap().contains("without limits"),
                    "{problem}"
                );
            }
        }
    }
}

/// Somebody who is limited to a location at which nothing is.
fn is_not_there(ground: &Ground, elsewhere: &Api, method: &str, route: &str) {
    let answer = ground.call(elsewhere, method, route);
    match (method, route) {
        // Of no location: services that take place nowhere, resources, and clients who are new.
        ("GET", "/v1/services" | "/v1/services/{id}") => answer.has_status(200),
        ("GET", route) if route.starts_with("/v1/resources") => answer.has_status(200),
        (_, "/v1/availability") => answer.has_status(200),
        (_, "/v1/availability/search") => {
            answer.is_refused(400, "invalid-query");
        }
        // A calendar of what is there: of nothing.
        ("POST", "/v1/clients" | "/v1/calendar-feeds") => answer.has_status(201),
        ("GET", route) if route.starts_with("/v1/events") => answer.has_status(200),
        ("GET", "/v1/sessions" | "/v1/sessions/{id}") => answer.has_status(200),
        (
            "GET",
            "/v1/appointments"
            | "/v1/calendar-feeds"
            | "/v1/conflicts"
            | "/v1/waiting-list"
            | "/v1/sessions/{id}/appointments",
        ) => assert_eq!(answer.is(200)["items"], json!([])),
        ("GET", "/v1/agenda" | "/v1/agenda/diff" | "/v1/utilisation") => {
            answer.is_refused(403, "limited-key");
        }
        (
            "POST",
            "/v1/appointments"
            | "/v1/appointments:batch"
            | "/v1/holds"
            | "/v1/series"
            | "/v1/waiting-list"
            | "/v1/sessions/{id}/appointments"
            | "/v1/sessions/{id}/holds",
        ) => {
            answer.is_refused(422, "unknown-client");
        }
        _ => {
            answer.is_refused(404, "not-found");
        }
    }
}

/// Two locations; all that is of the other one is marked, and who has the key of the first has all scopes.
struct Two {
    practice: Practice,
    north: Api,
    /// An appointment of each.
    here: String,
    there: String,
    service: String,
    client: String,
}

fn two_locations() -> Two {
    let practice = a_practice();
    let service =
        practice.a_service(&json!({"name": format!("{MARK} service"), "location": "South"}));
    let client = practice.a_client(&format!("{MARK} client"));
    let here = practice.booking(monday(9, 0)).with("location", "North").send().is(201);
    let there = practice
        .booking(monday(10, 0))
        .with("service_id", &*service)
        .with("client_id", &*client)
        .with("title", format!("{MARK} title"))
        .with("category", format!("{MARK} category"))
        .with("tags", json!([format!("{MARK} tag")]))
        .with("note", format!("{MARK} note"))
        .with("reference", format!("{MARK}-1"))
        .with("metadata", json!({"k": format!("{MARK} value")}))
        .send();
    practice.found(&format!("min_position={}", there.position()));
    let there = there.is(201);
    let north = limited(&practice, &["--location", "North"]);
    Two { north, here: id_of(&here), there: id_of(&there), service, client, practice }
}

/// Asked by a key without limits there is something to be found; by one that is limited there is not.
#[track_caller]
fn finds_marks_only_without_limits(two: &Two, path: &str) {
    let found = two.practice.api.get(path).send();
    assert!(found.status == 200 && found.text.contains(MARK), "{path}: {found:#?}");
    let answer = two.north.get(path).send();
    assert!(!answer.text.contains(MARK), "{path}: {answer:#?}");
}

#[test]
fn nothing_that_lies_elsewhere_is_in_any_answer() {
    let two = two_locations();
    let position = two.practice.booking(monday(11, 0)).send().position();
    let (there, service, client) = (&two.there, &two.service, &two.client);
    let lists = [
        "limit=50".to_owned(),
        format!("as_of=position:{position}"),
        "sort=updated_at".to_owned(),
        "sort=-start_at".to_owned(),
        "expand=client&expand=service&expand=resources".to_owned(),
        format!("ids={there}"),
        format!("client_id={client}"),
        format!("service_id={service}"),
        format!("resource_id={}", two.practice.room),
        format!("q={MARK}"),
        format!("category={MARK}%20category"),
        format!("tags={MARK}%20tag"),
        format!("reference={MARK}-1"),
        format!("metadata%5Bk%5D={MARK}%20value"),
        "status=booked".to_owned(),
    ];
    for list in lists {
        let fresh = if list.contains("as_of") { "" } else { &*format!("&min_position={position}") };
        finds_marks_only_without_limits(&two, &format!("/v1/appointments?{list}{fresh}"));
    }
    two.practice.api.get(&format!("/v1/services?min_position={position}")).send().has_status(200);
    for path in [
        format!("/v1/appointments/{there}"),
        format!("/v1/appointments/{there}?as_of=position:{position}"),
        format!("/v1/appointments/{there}/events"),
        format!("/v1/clients/{client}"),
        "/v1/services".to_owned(),
        format!("/v1/services/{service}"),
        "/v1/clients".to_owned(),
        "/v1/events?personal=told".to_owned(),
        "/v1/events/export?personal=told".to_owned(),
        format!("/v1/agenda?resource_id={}&date={}", two.practice.room, date(0)),
        format!("/v1/clients/{client}/history?min_position={position}"),
    ] {
        finds_marks_only_without_limits(&two, &path);
    }
    let ours = two.north.found(&format!("min_position={position}"));
    assert_eq!(ours.iter().map(id_of).collect::<Vec<_>>(), [&*two.here]);
}

/// An id of nothing.
const NOBODY: &str = "0192f0c1-2d2f-7c51-9f0a-6a2f1f7d3b11";

/// With its id taken out, an answer about what is hidden is that about what never was.
#[track_caller]
pub(super) fn same_as_nobody(call: &dyn Fn(&str) -> Answer, hidden: &str) {
    let (hidden_answer, none) = (call(hidden), call(NOBODY));
    let without = |answer: &Answer, id: &str| answer.text.replace(id, "ID");
    assert!(hidden_answer.status >= 400, "{hidden_answer:#?}");
    assert_eq!(hidden_answer.status, none.status, "{hidden_answer:#?}");
    assert_eq!(without(&hidden_answer, hidden), without(&none, NOBODY));
}

#[test]
fn what_lies_elsewhere_is_answered_for_as_if_it_were_not_there() {
    let two = two_locations();
    let nobody = NOBODY;
    let same = same_as_nobody;
    let north = &two.north;
    let to = json!({"start_at": utc(monday(15, 0))});
    let bodies = [
        ("reschedule", to.clone()),
        ("cancel", json!({})),
        ("check-in", json!({})),
        ("complete", json!({})),
        ("no-show", json!({})),
        ("reassign", json!({"from_resource_id": nobody, "to_resource_id": nobody})),
    ];
    for (action, body) in &bodies {
        for query in ["", "?dry_run=true"] {
            let path = |id: &str| format!("/v1/appointments/{id}/{action}{query}");
            same(&|id| north.post(&path(id), body).send(), &two.there);
            same(&|id| north.post(&path(id), body).header("if-match", "\"7\"").send(), &two.there);
        }
    }
    same(
        &|id| north.patch(&format!("/v1/appointments/{id}"), &json!({"tags": ["t"]})).send(),
        &two.there,
    );
    same(&|id| north.post(&format!("/v1/holds/{id}/confirm"), &json!({})).send(), &two.there);
    same(&|id| north.request("DELETE", &format!("/v1/holds/{id}")).send(), &two.there);
    let booking = || two.practice.booking(monday(16, 0)).with("location", "North");
    same(&|id| booking().with("client_id", id).request_of(north).send(), &two.client);
    same(&|id| booking().with("service_id", id).request_of(north).send(), &two.service);
    let unchanged = two.practice.appointment(&two.there);
    assert_eq!((&unchanged["version"], &unchanged["status"]), (&json!(1), &json!("booked")));
}

#[test]
fn nothing_is_made_or_moved_to_where_its_maker_does_not_see_it() {
    let two = two_locations();
    let north = &two.north;
    let booking = |location: &str| two.practice.booking(monday(12, 0)).with("location", location);
    for booking in [booking("South"), booking("north"), booking("North").without("location")] {
        for path in ["/v1/appointments", "/v1/holds", "/v1/appointments?dry_run=true"] {
            north.post(path, &booking.body).send().is_refused(403, "outside-limits");
        }
    }
    let path = format!("/v1/appointments/{}", two.here);
    north.patch(&path, &json!({"location": "South"})).send().is_refused(403, "outside-limits");
    north.patch(&path, &json!({"location": null})).send().is_refused(403, "outside-limits");
    assert_eq!(two.practice.appointment(&two.here)["version"], 1);
    // Within its limits it does all that any other key does.
    north.patch(&path, &json!({"tags": ["seen"]})).send().has_status(200);
    let ours = booking("North").request_of(north).send().is(201);
    two.practice.appointment(&id_of(&ours));
    north
        .post(&format!("{path}/reschedule"), &json!({"start_at": utc(monday(13, 0))}))
        .send()
        .has_status(200);
    north.post(&format!("{path}/cancel"), &json!({})).send().has_status(200);
}

#[test]
fn whoever_is_limited_is_not_told_what_is_in_the_way() {
    let two = two_locations();
    let booking = two.practice.booking(monday(10, 15)).with("location", "North");
    let told = booking.send().is_refused(409, "slot-taken");
    assert_eq!(told["start_at"], utc(monday(10, 0)), "a key without limits is: {told}");
    let answer = booking.request_of(&two.north).send();
    let problem = answer.is_refused(409, "slot-taken");
    assert_eq!((problem.get("start_at"), problem.get("end_at")), (None, None), "{problem}");
    assert!(!answer.text.contains("T10:00"), "{problem}");
    let booking = two.practice.booking(monday(17, 0)).with("location", "North");
    let booking = booking.with("reference", format!("{MARK}-1"));
    assert_eq!(booking.send().is_refused(409, "reference-taken")["id"], *two.there);
    let answer = booking.request_of(&two.north).send();
    assert_eq!(answer.is_refused(409, "reference-taken").get("id"), None, "{answer:#?}");
}

#[test]
fn neither_a_cursor_nor_an_idempotency_key_of_another_shows_what_lies_elsewhere() {
    let two = two_locations();
    let position = two.practice.booking(monday(11, 0)).send().position();
    let path = format!("/v1/appointments?limit=1&min_position={position}");
    let first = two.practice.api.get(&path).send().is(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    two.practice.api.get(&format!("{path}&cursor={cursor}")).send().has_status(200);
    two.north.get(&format!("{path}&cursor={cursor}")).send().is_refused(400, "invalid-cursor");
    let booking = two.practice.booking(monday(18, 0)).with("title", MARK).idempotency_key("k-1");
    booking.send().is(201);
    let answer = booking.request_of(&two.north).send();
    assert!(answer.status >= 400 && !answer.text.contains(MARK), "{answer:#?}");
}

#[test]
fn a_practitioner_sees_and_changes_what_has_them_and_books_nobody_else() {
    let practice = a_practice();
    let other = practice.a_resource(&json!({"name": MARK}));
    let theirs = practice.booking(monday(9, 0)).with("resource_ids", json!([other])).send().is(201);
    let both = json!([practice.room, other]);
    let both = practice.booking(monday(10, 0)).with("resource_ids", both).send();
    let position = both.position();
    let both = both.is(201);
    let key = ["--role", "practitioner", "--resource", &practice.room];
    let key = Server::shared().database.key_with(&practice.tenant, &key);
    let own = practice.api.with_key(Some(&key));
    let found = own.found(&format!("min_position={position}"));
    assert_eq!(found.iter().map(id_of).collect::<Vec<_>>(), [id_of(&both)]);
    own.get(&format!("/v1/appointments/{}", id_of(&theirs))).send().is_refused(404, "not-found");
    let resources = own.get(&format!("/v1/resources?min_position={position}")).send();
    assert_eq!(resources.is(200)["items"].as_array().unwrap().len(), 1, "{resources:#?}");
    let named = own.get(&format!("/v1/resources?ids={other}&min_position={position}")).send();
    assert_eq!(named.is(200)["items"], json!([]));
    own.get(&format!("/v1/resources/{other}")).send().is_refused(404, "not-found");
    let day = monday(0, 0).format("%Y-%m-%d");
    let agenda = |room: &str| {
        own.get(&format!("/v1/agenda?resource_id={room}&date={day}&min_position={position}")).send()
    };
    assert_eq!(agenda(&practice.room).is(200)["items"].as_array().unwrap().len(), 1);
    agenda(&other).is_refused(404, "not-found");
    let booking =
        practice.booking(monday(12, 0)).with("resource_ids", json!([practice.room, other]));
    booking.request_of(&own).send().is_refused(422, "unknown-resource");
    practice.booking(monday(12, 0)).request_of(&own).send().is(201);
    let path = format!("/v1/appointments/{}/reschedule", id_of(&both));
    own.post(&path, &json!({"start_at": utc(monday(14, 0))})).send().has_status(200);
}

#[test]
fn a_client_sees_and_changes_their_own_appointments() {
    let practice = a_practice();
    let other = practice.a_client(MARK);
    practice.booking(monday(9, 0)).with("client_id", &*other).send().is(201);
    let key = ["--role", "client", "--client", &practice.client];
    let key = Server::shared().database.key_with(&practice.tenant, &key);
    let own = practice.api.with_key(Some(&key));
    practice
        .booking(monday(10, 0))
        .with("client_id", &*other)
        .request_of(&own)
        .send()
        .is_refused(422, "unknown-client");
    let booked = practice.booking(monday(10, 0)).request_of(&own).send();
    let path = format!("/v1/appointments/{}", id_of(&booked.json()));
    for action in ["check-in", "complete", "no-show"] {
        own.post(&format!("{path}/{action}"), &json!({})).send().is_refused(403, "not-for-clients");
    }
    own.patch(&path, &json!({"tags": ["t"]})).send().is_refused(403, "not-for-clients");
    let as_staff = json!({"by": "staff"});
    own.post(&format!("{path}/cancel"), &as_staff).send().is_refused(403, "not-for-clients");
    let moved = json!({"start_at": utc(monday(11, 0)), "by": "staff"});
    own.post(&format!("{path}/reschedule"), &moved).send().is_refused(403, "not-for-clients");
    let found = own.found(&format!("min_position={}", booked.position()));
    assert_eq!(found.iter().map(id_of).collect::<Vec<_>>(), [id_of(&booked.is(201))]);
    own.post("/v1/clients", &json!({"name": "Another"})).send().is_refused(403, "outside-limits");
    own.get("/v1/events").send().is_refused(403, "insufficient-scope");
}

#[test]
fn a_key_is_listed_with_its_limits_and_keeps_them_when_it_is_rotated() {
    let practice = a_practice();
    let limits = json!({"locations": ["North"], "resource_ids": [practice.room],
                        "categories": ["check-up"], "client_id": practice.client});
    let body = json!({"name": "North", "scopes": ["appointments", "keys"], "limits": limits});
    let made = practice.api.post("/v1/keys", &body).send().is(201);
    assert_eq!(made["limits"], limits);
    let path = format!("/v1/keys/{}", id_of(&made));
    assert_eq!(practice.api.get(&path).send().is(200)["limits"], limits);
    let rotated = practice.api.post(&format!("{path}/rotate"), &json!({})).send().is(201);
    assert_eq!(rotated["limits"], limits);
    let holder = practice.api.with_key(rotated["key"].as_str());
    holder.get("/v1/appointments").send().has_status(200);
    // So nobody gives more than they have.
    holder
        .post("/v1/keys", &json!({"name": "All", "scopes": ["appointments"]}))
        .send()
        .is_refused(403, "limited-key");
    let said =
        Server::shared().database.run(&["key", "list", "--tenant", &practice.tenant]).succeeded();
    assert!(said.contains("appointments,keys  only location North; resource"), "{said}");
}

#[test]
fn limits_that_are_none_are_refused() {
    let practice = a_practice();
    let many: Vec<String> = (0..101).map(|n| format!("L{n}")).collect();
    for limits in [
        json!({"locations": []}),
        json!({"locations": many}),
        json!({"resource_ids": ["x"]}),
        json!({"rooms": ["x"]}),
        json!({"categories": [""]}),
        json!([]),
    ] {
        let body = json!({"name": "K", "scopes": ["book"], "limits": limits});
        practice.api.post("/v1/keys", &body).send().is_refused(422, "invalid-body");
    }
    for role in ["front-desk", "practitioner", "client"] {
        let create = ["key", "create", "--tenant", &practice.tenant, "--role", role];
        let said = Server::shared().database.run(&create).failed();
        assert!(said.contains("say which"), "{said}");
    }
}
