//! What is offered, and what becomes of it.

use std::thread;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{
    Full, a_full_practice, a_while, cancel, confirm, full, hold_of, join, join_as, offered, path,
    read, release, start, status, times,
};
use crate::harness::{Database, Practice, Server, a_practice, date, eventually, monday};

#[test]
fn the_first_who_waits_is_offered_what_comes_free_and_can_take_it() {
    let Full { practice, nine, .. } = a_full_practice();
    let first = join(&practice, &json!({}));
    assert_eq!((&first["status"], &first["version"]), (&json!("waiting"), &json!(1)));
    let second = join(&practice, &json!({}));
    a_while();
    assert_eq!(status(&practice, &first), "waiting", "nothing is free");
    let before = DateTime::<Utc>::from(std::time::SystemTime::now());
    cancel(&practice, &nine);
    let first = offered(&practice, &first);
    assert_eq!(start(&first), monday(9, 0));
    let expires_at: DateTime<Utc> = first["offer"]["expires_at"].as_str().unwrap().parse().unwrap();
    let length = expires_at - before;
    assert!((15 * 60..15 * 60 + 40).contains(&length.num_seconds()), "{length}");
    let hold = practice.appointment(hold_of(&first));
    assert_eq!(hold["status"], "held");
    assert_eq!(hold["client_id"], first["client_id"]);
    assert_eq!(hold["hold_expires_at"], first["offer"]["expires_at"]);
    practice.booking(monday(9, 0)).send().is_refused(409, "slot-taken");
    assert_eq!(status(&practice, &second), "waiting");

    assert_eq!(confirm(&practice, &first).is(200)["status"], "booked");
    // At once, and whether it has been recorded or not.
    assert_eq!(status(&practice, &first), "taken");
    let recorded = eventually("it is recorded", || {
        let entry = read(&practice.api, &first);
        (entry["version"] == 3).then_some(entry)
    });
    assert_eq!(recorded["status"], "taken");
    assert_eq!(status(&practice, &second), "waiting");
    practice.is_whole();
}

#[test]
fn an_offer_is_shown_with_its_local_time_in_the_zone_that_is_asked_for() {
    let Full { practice, nine, .. } = a_full_practice();
    let entry = join(&practice, &json!({}));
    cancel(&practice, &nine);
    let entry = offered(&practice, &entry);
    assert_eq!(entry["offer"].get("local_start_at"), None);
    let zone = chrono_tz::America::St_Johns;
    let expected = monday(9, 0).with_timezone(&zone).to_rfc3339();
    let position = format!("as_of=position:{}", practice.api.get(&path(&entry)).send().position());
    let one = path(&entry);
    let list = format!(
        "/v1/waiting-list?status=offered&client_id={}",
        entry["client_id"].as_str().unwrap()
    );
    for asked in [
        format!("{one}?"),
        format!("{one}?{position}&"),
        format!("{list}&"),
        format!("{list}&{position}&"),
    ] {
        let seen = eventually(&asked, || {
            let seen = practice.api.get(&format!("{asked}tz={zone}")).send().is(200);
            let entry = seen["items"].get(0).unwrap_or(&seen).clone();
            entry.get("offer").is_some().then_some(entry)
        });
        assert_eq!(seen["offer"]["start_at"], entry["offer"]["start_at"], "{asked}");
        assert_eq!(seen["offer"]["local_start_at"], json!(expected), "{asked}");
        practice
            .api
            .get(&format!("{asked}tz=Mars/Base"))
            .send()
            .is_refused(400, "unknown-time-zone");
    }
}

#[test]
fn wishes_that_do_not_fit_are_passed_over() {
    let Full { practice, nine, half_past } = a_full_practice();
    let other_room = practice.a_resource(&json!({"weekly_hours": []}));
    let unfit = [
        join(&practice, &times("09:30", "10:00")),
        join(&practice, &times("09:00", "09:29")),
        join(&practice, &json!({"resource_ids": [other_room]})),
        join(&practice, &json!({"from": date(1).to_string(), "to": date(3).to_string()})),
    ];
    let fits = join(&practice, &times("09:00", "09:30"));
    let also_fits = join(&practice, &json!({"resource_ids": [other_room, practice.room]}));
    cancel(&practice, &nine);
    assert_eq!(start(&offered(&practice, &fits)), monday(9, 0));
    a_while();
    for entry in unfit.iter().chain([&also_fits]) {
        assert_eq!(status(&practice, entry), "waiting", "{entry}");
    }
    cancel(&practice, &half_past);
    let first = offered(&practice, &unfit[0]);
    assert_eq!(start(&first), monday(9, 30));
    assert_eq!(status(&practice, &also_fits), "waiting");
    practice.is_whole();
}

#[test]
fn what_is_not_taken_goes_to_the_next() {
    let Full { practice, nine, .. } = a_full_practice();
    let entries = [(); 3].map(|()| join(&practice, &json!({})));
    cancel(&practice, &nine);
    let first = offered(&practice, &entries[0]);
    release(&practice, &first).is(200);
    assert_eq!(status(&practice, &first), "lapsed");
    let second = offered(&practice, &entries[1]);
    assert_eq!(start(&second), monday(9, 0));
    // Leaving gives it back too, in the same moment.
    let left = practice.api.request("DELETE", &path(&second)).send();
    assert_eq!(left.is(200)["status"], "left");
    assert_eq!(practice.appointment(hold_of(&second))["status"], "cancelled");
    let third = offered(&practice, &entries[2]);
    assert_eq!(start(&third), monday(9, 0));
    practice.is_whole();
}

