//! `dry_run`, `GET /v1/conflicts`, and the ways to resolve a conflict.

use serde_json::{Value, json};

use crate::harness::{Answer, Practice, a_practice, at_once, date, monday, utc};

/// `dry_run` of a command on the practice's room.
fn tried(practice: &Practice, method: &str, path: &str, body: &Value) -> Value {
    request(practice, method, &format!("{path}?dry_run=true"), body).is(200)
}

fn request(practice: &Practice, method: &str, path: &str, body: &Value) -> Answer {
    let slash = if path.is_empty() || path.starts_with('?') { "" } else { "/" };
    let path = format!("/v1/resources/{}{slash}{path}", practice.room);
    practice.api.request(method, &path).json(body).send()
}

/// What is in conflict at the position of this answer.
fn listed(practice: &Practice, after: &Answer) -> Vec<Value> {
    conflicts(practice, &format!("min_position={}", after.position()))
}

fn conflicts(practice: &Practice, query: &str) -> Vec<Value> {
    let list = practice.api.get(&format!("/v1/conflicts?{query}")).send().is(200);
    list["items"].as_array().unwrap().clone()
}

fn ids(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["id"].as_str().unwrap()).collect()
}

fn closed() -> Value {
    json!({"weekly_hours": []})
}

/// Open every day from 8 to 12.
fn mornings() -> Value {
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    json!({"weekly_hours": [{"days": days, "from": "08:00", "to": "12:00"}]})
}

fn time_off() -> Value {
    let from = format!("{}T13:00", date(0));
    let to = format!("{}T15:00", date(0));
    json!({"kind": "time-off", "hours": {"from": from, "to": to}, "reason": "Training"})
}

#[test]
fn a_dry_run_lists_exactly_what_is_in_conflict_after_the_change() {
    let holidays = json!({"holidays": [{"date": date(0).to_string(), "name": "A holiday"}]});
    for (method, path, body, broken, reason) in [
        ("PATCH", "", mornings(), 2, "outside-opening-hours"),
        ("POST", "exceptions", time_off(), 1, "outside-opening-hours"),
        ("PUT", "holidays", holidays, 3, "outside-opening-hours"),
        ("POST", "retire", json!({}), 3, "resource-retired"),
    ] {
        let practice = a_practice();
        practice.booked(monday(9, 0));
        practice.booked(monday(14, 0));
        practice.booking(monday(18, 0)).held(60).send().is(201);
        let gone = practice.booked(monday(14, 30));
        practice.act(&gone, "cancel", &json!({})).is(200);

        let first = tried(&practice, method, path, &body);
        assert_eq!(
            (first["items"].as_array().unwrap().len(), &first["more"]),
            (broken, &json!(false))
        );
        assert_eq!(first["items"][0]["conflicts"][0]["reason"], reason, "{first}");
        // Nothing has been done.
        assert_eq!(conflicts(&practice, ""), [] as [Value; 0]);
        let room = format!("/v1/resources/{}", practice.room);
        assert_eq!(practice.api.get(&room).send().is(200)["version"], 1);

        let changed = request(&practice, method, path, &body);
        assert!([200, 201].contains(&changed.status), "{changed:#?}");
        assert_eq!(json!(listed(&practice, &changed)), first["items"], "{path}");
    }
}

#[test]
fn taking_a_change_back_resolves_what_it_broke_and_may_break_what_it_allowed() {
    let practice = a_practice();
    request(&practice, "PATCH", "", &closed()).is(200);
    let extra = json!({"kind": "extra-hours",
                       "days": {"first": date(0).to_string(), "last": date(0).to_string()}});
    let added = request(&practice, "POST", "exceptions", &extra).is(201);
    let appointment = practice.booked(monday(10, 0));

    let path = format!("exceptions/{}", added["id"].as_str().unwrap());
    let broken = tried(&practice, "DELETE", &path, &json!({}));
    assert_eq!(ids(broken["items"].as_array().unwrap()), [appointment["id"].as_str().unwrap()]);
    let removed = request(&practice, "DELETE", &path, &json!({}));
    assert_eq!(listed(&practice, &removed).len(), 1);
    // What is in conflict already is not broken by what comes on top.
    let off = tried(&practice, "POST", "exceptions", &time_off());
    assert_eq!(off["items"], json!([]));

    let back = request(&practice, "PATCH", "", &mornings());
    assert_eq!(listed(&practice, &back), [] as [Value; 0]);
}

