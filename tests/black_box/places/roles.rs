//! Services that say which resources they need, by role.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::{Booking, Practice, a_practice, date, monday, utc};

/// A practice whose service needs a doctor and a room with tag x-ray.
struct Clinic {
    practice: Practice,
    service: String,
    doctors: [String; 3],
    x_ray: String,
}

fn a_clinic(choose: &str) -> Clinic {
    let practice = a_practice();
    let doctors = ["Ada", "Bo", "Cy"]
        .map(|name| practice.a_resource(&json!({"name": name, "kind": "staff"})));
    let x_ray = practice.a_resource(&json!({"name": "X-ray", "tags": ["ground floor", "x-ray"]}));
    let service = practice.a_service(&json!({
        "needs": [{"role": "practitioner", "kind": "staff"}, {"role": "room", "tags": ["x-ray"]}],
        "choose": choose,
    }));
    Clinic { practice, service, doctors, x_ray }
}

impl Clinic {
    fn booking(&self, hour: u32) -> Booking<'_> {
        let booking = self.practice.booking(monday(hour, 0)).without("resource_ids");
        booking.with("service_id", &*self.service)
    }

    /// The doctor of a booking that names nobody.
    fn chosen(&self, hour: u32) -> String {
        self.doctor_of(&self.booking(hour))
    }

    /// The same at ten, so many days after the Monday.
    fn chosen_on(&self, day: i64) -> String {
        let start = utc(monday(10, 0) + TimeDelta::days(day));
        self.doctor_of(&self.booking(10).with("start_at", start))
    }

    fn doctor_of(&self, booking: &Booking<'_>) -> String {
        let booked = booking.send().is(201);
        assert_eq!(booked["resource_ids"][1], self.x_ray);
        booked["resource_ids"][0].as_str().unwrap().to_owned()
    }
}

#[test]
fn a_booking_that_names_nobody_gets_the_first_who_is_free_for_each_role() {
    let clinic = a_clinic("first-free");
    let [ada, bo, _] = &clinic.doctors;
    assert_eq!(&clinic.chosen(10), ada);
    let ada_alone = clinic.practice.booking(monday(11, 0)).with("resource_ids", json!([ada]));
    ada_alone.send().is(201);
    assert_eq!(&clinic.chosen(11), bo);
    clinic.practice.is_whole();
}

#[test]
fn what_is_named_stays_and_the_rest_is_chosen() {
    let clinic = a_clinic("first-free");
    let [ada, _, cy] = &clinic.doctors;
    let named = |hour, ids: Value| clinic.booking(hour).with("resource_ids", ids).send();
    assert_eq!(named(10, json!([cy])).is(201)["resource_ids"], json!([cy, clinic.x_ray]));
    let room_first = named(11, json!([clinic.x_ray])).is(201);
    assert_eq!(room_first["resource_ids"], json!([clinic.x_ray, ada]));
    let both = named(12, json!([clinic.x_ray, cy])).is(201);
    assert_eq!(both["resource_ids"], json!([clinic.x_ray, cy]));
}

#[test]
fn who_is_named_and_fills_no_role_is_refused_with_the_roles_that_are_left() {
    let clinic = a_clinic("first-free");
    let [ada, bo, _] = &clinic.doctors;
    let booking = clinic.booking(10).with("resource_ids", json!([ada, bo]));
    let problem = booking.send().is_refused(422, "unfit-resource");
    assert_eq!((&problem["resource_id"], &problem["roles"]), (&json!(bo), &json!(["room"])));
    let ordinary = clinic.booking(10).with("resource_ids", json!([clinic.practice.room, ada]));
    let problem = ordinary.send().is_refused(422, "unfit-resource");
    assert_eq!(problem["resource_id"], clinic.practice.room);
}

#[test]
fn a_role_that_nobody_can_fill_and_one_of_which_nobody_is_free_are_named() {
    let clinic = a_clinic("first-free");
    clinic.chosen(10);
    let problem = clinic.booking(10).send().is_refused(409, "role-taken");
    assert_eq!(problem["role"], "room");
    assert_eq!((&problem["required"], &problem["found"]), (&json!(1), &json!(0)));
    let practice = &clinic.practice;
    let scanners = json!([{"role": "scanner", "kind": "equipment", "count": 2}]);
    let service = practice.a_service(&json!({"needs": scanners}));
    practice.a_resource(&json!({"kind": "equipment"}));
    let booking = clinic.booking(11).with("service_id", service);
    let problem = booking.send().is_refused(422, "role-unfilled");
    assert_eq!(problem["role"], "scanner");
    assert_eq!((&problem["required"], &problem["found"]), (&json!(2), &json!(1)));
}

