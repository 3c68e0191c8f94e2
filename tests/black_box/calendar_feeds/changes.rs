//! Bytes and tags change when something in the calendar does, and at no other time.

use serde_json::json;

use super::{Feed, a_feed, each};
use crate::harness::{Answer, Practice, a_practice, eventually, id_of, monday, utc};

fn tag(answer: &Answer) -> String {
    answer.header("etag").unwrap().to_owned()
}

/// Does something, and waits until the calendar is another; its tag is another one, too.
#[track_caller]
fn changes(feed: &Feed, practice: &Practice, act: impl FnOnce()) -> Answer {
    let before = feed.follow(practice);
    act();
    let after = eventually("the calendar is another", || {
        Some(feed.follow(practice)).filter(|after| after.text != before.text)
    });
    assert_ne!(tag(&after), tag(&before));
    let known = practice.api.with_key(None).get(&feed.path).header("if-none-match", &tag(&before));
    known.send().has_status(200);
    after
}

#[test]
fn bytes_and_tag_stay_while_nothing_changes() {
    let practice = a_practice();
    practice.booked(monday(8, 0));
    let feed = a_feed(&practice, &json!({"personal": "told"}));
    feed.events_once(&practice, |events| events.len() == 1);
    let (first, second) = (feed.follow(&practice), feed.follow(&practice));
    assert_eq!((&first.text, tag(&first)), (&second.text, tag(&second)));
    assert_eq!(first.header("cache-control"), Some("private, no-cache"));
    let known = practice.api.with_key(None).get(&feed.path).header("if-none-match", &tag(&first));
    let known = known.send();
    known.has_status(304);
    assert_eq!((&*known.text, known.header("etag")), ("", first.header("etag")));
    let head = practice.api.with_key(None).request("HEAD", &feed.path).send();
    head.has_status(200);
    assert_eq!(head.header("etag"), first.header("etag"));
}

/// Who was told what is in the audit log; whoever asks again and again is told nothing.
#[test]
fn an_answer_that_says_nothing_new_is_not_in_the_audit_log() {
    let practice = a_practice();
    practice.booked(monday(8, 0));
    let feed = a_feed(&practice, &json!({"personal": "told"}));
    feed.events_once(&practice, |events| events.len() == 1);
    let ask = |purpose: &str, known: &str| {
        let asked = practice.api.with_key(None).get(&feed.path).header("daybook-purpose", purpose);
        asked.header("if-none-match", known).send()
    };
    let known = tag(&ask("first", "\"another\""));
    ask("again", &known).has_status(304);
    ask("anew", "\"another\"").has_status(200);
    let purposes = eventually("what was told last is in the audit log", || {
        let entries = practice.api.get("/v1/audit?limit=100").send().is(200);
        let entries = entries["items"].as_array().unwrap().clone();
        let purposes: Vec<String> = entries
            .iter()
            .filter_map(|entry| entry["purpose"].as_str().map(str::to_owned))
            .collect();
        purposes.iter().any(|purpose| purpose == "anew").then_some(purposes)
    });
    assert_eq!(purposes, ["anew", "first"]);
}

#[test]
fn a_move_changes_bytes_and_tag_and_counts_up() {
    let practice = a_practice();
    let booked = practice.booked(monday(8, 0));
    let feed = a_feed(&practice, &json!({}));
    let before = feed.events_once(&practice, |events| events.len() == 1);
    changes(&feed, &practice, || {
        practice.act(&booked, "reschedule", &json!({"start_at": utc(monday(9, 0))})).is(200);
    });
    let after = feed.events_once(&practice, |events| events.len() == 1);
    assert_eq!(each(&after, "uid"), [id_of(&booked)], "it is the same event");
    assert_eq!(each(&after, "start"), [utc(monday(9, 0))]);
    assert_eq!((&before[0]["sequence"], &after[0]["sequence"]), (&json!(0), &json!(1)));
    assert!(after[0]["stamp"].as_str() >= before[0]["stamp"].as_str());
}

/// Whoever is renamed, and whoever is forgotten, is so in calendars as well.
#[test]
fn another_name_and_an_erasure_change_bytes_and_tag() {
    let practice = a_practice();
    let client = practice.a_client("Somebody");
    let booking = practice.booking(monday(8, 0)).with("client_id", &*client);
    let booked = booking.send().is(201);
    let feed = a_feed(&practice, &json!({"personal": "told"}));
    feed.events_once(&practice, |events| each(events, "summary") == ["Check-up (Somebody)"]);
    let path = format!("/v1/clients/{client}");
    let renamed = changes(&feed, &practice, || {
        practice.api.patch(&path, &json!({"name": "Somebody else"})).send().is(200);
    });
    assert!(renamed.text.contains("SUMMARY:Check-up (Somebody else)"), "{}", renamed.text);
    practice.act(&booked, "check-in", &json!({})).is(200);
    practice.act(&booked, "complete", &json!({})).is(200);
    changes(&feed, &practice, || {
        let erase = json!({"reason": "requested"});
        practice.api.post(&format!("{path}/erase"), &erase).send().is(200);
    });
    let erased = eventually("the name is gone", || {
        Some(feed.follow(&practice)).filter(|it| it.text.contains("SUMMARY:Check-up (erased)"))
    });
    assert!(!erased.text.contains("Somebody"), "{}", erased.text);
}

#[test]
fn a_large_calendar_is_compressed_for_whoever_takes_that() {
    let practice = a_practice();
    for hour in 0..12 {
        practice.booked(monday(hour, 0));
    }
    let feed = a_feed(&practice, &json!({}));
    feed.events_once(&practice, |events| events.len() == 12);
    let ask = || practice.api.with_key(None).get(&feed.path);
    let gzip = ask().header("accept-encoding", "gzip").send();
    gzip.has_status(200);
    let tag = tag(&gzip);
    assert!(tag.ends_with("-gzip\""), "{tag}");
    let known = ask().header("accept-encoding", "gzip").header("if-none-match", &tag).send();
    known.has_status(304);
}