/// It waits for a minute, the shortest offer there is.
#[test]
fn an_offer_that_lapses_goes_to_the_next() {
    let server = Server::start(&Database::fresh());
    let Full { practice, nine, .. } = full(Practice::on(&server));
    practice.settings(&json!({"offer_minutes": 1}));
    let entries = [(); 2].map(|()| join(&practice, &json!({})));
    cancel(&practice, &nine);
    let first = offered(&practice, &entries[0]);
    let expires_at: DateTime<Utc> = first["offer"]["expires_at"].as_str().unwrap().parse().unwrap();
    let left = expires_at - DateTime::<Utc>::from(std::time::SystemTime::now());
    assert!(left <= TimeDelta::minutes(1), "{left}");
    thread::sleep(left.to_std().unwrap() + Duration::from_millis(5));
    // At once, and before anything has recorded it.
    assert_eq!(status(&practice, &first), "lapsed");
    confirm(&practice, &first).has_status(409);
    let second = offered(&practice, &entries[1]);
    assert_eq!(start(&second), monday(9, 0));
    let recorded = eventually("it is recorded", || {
        let entry = read(&practice.api, &first);
        (entry["version"] == 3).then_some(entry)
    });
    assert_eq!(recorded["status"], "lapsed");
    let said = server.database.run(&["verify"]).succeeded();
    assert!(said.contains("not whole: 0;"), "{said}");
}

#[test]
fn what_is_free_already_is_offered_at_once() {
    let practice = a_practice();
    let entry = offered(&practice, &join(&practice, &times("11:05", "12:00")));
    assert_eq!(start(&entry), monday(11, 15), "the first quarter of an hour that fits");
}

#[test]
fn a_change_of_hours_or_places_is_a_place_that_comes_free() {
    let Full { practice, .. } = a_full_practice();
    let later = join(&practice, &times("10:00", "10:30"));
    let at_nine = join(&practice, &times("09:00", "09:30"));
    let room = format!("/v1/resources/{}", practice.room);
    let extra = json!({"kind": "extra-hours", "hours": {
        "from": format!("{}T10:00", date(0)), "to": format!("{}T11:00", date(0))}});
    practice.api.post(&format!("{room}/exceptions"), &extra).send().has_status(201);
    assert_eq!(start(&offered(&practice, &later)), monday(10, 0));
    let capacity = json!({"capacity": 2});
    practice.api.patch(&room, &capacity).send().has_status(200);
    assert_eq!(start(&offered(&practice, &at_nine)), monday(9, 0));
    practice.is_whole();
}

#[test]
fn a_moved_appointment_and_a_no_show_leave_a_place() {
    let Full { practice, nine, half_past } = a_full_practice();
    let entries = [(); 2].map(|()| join(&practice, &json!({})));
    let other = practice.a_room();
    let to = json!({"start_at": nine["start_at"], "resource_ids": [other]});
    practice.act(&nine, "reschedule", &to).is(200);
    assert_eq!(start(&offered(&practice, &entries[0])), monday(9, 0));
    practice.act(&half_past, "no-show", &json!({})).is(200);
    assert_eq!(start(&offered(&practice, &entries[1])), monday(9, 30));
    practice.is_whole();
}

#[test]
fn where_no_resource_is_wished_for_one_that_can_fill_the_role_is_chosen() {
    let practice = a_practice();
    let doctors =
        ["Ada", "Bo"].map(|name| practice.a_resource(&json!({"name": name, "kind": "staff"})));
    let needs = json!([{"role": "doctor", "kind": "staff"}]);
    let service = practice.a_service(&json!({"needs": needs}));
    let but = |ids: Value| {
        let mut but = times("09:00", "09:30");
        but["service_id"] = json!(service);
        but["resource_ids"] = ids;
        but
    };
    let with_bo = offered(&practice, &join(&practice, &but(json!([doctors[1]]))));
    let hold = practice.appointment(hold_of(&with_bo));
    assert_eq!(hold["resource_ids"], json!([doctors[1]]));
    let with_anybody = offered(&practice, &join(&practice, &but(Value::Null)));
    let hold = practice.appointment(hold_of(&with_anybody));
    assert_eq!(hold["resource_ids"], json!([doctors[0]]));
}

#[test]
fn a_client_who_holds_enough_is_offered_more_when_they_hold_less() {
    let practice = a_practice();
    let client = practice.a_client("One who wants much");
    let enter = |hour: u32| {
        let times = times(&format!("{hour:02}:00"), &format!("{hour:02}:30"));
        join_as(&practice, &client, &times).is(201)
    };
    let three = [9, 10, 11].map(|hour| offered(&practice, &enter(hour)));
    let fourth = enter(12);
    a_while();
    assert_eq!(status(&practice, &fourth), "waiting");
    confirm(&practice, &three[0]).is(200);
    assert_eq!(start(&offered(&practice, &fourth)), monday(12, 0));
    practice.is_whole();
}

#[test]
fn a_day_on_which_the_client_has_enough_is_passed_over() {
    let practice = a_practice();
    let service = practice.a_service(&json!({"limit_per_client_per_day": 1}));
    let booked = practice.booking(monday(9, 0)).with("service_id", &*service).send();
    booked.is(201);
    let but = json!({"service_id": service, "to": date(1).to_string()});
    let entry = join_as(&practice, &practice.client, &but).is(201);
    assert_eq!(start(&offered(&practice, &entry)), monday(0, 0) + TimeDelta::days(1));
}
