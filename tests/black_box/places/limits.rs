//! How much one client can have.

use serde_json::{Value, json};

use crate::harness::{Booking, a_practice, date, monday, utc};

#[test]
fn a_client_has_no_more_appointments_of_a_service_on_a_day_than_it_allows() {
    let practice = a_practice();
    let service = practice.a_service(&json!({"limit_per_client_per_day": 2}));
    let at = |hour| practice.booking(monday(hour, 0)).with("service_id", &*service);
    let [first, second] = [9, 10].map(|hour| at(hour).send().is(201));
    let problem = at(11).send().is_refused(409, "client-day-limit");
    assert_eq!(problem["client_id"], practice.client);
    assert_eq!(problem["date"], date(0).to_string());
    assert_eq!((&problem["required"], &problem["found"]), (&json!(2), &json!(2)));

    // Another client, another service and another day are not meant.
    at(12).with("client_id", practice.a_client("Another")).send().is(201);
    practice.booked(monday(13, 0));
    let tuesday = at(9).with("start_at", format!("{}T09:00:00Z", date(1)));
    let tuesday = tuesday.send().is(201);

    // What is cancelled no longer counts, and what is moved counts where it is.
    practice.act(&first, "cancel", &json!({})).is(200);
    let third = at(11).send().is(201);
    let to = |appointment: &Value, start| {
        practice.act(appointment, "reschedule", &json!({"start_at": start}))
    };
    to(&tuesday, utc(monday(14, 0))).is_refused(409, "client-day-limit");
    to(&second, format!("{}T10:00:00Z", date(1))).is(200);
    to(&third, utc(monday(15, 0))).is(200);
    at(16).send().is(201);
    at(17).send().is_refused(409, "client-day-limit");
    practice.is_whole();
}

#[test]
fn a_day_is_the_local_day_of_the_first_resource() {
    let practice = a_practice();
    let service = practice.a_service(&json!({"limit_per_client_per_day": 1}));
    let kiritimati = practice.a_resource(&json!({"time_zone": "Pacific/Kiritimati"}));
    let at = |hour| {
        let booking = practice.booking(monday(hour, 0)).with("service_id", &*service);
        booking.with("resource_ids", json!([kiritimati]))
    };
    // At +14:00, ten o'clock in UTC is midnight.
    at(8).send().is(201);
    at(9).send().is_refused(409, "client-day-limit");
    at(10).send().is(201);
}

#[test]
fn a_client_holds_no_more_at_once_than_three() {
    let practice = a_practice();
    let hold = |hour| {
        let Booking { body, .. } = practice.booking(monday(hour, 0));
        practice.api.post("/v1/holds", &body).send()
    };
    let [first, second, third] = [9, 10, 11].map(|hour| hold(hour).is(201));
    let problem = hold(12).is_refused(409, "client-hold-limit");
    assert_eq!((&problem["required"], &problem["found"]), (&json!(3), &json!(3)));
    // Booking is not holding; and who moves a hold holds no more than before.
    practice.booked(monday(12, 0));
    let moved = json!({"start_at": utc(monday(16, 0))});
    practice.act(&third, "reschedule", &moved).is(200);
    hold(13).is_refused(409, "client-hold-limit");

    practice.act(&first, "confirm", &json!({})).is(200);
    hold(13).is(201);
    hold(14).is_refused(409, "client-hold-limit");
    practice.act(&second, "cancel", &json!({})).is(200);
    hold(14).is(201);
    hold(15).is_refused(409, "client-hold-limit");
    // What was confirmed can move, and still does not count.
    let moved = json!({"start_at": utc(monday(17, 0))});
    practice.act(&first, "reschedule", &moved).is(200);
    practice.is_whole();
}
