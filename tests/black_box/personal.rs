//! What is personal is told to keys with the scope `personal`, through every door, and to no others.

use serde_json::{Value, json};

use crate::harness::{Api, Practice, Server, a_practice, date, id_of, monday, utc};

const NOTE: &str = "marked-as-a-note";
const REASON: &str = "marked-as-a-reason";

fn with_scopes(practice: &Practice, scopes: &str) -> Api {
    let key = Server::shared().database.key_with(&practice.tenant, &["--scopes", scopes]);
    practice.api.with_key(Some(&key))
}

/// A practice with all that is personal in it, and what of it can be read where.
fn a_marked_practice() -> (Practice, Vec<String>) {
    let practice = a_practice();
    let noted = practice.booking(monday(9, 0)).with("note", NOTE).send().is(201);
    let noted = id_of(&noted);
    let cancelled = id_of(&practice.booked(monday(10, 0)));
    let why = json!({"reason": REASON});
    practice.api.post(&format!("/v1/appointments/{cancelled}/cancel"), &why).send().is(200);
    let mut overridden = practice.booking(monday(11, 0)).body;
    overridden["override"] = json!({"reason": REASON});
    let overridden = practice.created("/v1/appointments", &overridden);
    let mut series = practice.booking(monday(14, 0)).without("start_at").with("note", NOTE).body;
    series["dtstart"] = json!(format!("{}T14:00", date(0)));
    series["time_zone"] = json!("UTC");
    series["rrule"] = json!("FREQ=DAILY;COUNT=2");
    let series = practice.created("/v1/series", &series);
    let class = practice.a_service(&json!({"session_places": 5}));
    let session = practice.created(
        "/v1/sessions",
        &json!({"service_id": class, "resource_ids": [practice.room],
                "start_at": utc(monday(16, 0))}),
    );
    let place = json!({"client_id": practice.client, "note": NOTE});
    practice.created(&format!("/v1/sessions/{session}/appointments"), &place);
    let cancelled_session = practice.created(
        "/v1/sessions",
        &json!({"service_id": class, "resource_ids": [practice.room],
                "start_at": utc(monday(18, 0)), "override": {"reason": REASON}}),
    );
    let path = format!("/v1/sessions/{cancelled_session}");
    practice.api.post(&format!("{path}/cancel"), &why).send().is(200);
    // Whoever has a place of a session for which rules were overridden is told so, too.
    let special = practice.created(
        "/v1/sessions",
        &json!({"service_id": class, "resource_ids": [practice.room],
                "start_at": utc(monday(20, 0)), "override": {"reason": REASON}}),
    );
    let place = json!({"client_id": practice.client});
    let places = format!("/v1/sessions/{special}/appointments");
    practice.created(&places, &place);
    let exceptions = format!("/v1/resources/{}/exceptions", practice.room);
    let off = json!({"kind": "time-off", "reason": REASON,
                     "days": {"first": "2020-07-01", "last": "2020-07-01"}});
    let exception = practice.created(&exceptions, &off);
    let room = &practice.room;
    let paths = vec![
        format!("/v1/appointments/{noted}"),
        format!("/v1/appointments/{noted}/events"),
        format!("/v1/appointments/{noted}/diff?from=2020-01-01"),
        format!("/v1/appointments/{cancelled}"),
        format!("/v1/appointments/{cancelled}/events"),
        format!("/v1/appointments/{overridden}"),
        path,
        places,
        "/v1/sessions".to_owned(),
        format!("/v1/series/{series}"),
        format!("/v1/sessions/{session}/appointments"),
        format!("/v1/resources/{room}"),
        format!("{exceptions}/{exception}"),
        format!("/v1/clients/{}/history", practice.client),
        "/v1/appointments".to_owned(),
        format!("/v1/agenda?resource_id={room}&date={}", date(0)),
    ];
    (practice, paths)
}

#[test]
fn whoever_is_not_told_what_is_personal_sees_no_note_and_no_reason_anywhere() {
    let (practice, paths) = a_marked_practice();
    let told = with_scopes(&practice, "availability,appointments,personal,book");
    let not_told = with_scopes(&practice, "availability,appointments,book");
    let marks = |text: &str| text.contains(NOTE) || text.contains(REASON);
    let mut seen = 0;
    for path in &paths {
        let (all, less) = (told.get(path).send(), not_told.get(path).send());
        all.has_status(200);
        less.has_status(200);
        seen += usize::from(marks(&all.text));
        assert!(!marks(&less.text), "{path}: {less:#?}");
    }
    assert!(seen >= 13, "only {seen} of them have something to withhold");
}

#[test]
fn whoever_is_not_told_what_is_personal_is_not_told_by_an_answer_to_a_command_either() {
    let (practice, paths) = a_marked_practice();
    let not_told = with_scopes(&practice, "book,manage");
    let changed = not_told.patch(&paths[0], &json!({"tags": ["seen"]})).send();
    assert_eq!(changed.is(200)["tags"], json!(["seen"]));
    assert!(!changed.text.contains(NOTE), "{changed:#?}");
    let booking = practice.booking(monday(12, 0)).with("note", NOTE);
    let batch = json!({"items": [booking.body]});
    let booked = not_told.post("/v1/appointments:batch", &batch).send();
    assert_eq!(booked.is(200)["items"][0]["status"], 201);
    assert!(!booked.text.contains(NOTE), "{booked:#?}");
    let room = format!("/v1/resources/{}", practice.room);
    let renamed = not_told.patch(&room, &json!({"name": "Another"})).send();
    assert_eq!(renamed.is(200)["name"], "Another");
    assert!(!renamed.text.contains(REASON), "{renamed:#?}");
}

#[test]
fn who_a_client_is_is_told_with_an_appointment_only_to_whoever_is_told_that() {
    let (practice, paths) = a_marked_practice();
    let told = with_scopes(&practice, "availability,appointments,personal");
    let not_told = with_scopes(&practice, "availability,appointments");
    let agenda = format!("/v1/agenda?resource_id={}&date={}", practice.room, date(0));
    for path in [&paths[0], "/v1/appointments", "/v1/sessions", &agenda] {
        let joint = if path.contains('?') { '&' } else { '?' };
        let with_client = format!("{path}{joint}expand=client");
        told.get(&with_client).send().has_status(200);
        let problem = not_told.get(&with_client).send().is_refused(403, "insufficient-scope");
        assert_eq!(problem["required_scope"], "personal");
        not_told.get(&format!("{path}{joint}expand=service")).send().has_status(200);
    }
}

/// What a cache has of one answer must not be taken for the other.
#[test]
fn an_answer_without_what_is_personal_has_a_tag_of_its_own() {
    let (practice, paths) = a_marked_practice();
    let told = with_scopes(&practice, "availability,appointments,personal");
    let not_told = with_scopes(&practice, "availability,appointments");
    for path in paths.iter().filter(|path| !path.contains('?')) {
        let tag = |api: &Api| -> Option<(Value, String)> {
            let answer = api.get(path).send();
            let tag = answer.header("etag")?.to_owned();
            Some((answer.json(), tag))
        };
        if let (Some((all, of_all)), Some((less, of_less))) = (tag(&told), tag(&not_told)) {
            assert!(all == less || of_all != of_less, "{path}");
        }
    }
}