#[test]
fn who_is_closed_is_not_chosen() {
    let clinic = a_clinic("first-free");
    let [ada, bo, _] = &clinic.doctors;
    let doctor = format!("/v1/resources/{ada}");
    clinic.practice.api.patch(&doctor, &json!({"weekly_hours": []})).send().is(200);
    assert_eq!(&clinic.chosen(10), bo);
}

#[test]
fn the_least_booked_is_chosen() {
    let clinic = a_clinic("least-booked");
    let [ada, bo, cy] = &clinic.doctors;
    let practice = &clinic.practice;
    let long = practice.a_service(&json!({"duration_minutes": 120}));
    for (doctor, service) in [(ada, &long), (bo, &practice.service)] {
        let booking = practice.booking(monday(15, 0)).with("service_id", &**service);
        booking.with("resource_ids", json!([doctor])).send().is(201);
    }
    // Two hours, half an hour, none; then half an hour each for the last two.
    assert_eq!(&clinic.chosen(9), cy);
    assert_eq!(&clinic.chosen(10), bo);
    assert_eq!(&clinic.chosen(11), cy);
    assert_eq!(&clinic.chosen(12), bo);
}

/// Nobody gets everything because each day begins with nothing.
#[test]
fn on_quiet_days_the_least_booked_of_the_week_is_chosen() {
    let clinic = a_clinic("least-booked");
    let chosen: Vec<String> = (0..9).map(|day| clinic.chosen_on(day)).collect();
    let all: BTreeSet<&String> = clinic.doctors.iter().collect();
    for three in chosen.chunks(3) {
        assert_eq!(three.iter().collect::<BTreeSet<_>>(), all, "{chosen:?}");
    }
    // Where nothing else is near, they take turns, too.
    let rare: BTreeSet<String> = (0..3).map(|n| clinic.chosen_on(30 + 10 * n)).collect();
    assert_eq!(rare.len(), 3);
}

#[test]
fn how_many_days_count_for_who_is_booked_least_is_a_setting() {
    let clinic = a_clinic("least-booked");
    let [ada, bo, cy] = &clinic.doctors;
    let practice = &clinic.practice;
    let long = practice.a_service(&json!({"duration_minutes": 120}));
    let booked = |doctor: &String, day: i64| {
        let start = utc(monday(15, 0) + TimeDelta::days(day));
        let booking = practice.booking(monday(15, 0)).with("service_id", &*long);
        booking.with("start_at", start).with("resource_ids", json!([doctor])).send().is(201);
    };
    booked(ada, 0);
    booked(bo, 6);
    booked(cy, 7);
    // Ada's two hours are too long ago on the next Monday, and not on the day before it.
    let count_days = |days: u64| practice.settings(&json!({"least_booked_days": days}));
    assert_eq!(&clinic.chosen_on(6), cy);
    assert_eq!(&clinic.chosen_on(7), ada);
    count_days(1);
    booked(ada, 14);
    booked(cy, 14);
    booked(bo, 13);
    assert_eq!(&clinic.chosen_on(14), bo);
    count_days(2);
    booked(ada, 21);
    booked(bo, 20);
    booked(bo, 21);
    booked(cy, 20);
    booked(cy, 19);
    // Two hours each but for Bo: of the equals, Ada has had a turn longest ago.
    assert_eq!(&clinic.chosen_on(21), ada);
}

#[test]
fn they_take_turns() {
    let clinic = a_clinic("round-robin");
    let chosen: Vec<String> = (8..14).map(|hour| clinic.chosen(hour)).collect();
    let all: BTreeSet<&String> = clinic.doctors.iter().collect();
    assert_eq!(chosen[..3].iter().collect::<BTreeSet<_>>(), all);
    assert_eq!(chosen[..3], chosen[3..]);
    // Another day begins with another.
    let tuesday = clinic.booking(8).with("start_at", format!("{}T08:00:00Z", date(1)));
    assert_ne!(tuesday.send().is(201)["resource_ids"][0], chosen[0]);
}

#[test]
fn a_role_prefers_those_that_it_lists_in_their_order() {
    let clinic = a_clinic("first-free");
    let [ada, bo, cy] = &clinic.doctors;
    let practice = &clinic.practice;
    let needs = json!([{"role": "practitioner", "among": [cy, bo]}]);
    let service = practice.a_service(&json!({"needs": needs}));
    let book = || clinic.booking(10).with("service_id", &*service).send();
    assert_eq!(book().is(201)["resource_ids"], json!([cy]));
    assert_eq!(book().is(201)["resource_ids"], json!([bo]));
    let problem = book().is_refused(409, "role-taken");
    assert_eq!(problem["role"], "practitioner", "{ada} is free, and not listed");
}