#[test]
fn a_dry_run_is_refused_as_the_change_would_be_and_is_never_mistaken_for_it() {
    let practice = a_practice();
    let path = format!("/v1/resources/{}", practice.room);
    for query in ["dry_run=yes", "dry_run=", "dry_run", "dryrun=true"] {
        let answer = practice.api.patch(&format!("{path}?{query}"), &closed()).send();
        answer.is_refused(400, "invalid-query");
    }
    let stale = practice.api.patch(&format!("{path}?dry_run=true"), &closed());
    stale.header("if-match", "\"7\"").send().is_refused(412, "stale-version");
    let nowhere = "/v1/resources/01890000-0000-7000-8000-000000000000/retire?dry_run=true";
    practice.api.post(nowhere, &json!({})).send().is_refused(404, "not-found");
    // A key that a dry run was sent with is still free.
    let keyed = |query: &str| {
        let request = practice.api.patch(&format!("{path}{query}"), &closed());
        request.header("idempotency-key", "closing").send()
    };
    assert_eq!(keyed("?dry_run=true").is(200)["items"], json!([]));
    assert_eq!(keyed("?dry_run=false").is(200)["version"], 2);
    request(&practice, "POST", "retire", &json!({})).is(200);
    let again = request(&practice, "POST", "retire?dry_run=true", &json!({}));
    again.is_refused(409, "resource-retired");
}

#[test]
fn a_conflict_is_resolved_by_moving_cancelling_accepting_or_reassigning() {
    let practice = a_practice();
    let other = practice.a_room();
    let [moved, cancelled, accepted, reassigned, left] =
        [14, 15, 16, 17, 18].map(|hour| practice.booked(monday(hour, 0)));
    let changed = request(&practice, "PATCH", "", &mornings());
    assert_eq!(listed(&practice, &changed).len(), 5);

    let start = json!({"start_at": utc(monday(9, 0)), "by": "staff"});
    practice.act(&moved, "reschedule", &start).is(200);
    practice.act(&cancelled, "cancel", &json!({"by": "staff"})).is(200);
    let shown = practice.act(&accepted, "accept-conflict", &json!({"reason": "they know"})).is(200);
    let conflict = json!({"resource_id": practice.room, "reason": "outside-opening-hours"});
    let stands = json!({"reason": "they know", "conflicts": [conflict]});
    assert_eq!(shown["accepted_conflict"], stands);
    assert_eq!(practice.appointment(accepted["id"].as_str().unwrap())["accepted_conflict"], stands);
    let body =
        json!({"from_resource_id": practice.room, "to_resource_id": other, "reason": "closed"});
    let last = practice.act(&reassigned, "reassign", &body);
    let shown = last.is(200);
    assert_eq!(
        (&shown["resource_ids"], &shown["start_at"]),
        (&json!([other]), &reassigned["start_at"])
    );
    assert_eq!(ids(&listed(&practice, &last)), [left["id"].as_str().unwrap()]);

    // What was accepted is listed again when it is another conflict, or when it has been moved.
    let retired = request(&practice, "POST", "retire", &json!({}));
    assert_eq!(listed(&practice, &retired).len(), 3);
}

#[test]
fn an_acceptance_holds_until_the_appointment_is_moved() {
    let practice = a_practice();
    let appointment = practice.booked(monday(14, 0));
    request(&practice, "PATCH", "", &mornings()).is(200);
    practice.act(&appointment, "accept-conflict", &json!({"reason": "they know"})).is(200);
    let twice = practice.act(&appointment, "accept-conflict", &json!({"reason": "again"}));
    twice.is_refused(409, "no-conflict");
    let into =
        json!({"start_at": utc(monday(16, 0)), "by": "staff", "override": {"reason": "late"}});
    let moved = practice.act(&appointment, "reschedule", &into);
    assert!(moved.is(200).get("accepted_conflict").is_none());
    // Moved by an override of just that, it is in no conflict either.
    assert_eq!(listed(&practice, &moved), [] as [Value; 0]);
    practice
        .act(&appointment, "accept-conflict", &json!({"reason": 1}))
        .is_refused(422, "invalid-body");
}

#[test]
fn what_was_booked_by_an_override_of_just_that_is_in_no_conflict() {
    let practice = a_practice();
    request(&practice, "PATCH", "", &mornings()).is(200);
    let other = practice.a_room();
    let booking =
        practice.booking(monday(14, 0)).with("resource_ids", json!([practice.room, other]));
    let appointment = booking.with("override", json!({"reason": "urgent"})).send().is(201);
    assert_eq!(appointment["overridden"]["closed"], json!([practice.room]));
    let changed = request(&practice, "PATCH", "", &closed());
    assert_eq!(listed(&practice, &changed), [] as [Value; 0]);
    // The other room was open then, and nobody has overridden that it is not.
    let path = format!("/v1/resources/{other}");
    let changed = practice.api.patch(&path, &closed()).send();
    let found = listed(&practice, &changed);
    let conflict = json!({"resource_id": other, "reason": "outside-opening-hours"});
    assert_eq!(found[0]["conflicts"], json!([conflict]));
}

