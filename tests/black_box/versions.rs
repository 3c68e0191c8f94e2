//! `ETag` and `If-Match`: who changes what they have not seen is told so.

use serde_json::{Value, json};

use crate::harness::{Answer, Practice, a_practice, at_once, eventually, monday, route_of, utc};

fn act_if(practice: &Practice, appointment: &Value, etag: &str, action: &str) -> Answer {
    let (method, path) = route_of(appointment["id"].as_str().unwrap(), action);
    let body = match action {
        "reschedule" => json!({"start_at": utc(monday(15, 0))}),
        "change" => json!({"tags": ["seen"]}),
        _ => json!({}),
    };
    practice.api.request(method, &path).json(&body).header("if-match", etag).send()
}

#[test]
fn a_change_of_the_version_that_was_seen_is_made() {
    let practice = a_practice();
    let booked = practice.booking(monday(10, 0)).send();
    let appointment = booked.is(201);
    let moved = act_if(&practice, &appointment, booked.header("etag").unwrap(), "reschedule");
    assert_eq!(moved.is(200)["start_at"], utc(monday(15, 0)));
    let path = format!("/v1/appointments/{}", appointment["id"].as_str().unwrap());
    let read = practice.api.get(&path).send();
    assert_eq!(read.header("etag"), moved.header("etag"));
    act_if(&practice, &appointment, read.header("etag").unwrap(), "cancel").is(200);
}

#[test]
fn a_change_of_an_older_version_is_refused_for_every_action() {
    let practice = a_practice();
    let held = practice.booking(monday(10, 0)).held(30).send().is(201);
    let tagged = practice.act(&held, "change", &json!({"tags": ["changed meanwhile"]})).is(200);
    let id = held["id"].as_str().unwrap();
    for action in ["confirm", "reschedule", "cancel", "check-in", "complete", "no-show", "change"] {
        for stale in ["\"1\"", "\"3\""] {
            act_if(&practice, &held, stale, action).is_refused(412, "stale-version");
        }
        assert_eq!(practice.appointment(id), tagged, "{action} has done nothing");
    }
    act_if(&practice, &held, "\"2\"", "confirm").is(200);
}

#[test]
fn of_many_who_have_seen_the_same_version_one_changes_it() {
    let practice = a_practice();
    let appointment = practice.booked(monday(10, 0));
    let answers = at_once(16, |_| act_if(&practice, &appointment, "\"1\"", "change"));
    let (done, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|a| a.status == 200);
    assert_eq!(done.len(), 1);
    for answer in refused {
        answer.is_refused(412, "stale-version");
    }
}

#[test]
fn changes_that_name_no_version_all_take_place() {
    let practice = a_practice();
    let appointment = practice.booked(monday(10, 0));
    let answers = at_once(16, |n| {
        let body = json!({"tags": [format!("number-{n}")]});
        // So many at once may be too many, and are then told to come back.
        eventually("it is done", || {
            let answer = practice.act(&appointment, "change", &body);
            (!answer.says_come_back()).then(|| answer.is(200))
        })
    });
    let mut versions: Vec<u64> = answers.iter().map(|a| a["version"].as_u64().unwrap()).collect();
    versions.sort_unstable();
    assert_eq!(versions, (2..=17).collect::<Vec<u64>>());
}

#[test]
fn an_if_match_that_is_no_etag_is_refused() {
    let practice = a_practice();
    let appointment = practice.booked(monday(10, 0));
    for bad in ["1", "\"one\"", "\"\"", "W/\"1\""] {
        act_if(&practice, &appointment, bad, "change").is_refused(400, "invalid-if-match");
    }
    act_if(&practice, &appointment, "*", "change").is(200);
}

#[test]
fn a_services_and_a_resources_version_is_guarded_too() {
    let practice = a_practice();
    for path in [
        format!("/v1/services/{}/retire", practice.service),
        format!("/v1/resources/{}/retire", practice.room),
    ] {
        let retire = |etag| practice.api.post(&path, &json!({})).header("if-match", etag).send();
        retire("\"7\"").is_refused(412, "stale-version");
        retire("\"1\"").is(200);
    }
}