#[test]
fn an_appointment_moves_to_resources_that_fill_its_roles() {
    let clinic = a_clinic("first-free");
    let [_, bo, cy] = &clinic.doctors;
    let booked = clinic.booking(10).send().is(201);
    let to = |ids: Value| {
        let body = json!({"start_at": crate::harness::utc(monday(12, 0)), "resource_ids": ids});
        clinic.practice.act(&booked, "reschedule", &body)
    };
    to(json!([bo, cy])).is_refused(422, "unfit-resource");
    assert_eq!(to(json!([cy])).is(200)["resource_ids"], json!([cy, clinic.x_ray]));
    clinic.practice.is_whole();
}

/// Where its own doctor is taken, another is free.
#[test]
fn an_appointment_can_be_moved_to_every_start_that_is_offered() {
    let clinic = a_clinic("first-free");
    let [ada, bo, cy] = &clinic.doctors;
    let practice = &clinic.practice;
    let booked = clinic.booking(10).send().is(201);
    for (doctor, hours) in [(ada, [11, 12, 13]), (bo, [12, 13, 14]), (cy, [12, 14, 15])] {
        for hour in hours {
            let taken = practice.booking(monday(hour, 0)).with("resource_ids", json!([doctor]));
            taken.send().is(201);
        }
    }
    let day = date(0);
    let query = format!("service_id={}&from={day}&to={day}&tz=UTC", clinic.service);
    let offered = practice.api.get(&format!("/v1/availability?{query}")).send().is(200);
    let starts: Vec<&str> = offered["slots"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["start_at"].as_str().unwrap())
        .collect();
    assert!(starts.contains(&&*utc(monday(13, 0))) && !starts.contains(&&*utc(monday(12, 0))));
    let (_, path) = crate::harness::route_of(booked["id"].as_str().unwrap(), "reschedule");
    let tried = |start: &str, more: (&str, Value)| {
        let mut body = json!({"start_at": start});
        body[more.0] = more.1;
        practice.api.post(&format!("{path}?dry_run=true"), &body).send()
    };
    for start in &starts {
        tried(start, ("choose_resources", json!(true))).is(200);
    }
    let eleven = &*utc(monday(11, 0));
    tried(eleven, ("choose_resources", json!(false))).is_refused(409, "slot-taken");
    // What is named stays.
    let answer = tried(eleven, ("resource_ids", json!([clinic.x_ray])));
    assert_eq!(answer.is(200)["resource_ids"], json!([clinic.x_ray, bo]));
    let body = json!({"start_at": utc(monday(13, 0)), "choose_resources": true});
    let moved = practice.act(&booked, "reschedule", &body).is(200);
    assert_eq!(moved["resource_ids"], json!([cy, clinic.x_ray]));
    // Nothing says what to choose.
    let plain = practice.booked(monday(16, 0));
    let body = json!({"start_at": utc(monday(17, 0)), "choose_resources": true});
    practice.act(&plain, "reschedule", &body).is_refused(422, "no-resources");
    practice.is_whole();
}

#[test]
fn where_a_service_says_nothing_a_booking_names_its_resources() {
    let practice = a_practice();
    let booking = practice.booking(monday(10, 0)).without("resource_ids");
    booking.send().is_refused(422, "no-resources");
}

#[test]
fn needs_are_shown_as_they_were_given_and_have_a_shape() {
    let practice = a_practice();
    let body = json!({
        "name": "X-ray", "category": "c", "duration_minutes": 5,
        "needs": [{"role": "nurse", "kind": "staff", "tags": ["night"], "count": 2}],
        "choose": "least-booked", "limit_per_client_per_day": 4,
    });
    let made = practice.api.post("/v1/services", &body).send().is(201);
    for member in ["needs", "choose", "limit_per_client_per_day"] {
        assert_eq!(made[member], body[member]);
    }
    let plain = practice.api.get(&format!("/v1/services/{}", practice.service)).send().is(200);
    assert_eq!((&plain["needs"], &plain["choose"]), (&json!([]), &json!("first-free")));
    assert_eq!(plain.get("limit_per_client_per_day"), None);
    for (member, bad) in [
        ("needs", json!([{"kind": "staff"}])),
        ("needs", json!([{"role": "nurse", "count": 0}])),
        ("needs", json!([{"role": "nurse", "count": 17}])),
        ("needs", json!([{"role": "nurse"}, {"role": "nurse"}])),
        ("needs", json!([{"role": "nurse", "kind": "ghost"}])),
        ("needs", json!([{"role": "nurse", "among": ["one"]}])),
        ("needs", json!([{"role": "nurse", "colour": "blue"}])),
        ("choose", json!("any")),
        ("limit_per_client_per_day", json!(0)),
        ("limit_per_client_per_day", json!(101)),
    ] {
        let mut body = body.clone();
        body[member] = bad;
        practice.api.post("/v1/services", &body).send().is_refused(422, "invalid-body");
    }
}