#[test]
fn an_appointment_is_reassigned_whole_or_not_at_all() {
    let practice = a_practice();
    let appointment = practice.booked(monday(10, 0));
    let reassign = |from: &str, to: &str| {
        practice.act(
            &appointment,
            "reassign",
            &json!({"from_resource_id": from, "to_resource_id": to}),
        )
    };
    let taken = practice.a_room();
    let booking = practice.booking(monday(10, 15)).with("resource_ids", json!([taken]));
    booking.send().is(201);
    reassign(&practice.room, &taken).is_refused(409, "slot-taken");
    let closed = practice.a_resource(&closed());
    reassign(&practice.room, &closed).is_refused(422, "outside-opening-hours");
    let retired = practice.a_room();
    practice.api.post(&format!("/v1/resources/{retired}/retire"), &json!({})).send().is(200);
    reassign(&practice.room, &retired).is_refused(422, "retired-resource");
    let free = practice.a_room();
    reassign(&free, &retired).is_refused(422, "resource-not-used");
    reassign(&practice.room, &practice.room).is_refused(422, "resource-used-already");
    reassign(&practice.room, "01890000-0000-7000-8000-000000000000")
        .is_refused(422, "unknown-resource");
    assert_eq!(practice.appointment(appointment["id"].as_str().unwrap()), appointment);
    // It still has the old one, and nobody else can.
    practice.booking(monday(10, 0)).send().is_refused(409, "slot-taken");

    let path = format!("/v1/appointments/{}/reassign", appointment["id"].as_str().unwrap());
    let body = json!({"from_resource_id": practice.room, "to_resource_id": free});
    let stale = practice.api.post(&path, &body).header("if-match", "\"9\"").send();
    stale.is_refused(412, "stale-version");
    let keyed = || practice.api.post(&path, &body).header("idempotency-key", "swap").send();
    assert_eq!(keyed().is(200)["version"], 2);
    assert_eq!(keyed().is(200)["version"], 2);
    practice.booking(monday(10, 0)).send().is(201);
    let now_taken = practice.booking(monday(10, 0)).with("resource_ids", json!([free]));
    now_taken.send().is_refused(409, "slot-taken");
}

#[test]
fn of_many_that_are_reassigned_to_one_room_one_gets_it() {
    let practice = a_practice();
    let free = practice.a_room();
    let appointments: Vec<(String, Value)> = (0..8)
        .map(|_| {
            let room = practice.a_room();
            let booking = practice.booking(monday(10, 0)).with("resource_ids", json!([room]));
            let appointment = booking.send().is(201);
            (room, appointment)
        })
        .collect();
    let answers = at_once(appointments.len(), |n| {
        let (room, appointment) = &appointments[n];
        practice.act(
            appointment,
            "reassign",
            &json!({"from_resource_id": room, "to_resource_id": free}),
        )
    });
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    for (answer, (room, appointment)) in answers.iter().zip(&appointments) {
        if answer.status != 200 {
            answer.is_refused(409, "slot-taken");
            let still = practice.appointment(appointment["id"].as_str().unwrap());
            assert_eq!(still["resource_ids"], json!([room]));
        }
    }
}

#[test]
fn conflicts_are_filtered_by_day_and_resource_and_given_in_pages() {
    let practice = a_practice();
    let other = practice.a_room();
    let tuesday = monday(9, 0) + chrono::TimeDelta::days(1);
    for start in [monday(9, 0), monday(10, 0), tuesday] {
        practice.booked(start);
    }
    practice.booking(monday(11, 0)).with("resource_ids", json!([other])).send().is(201);
    request(&practice, "PATCH", "", &closed()).is(200);
    let path = format!("/v1/resources/{other}/retire");
    let changed = practice.api.post(&path, &json!({})).send();
    assert_eq!(listed(&practice, &changed).len(), 4);
    let count = |query: &str| conflicts(&practice, query).len();
    assert_eq!(count(&format!("resource_id={other}")), 1);
    assert_eq!(count(&format!("resource_id={}", practice.room)), 3);
    assert_eq!(count(&format!("to={}", date(0))), 3);
    assert_eq!(count(&format!("from={}&tz=Europe/Oslo", date(1))), 1);
    let first = practice.api.get("/v1/conflicts?limit=3").send().is(200);
    let next = first["next_cursor"].as_str().unwrap();
    let second = practice.api.get(&format!("/v1/conflicts?limit=3&cursor={next}")).send().is(200);
    assert_eq!(
        (second["items"].as_array().unwrap().len(), &second["next_cursor"]),
        (1, &json!(null))
    );
    let elsewhere = format!("/v1/conflicts?resource_id={other}&cursor={next}");
    practice.api.get(&elsewhere).send().is_refused(400, "invalid-cursor");
    practice.api.get("/v1/conflicts?resource=x").send().is_refused(400, "invalid-query");
}
