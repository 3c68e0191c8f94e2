//! A hold that nobody confirms.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{a_practice, monday};

/// The shortest hold there is, and some.
const LAPSE: Duration = Duration::from_secs(61);

/// This test only waits, but it waits for a minute: everything about it is in one.
#[test]
fn a_hold_that_nobody_confirms_lapses_and_its_time_is_free_again() {
    let practice = a_practice();
    let hold = |hour| practice.booking(monday(hour, 0)).with("hold_minutes", 1).send().is(201);
    let [lapsed, taken_over, confirmed] = [10, 12, 14].map(hold);
    practice.booking(monday(10, 0)).send().is_refused(409, "slot-taken");
    practice.act(&confirmed, "confirm", &json!({})).is(200);
    thread::sleep(LAPSE);

    // Whoever comes first, and before anything has recorded that it lapsed.
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
}
