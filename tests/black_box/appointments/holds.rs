//! A hold that nobody confirms.

use std::thread;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::harness::{a_practice, date, monday, utc};

/// The shortest hold there is, and some.
const LAPSE: Duration = Duration::from_secs(61);

/// This test only waits, but it waits for a minute: everything about it is in one.
#[test]
fn a_hold_that_nobody_confirms_lapses_and_its_time_is_free_again() {
    let practice = a_practice();
    let a_hold = |hour| practice.booking(monday(hour, 0)).held(1).send();
    let [lapsed, taken_over, confirmed] = [10, 12, 14].map(a_hold);
    let all_held = confirmed.position();
    let [lapsed, taken_over, confirmed] = [lapsed, taken_over, confirmed].map(|it| it.is(201));
    practice.booking(monday(10, 0)).send().is_refused(409, "slot-taken");
    practice.act(&confirmed, "confirm", &json!({})).is(200);
    thread::sleep(LAPSE);

    // The first client to ask, and before anything has recorded that it lapsed.
    practice.booked(monday(12, 0));
    for action in ["confirm", "check-in", "complete", "no-show", "cancel"] {
        let answer = practice.act(&taken_over, action, &json!({}));
        assert_eq!(answer.status, 409, "{answer:?}");
        assert!(["hold-expired", "wrong-status"].contains(&&*answer.slug()), "{answer:?}");
    }
    let now = |appointment: &Value| practice.appointment(appointment["id"].as_str().unwrap());
    for hold in [&lapsed, &taken_over] {
        let hold = now(hold);
        assert_eq!(hold["status"], "cancelled", "{hold}");
        assert_eq!(hold["cancellation"]["by"], "system", "{hold}");
    }
    assert_eq!(now(&confirmed)["status"], "booked", "a confirmed hold does not lapse");
    practice.booking(monday(14, 0)).send().is_refused(409, "slot-taken");
    let position = practice.booking(monday(10, 0)).send().position();
    let found = practice.found(&format!("status=held&min_position={position}"));
    assert!(found.is_empty(), "{found:#?}");
    let found = practice.found(&format!("status=booked&min_position={position}"));
    assert_eq!(found.len(), 3, "{found:#?}");

    // As it was known then, they were held, and from the instant on at which they lapsed no longer.
    let end: DateTime<Utc> = lapsed["hold_expires_at"].as_str().unwrap().parse().unwrap();
    let just_before = utc(end - TimeDelta::milliseconds(1));
    for (as_of, count) in [(format!("position:{all_held}"), 3), (just_before, 2), (utc(end), 1)] {
        let found = practice.found(&format!("status=held&as_of={as_of}"));
        assert_eq!(found.len(), count, "{as_of}: {found:#?}");
        let day = format!("resource_id={}&date={}", practice.room, date(0));
        let agenda = practice.api.get(&format!("/v1/agenda?{day}&as_of={as_of}")).send().is(200);
        let items = agenda["items"].as_array().unwrap().iter();
        assert_eq!(items.filter(|it| it["status"] == "held").count(), count, "{as_of}: {agenda:#}");
    }
}
