//! Many who want the same at once.

use super::{a_series, act, book, booked, each, ids, local, with};
use crate::harness::{a_practice, at_once};
use serde_json::json;

#[test]
fn of_series_that_want_the_same_times_at_once_one_wins_whole() {
    let practice = a_practice();
    let mut total = 0;
    for round in 0..3 {
        // Half of them want six weeks, the others five, a quarter of an hour later.
        let answers = at_once(8, |n| {
            let (start, rule) = match n % 2 {
                0 => (local(round, "09:00"), "FREQ=WEEKLY;COUNT=6"),
                _ => (local(round, "09:15"), "FREQ=WEEKLY;COUNT=5"),
            };
            book(&practice, &a_series(&practice, &start, rule))
        });
        let won: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
        assert_eq!(won.len(), 1, "{answers:#?}");
        for lost in answers.iter().filter(|answer| answer.status != 201) {
            let problem = lost.is_refused(409, "slot-taken");
            assert!(problem["recurrence_id"].is_string(), "{problem}");
        }
        let series = won[0].is(201);
        let all = ids(&series["occurrences"]);
        assert_eq!(each(&practice, &series, "status"), vec!["booked"; all.len()]);
        total += all.len();
        let found = practice.found(&format!("min_position={}", won[0].position()));
        assert_eq!(found.len(), total);
    }
    practice.is_whole();
}

#[test]
fn of_as_many_as_can_be_each_time_is_booked_once() {
    let practice = a_practice();
    let answers = at_once(6, |_| {
        let body = a_series(&practice, &local(0, "09:00"), "FREQ=DAILY;COUNT=10");
        book(&practice, &with(body, "mode", "best-effort"))
    });
    let mut booked = Vec::new();
    let mut last = 0;
    for answer in &answers {
        match answer.status {
            201 => {
                booked.extend(ids(&answer.json()["occurrences"]));
                last = last.max(answer.position());
            }
            _ => {
                answer.is_refused(409, "none-booked");
            }
        }
    }
    booked.sort();
    assert_eq!(booked, (0..10).map(|days| local(days, "09:00")).collect::<Vec<_>>());
    assert_eq!(practice.found(&format!("min_position={last}")).len(), 10);
    practice.is_whole();
}

#[test]
fn a_series_that_is_moved_and_cancelled_at_once_is_both_or_the_loser_hears_of_it() {
    let practice = a_practice();
    let series = booked(&practice, &a_series(&practice, &local(0, "09:00"), "FREQ=DAILY;COUNT=5"));
    let answers = at_once(2, |n| match n {
        0 => act(&practice, &series, "cancel", &json!({"scope": "all"})),
        _ => act(&practice, &series, "reschedule", &json!({"scope": "all", "time": "16:00"})),
    });
    answers[0].is(200);
    if answers[1].status != 200 {
        answers[1].is_refused(409, "nothing-to-change");
    }
    assert_eq!(each(&practice, &series, "status"), ["cancelled"; 5]);
    practice.is_whole();
}
