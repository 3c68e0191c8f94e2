//! What clients are told, and what their calendars read of it.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Telling, hours, nine};
use crate::harness::{id_of, personal};
use crate::mail::{Mail, judges};

/// What a calendar reads, without when it was written, which is told beside it.
fn read(mail: &Mail) -> (Value, DateTime<Utc>) {
    let mut read = judges::read(mail);
    let stamp = read.as_object_mut().unwrap().remove("stamp").unwrap();
    (read, stamp.as_str().unwrap().parse().unwrap())
}

#[test]
fn book_move_move_and_cancel_are_one_event_in_a_calendar() {
    let telling = Telling::new();
    let address = "one@example.org";
    let appointment = telling.booked(&telling.client(address), nine());
    let told = |method: &str, sequence: u32, start: DateTime<Utc>| {
        let status = if method == "CANCEL" { "CANCELLED" } else { "CONFIRMED" };
        let shown = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
        json!({
            "kinds": ["multipart/alternative", "text/plain", "text/html", "text/calendar"],
            "mime_method": method, "method": method, "charset": "utf-8",
            "from": "post@practice.example", "organizer": "post@practice.example",
            "attendee": address, "name": personal::NAME,
            "uid": id_of(&appointment), "sequence": sequence, "status": status,
            "start": shown(start), "end": shown(start + hours(1) / 2),
            "zones": ["Europe/Oslo"], "summary": "Check-up", "location": "",
        })
    };
    let first = telling.next(0, address);
    let day = nine().format("%A %-d %B %Y");
    assert_eq!(first.text("subject"), format!("Confirmed: Check-up on {day} at 09:00"));
    let (confirmed, mut stamp) = read(&first);
    assert_eq!(confirmed, told("REQUEST", 0, nine()));
    for (nth, start) in [(1, nine() + hours(24)), (2, nine() + hours(26))] {
        telling.moved(&appointment, start);
        let mail = telling.next(nth, address);
        assert!(mail.text("subject").starts_with("Changed: Check-up on Monday"), "{mail:?}");
        let (changed, later) = read(&mail);
        assert_eq!(changed, told("REQUEST", u32::try_from(nth).unwrap(), start));
        assert!(stamp <= later);
        stamp = later;
    }
    telling.cancelled(&appointment);
    let mail = telling.next(3, address);
    for body in ["text", "html"] {
        assert!(mail.text(body).contains("your appointment is cancelled"), "{mail:?}");
        assert!(mail.text(body).contains(personal::NAME), "{mail:?}");
    }
    let (cancelled, later) = read(&mail);
    assert_eq!(cancelled, told("CANCEL", 3, nine() + hours(26)));
    assert!(stamp <= later);

    let names = telling.until(&appointment, "NoticeSent", 4);
    let again = ["NoticeBegunAgain", "NoticeSent"];
    assert_eq!(names, [["NoticeBegun", "NoticeSent"], again, again, again].concat());
    let ledger = telling.ledger(&appointment);
    let whats: Vec<_> = ledger.iter().filter_map(|(_, event)| event["what"].as_str()).collect();
    assert_eq!(whats, ["confirmation", "change", "change", "cancellation"]);
    // Neither the address nor what the relay said is anywhere.
    let metrics = telling.server.operator().get("/metrics").download();
    let metrics = String::from_utf8(metrics).unwrap();
    for told in [format!("{ledger:?}"), telling.server.log(), metrics.clone()] {
        assert!(!told.contains("example.org"), "{told}");
    }
    assert!(metrics.contains("daybook_notices_total{result=\"sent\"} 4"), "{metrics}");
    telling.database.run(&["verify"]).succeeded();
    telling.database.projections_are_what_the_log_says();
}

#[test]
fn whatever_is_in_a_name_or_a_place_is_read_again() {
    let telling = Telling::new();
    let (address, name) =
        ("plain@example.org", "Kontroll; \"lang\", på ettermiddagen, ".to_owned());
    let name = name + &"æ".repeat(60);
    let place = "Havnegata 12, 5003 Bergen\\; inn porten";
    telling
        .practice
        .api
        .patch(
            &format!("/v1/services/{}", telling.practice.service),
            &json!({"name": name, "location": place}),
        )
        .send()
        .is(200);
    let appointment = telling.booked(&telling.client(address), nine());
    let (read, _) = read(&telling.next(0, address));
    assert_eq!((&read["summary"], &read["location"]), (&json!(name), &json!(place)));
    // Another place is a change.
    let there = json!({"location": "Torget 1"});
    telling.practice.act(&appointment, "change", &there).is(200);
    let (read, _) = self::read(&telling.next(1, address));
    assert_eq!((&read["location"], &read["sequence"]), (&json!("Torget 1"), &json!(1)));
}
