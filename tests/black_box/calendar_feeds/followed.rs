//! What is told to whoever has the address.

use chrono_tz::Tz;
use serde_json::{Value, json};

use super::{a_feed, each, events, read};
use crate::harness::{a_practice, date, eventually, id_of, monday, personal, utc};

#[test]
fn a_feed_is_a_calendar_in_the_zone_of_the_place() {
    let practice = a_practice();
    let oslo = practice.a_resource(&json!({"time_zone": "Europe/Oslo"}));
    let in_oslo = practice.booking(monday(8, 0)).with("resource_ids", json!([oslo]));
    let in_oslo = id_of(&in_oslo.with("location", "Havnegata 12, Bergen").send().is(201));
    let in_utc = id_of(&practice.booked(monday(9, 0)));
    let feed = a_feed(&practice, &json!({"name": "The \"clinic\"; all, of it"}));
    feed.events_once(&practice, |events| events.len() == 2);
    let calendar = read(&feed.follow(&practice));
    assert_eq!(calendar["name"], r#"The "clinic"\; all\, of it"#);
    assert_eq!(calendar["zones"], json!(["Europe/Oslo"]));
    let [first, second] = &calendar["events"].as_array().unwrap()[..] else { panic!() };
    assert_eq!((&first["uid"], &second["uid"]), (&json!(in_oslo), &json!(in_utc)));
    assert_eq!((&first["zone"], &second["zone"]), (&json!("Europe/Oslo"), &Value::Null));
    for (event, hour) in [(first, 8), (second, 9)] {
        assert_eq!(event["start"], utc(monday(hour, 0)), "{event}");
        assert_eq!(event["end"], utc(monday(hour, 30)), "{event}");
    }
    assert_eq!(
        first["local"],
        monday(8, 0).with_timezone(&Tz::Europe__Oslo).format("%H:%M").to_string()
    );
    assert_eq!(first["location"], "Havnegata 12, Bergen");
    assert_eq!(second["categories"], json!(["check-up", "first", "short"]));
    assert_eq!((&second["status"], &second["transp"]), (&json!("CONFIRMED"), &json!("OPAQUE")));
    assert_eq!(second["summary"], "Check-up");
    let booked = practice.api.get("/v1/events?event_type=AppointmentBooked").send().is(200);
    let recorded_at = booked["items"][1]["time"].as_str().unwrap();
    assert_eq!(second["stamp"].as_str().unwrap()[..19], recorded_at[..19]);
}

#[test]
fn what_does_not_take_place_is_left_out() {
    let practice = a_practice();
    let feed = a_feed(&practice, &json!({}));
    let at = |hour| practice.booking(monday(hour, 0));
    let kept = id_of(&at(8).send().is(201));
    let cancelled = at(9).send().is(201);
    let on_hold = id_of(&at(10).held(60).send().is(201));
    let given_back = at(11).held(60).send().is(201);
    feed.events_once(&practice, |events| events.len() == 4);
    practice.act(&cancelled, "cancel", &json!({"by": "staff"})).is(200);
    let hold = format!("/v1/holds/{}", id_of(&given_back));
    practice.api.request("DELETE", &hold).send().is(200);
    let events = feed.events_once(&practice, |events| events.len() == 2);
    assert_eq!(each(&events, "uid"), [&kept, &on_hold]);
    assert_eq!(each(&events, "status"), ["CONFIRMED", "TENTATIVE"]);
}

#[test]
fn nobody_is_named_to_be_mailed() {
    let practice = a_practice();
    practice.booked(monday(8, 0));
    let feed = a_feed(&practice, &json!({"personal": "told"}));
    let events = feed.events_once(&practice, |events| events.len() == 1);
    for event in &events {
        for name in ["ORGANIZER", "ATTENDEE", "CONTACT", "COMMENT", "DESCRIPTION"] {
            assert!(!event["has"].as_array().unwrap().contains(&json!(name)), "{event}");
        }
    }
    let text = feed.follow(&practice).text;
    assert!(!text.contains("METHOD") && !text.contains(personal::EMAIL), "{text}");
}

#[test]
fn who_comes_is_told_where_that_was_asked_for() {
    let practice = a_practice();
    practice.booked(monday(8, 0));
    let told = a_feed(&practice, &json!({"personal": "told"}));
    let events = told.events_once(&practice, |events| events.len() == 1);
    assert_eq!(each(&events, "summary"), [format!("Check-up ({})", personal::NAME)]);
    let withheld = a_feed(&practice, &json!({}));
    let events = withheld.events_once(&practice, |events| events.len() == 1);
    assert_eq!(each(&events, "summary"), ["Check-up"]);
    // Who is only kept is told to nobody by a feed.
    let restrict = format!("/v1/clients/{}/restrict", practice.client);
    practice.api.post(&restrict, &json!({"reason": "objection-pending"})).send().is(200);
    told.events_once(&practice, |events| each(events, "summary") == ["Check-up (withheld)"]);
}

#[test]
fn personal_titles_are_told_where_that_was_asked_for() {
    let practice = a_practice();
    practice.settings(&json!({"titles": "personal"}));
    practice.booking(monday(8, 0)).with("title", "A difficult talk").send().is(201);
    let told = a_feed(&practice, &json!({"personal": "told"}));
    let summary = format!("A difficult talk ({})", personal::NAME);
    told.events_once(&practice, |events| each(events, "summary") == [&*summary]);
    let withheld = a_feed(&practice, &json!({}));
    let events = withheld.events_once(&practice, |events| events.len() == 1);
    assert_eq!(each(&events, "summary"), ["withheld"]);
    assert!(!withheld.follow(&practice).text.contains("difficult"));
}

#[test]
fn a_busy_feed_says_when_and_nothing_else() {
    let practice = a_practice();
    practice.booking(monday(8, 0)).with("location", "Room seven").send().is(201);
    let feed = a_feed(&practice, &json!({"detail": "busy", "personal": "told"}));
    let events = feed.events_once(&practice, |events| events.len() == 1);
    assert_eq!(each(&events, "summary"), ["Busy"]);
    let has = json!(["DTEND", "DTSTAMP", "DTSTART", "SEQUENCE", "SUMMARY", "TRANSP", "UID"]);
    assert_eq!(events[0]["has"], has);
    let text = feed.follow(&practice).text;
    assert!(!text.contains("Check-up") && !text.contains("check-up"), "{text}");
}

/// Of each kind of limit: what lies within it is there, and nothing else.
#[test]
fn a_feed_is_of_a_resource_a_client_a_location_a_category_or_tags() {
    let practice = a_practice();
    let (room, client) = (practice.a_room(), practice.a_client("Another"));
    let service = practice.a_service(&json!({"category": "Care", "tags": ["Long"]}));
    practice.booked(monday(8, 0));
    let other = practice.booking(monday(9, 0)).with("resource_ids", json!([room]));
    let other = other.with("client_id", &*client).with("service_id", &*service);
    let other = id_of(&other.with("location", "North").send().is(201));
    let all = a_feed(&practice, &json!({}));
    all.events_once(&practice, |events| events.len() == 2);
    for of in [
        json!({"limits": {"resource_ids": [room]}}),
        json!({"limits": {"client_id": client}}),
        json!({"limits": {"locations": ["North"]}}),
        json!({"limits": {"categories": ["care"]}}),
        json!({"tags": ["long"]}),
        json!({"limits": {"resource_ids": [room], "client_id": client}, "tags": ["long"]}),
    ] {
        let feed = a_feed(&practice, &of);
        assert_eq!(each(&events(&feed.follow(&practice)), "uid"), [&other], "{of}");
    }
    let neither = json!({"limits": {"resource_ids": [room], "client_id": practice.client}});
    assert!(events(&a_feed(&practice, &neither).follow(&practice)).is_empty());
}

#[test]
fn a_clients_feed_names_nobody_else_and_has_their_places_of_sessions() {
    let practice = a_practice();
    let other = practice.a_client("Somebody else");
    let class = practice.a_service(&json!({"session_places": 3, "name": "Yoga"}));
    let session = practice.created(
        "/v1/sessions",
        &json!({"service_id": class, "resource_ids": [practice.room], "start_at": utc(monday(8, 0))}),
    );
    let places = format!("/v1/sessions/{session}/appointments");
    let theirs = practice.created(&places, &json!({"client_id": practice.client}));
    let others = practice.created(&places, &json!({"client_id": other}));
    let feed =
        a_feed(&practice, &json!({"limits": {"client_id": practice.client}, "personal": "told"}));
    let events = feed.events_once(&practice, |events| !events.is_empty());
    assert_eq!(each(&events, "uid"), [&theirs]);
    assert_eq!(each(&events, "summary"), ["Yoga"], "they know who they are");
    // The room has one class, not two visits.
    let of_room = json!({"limits": {"resource_ids": [practice.room]}, "personal": "told"});
    let of_room = a_feed(&practice, &of_room);
    let events = of_room.events_once(&practice, |events| !events.is_empty());
    assert_eq!(each(&events, "uid"), [&session]);
    assert!(!of_room.follow(&practice).text.contains(&*others));
}

#[test]
fn a_feed_has_what_is_near() {
    let practice = a_practice();
    let far = practice.a_service(&json!({"name": "Far"}));
    let booked = |day| {
        let start = date(day).and_hms_opt(8, 0, 0).unwrap().and_utc();
        practice.booking(start).with("service_id", &*far).send().is(201);
    };
    booked(0);
    booked(360);
    booked(410);
    let feed = a_feed(&practice, &json!({}));
    eventually("all are listed", || (practice.found("").len() == 3).then_some(()));
    assert_eq!(events(&feed.follow(&practice)).len(), 2, "400 days ahead, and no more");
}
