//! What an answer's position is good for: whoever has it sees elsewhere what they have seen here.

use serde_json::json;

use crate::harness::{Answer, a_practice, date, monday};

#[test]
fn what_is_refused_and_what_is_free_is_of_the_end_of_the_log() {
    let practice = a_practice();
    let booking = || practice.booking(monday(18, 0));
    let last = booking().send().position();
    let refused = practice.api.post("/v1/appointments:batch", &json!({"items": [booking().body]}));
    let refused = refused.send();
    assert_eq!(refused.is(200)["items"][0]["status"], 409);
    let (from, to, room) = (date(0), date(1), &practice.room);
    let free =
        format!("/v1/availability?duration_minutes=30&from={from}&to={to}&resource_id={room}");
    let search = json!({
        "duration_minutes": 30, "from": from, "to": to, "time_zone": "UTC",
        "roles": [{"role": "room", "among": [room]}],
    });
    let search = practice.api.post("/v1/availability/search", &search);
    let answers = [refused, practice.api.get(&free).send(), search.send()];
    for answer in &answers {
        answer.has_status(200);
    }
    assert_eq!(answers.each_ref().map(Answer::position), [last; 3]);
}

#[test]
fn whoever_has_read_something_sees_it_in_a_list_of_that_position() {
    let practice = a_practice();
    let booked = practice.booked(monday(19, 0));
    let path = format!("/v1/appointments/{}", booked["id"].as_str().unwrap());
    let position = practice.api.get(&path).send().position();
    let listed = practice.found(&format!("min_position={position}"));
    assert!(listed.iter().any(|found| found["id"] == booked["id"]), "{listed:#?}");
}
