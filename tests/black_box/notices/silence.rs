//! Who is told nothing, and what is not told.

use serde_json::json;

use super::{Telling, hours, names, nine};
use crate::harness::{Server, eventually};
use crate::mail::is_late;

/// By default, and of what was there before somebody chose otherwise.
#[test]
fn nobody_is_told_of_what_was_booked_before_it_was_chosen() {
    let telling = Telling::silent();
    let before = telling.booked(&telling.client("before@example.org"), nine());
    telling.speaks("email");
    let moved = telling.booked(&telling.client("after@example.org"), nine());
    telling.moved(&before, nine() + hours(24));
    telling.cancelled(&before);
    telling.next(0, "after@example.org");
    telling.speaks("off");
    // What was agreed to be told is told no more, and it is known why.
    telling.moved(&moved, nine() + hours(24));
    let names = eventually("it is given up", || {
        let names = names(&telling.ledger(&moved));
        names.last().is_some_and(|name| name == "NoticeGivenUp").then_some(names)
    });
    assert_eq!(names, ["NoticeBegun", "NoticeSent", "NoticeGivenUp"]);
    assert_eq!(telling.ledger(&moved)[2].1["why"], "off");
    assert_eq!(telling.ledger(&before), []);
    assert_eq!(telling.relay.mails().len(), 1);
}

#[test]
fn a_client_who_wants_none_or_has_no_address_is_told_nothing() {
    let telling = Telling::new();
    let unwanted = telling.client_with(&json!({"email": "no@example.org", "reminders": "none"}));
    for (client, why) in [(unwanted, "not-wanted"), (telling.client_with(&json!({})), "no-address")]
    {
        let appointment = telling.booked(&client, nine());
        assert_eq!(telling.until(&appointment, "NoticeSkipped", 1), ["NoticeSkipped"]);
        assert_eq!(telling.ledger(&appointment)[0].1["why"], why);
    }
    assert_eq!(telling.relay.mails().len(), 0);
}

/// What is known of them is only kept, also what was agreed to be told.
#[test]
fn a_client_who_is_restricted_is_told_nothing_more() {
    let telling = Telling::new();
    let address = "kept@example.org";
    let client = telling.client(address);
    let appointment = telling.booked(&client, nine());
    telling.until(&appointment, "NoticeSent", 1);
    let restrict = format!("/v1/clients/{client}/restrict");
    let reason = json!({"reason": "objection-pending"});
    telling.practice.api.post(&restrict, &reason).send().is(200);
    telling.cancelled(&appointment);
    let names = telling.until(&appointment, "NoticeGivenUp", 1);
    assert_eq!(names, ["NoticeBegun", "NoticeSent", "NoticeGivenUp"]);
    assert_eq!(telling.ledger(&appointment)[2].1["why"], "restricted");
    assert_eq!(telling.relay.mails_to(address).len(), 1);
}

/// However often it was tried: it is since the appointment is so.
#[test]
fn for_how_long_a_client_has_not_been_told_counts_from_the_first() {
    let telling = Telling::new();
    let appointment = telling.booked(&telling.client("busy-9.a@example.org"), nine());
    telling.until(&appointment, "NoticeFailed", 1);
    is_late(&telling.server, "daybook_notices_oldest_due_seconds");
}

/// The relay did not take the mail, and the appointment has moved since: the client is told of what is so.
#[test]
fn what_is_not_so_any_more_is_not_told() {
    let telling = Telling::new();
    let (address, gone) = ("busy-2.a@example.org", "busy-9.b@example.org");
    let moved = telling.booked(&telling.client(address), nine());
    let cancelled = telling.booked(&telling.client(gone), nine());
    for appointment in [&moved, &cancelled] {
        telling.until(appointment, "NoticeFailed", 1);
    }
    telling.moved(&moved, nine() + hours(24));
    telling.cancelled(&cancelled);
    for appointment in [&moved, &cancelled] {
        eventually("the old one is given up", || {
            let ledger = telling.ledger(appointment);
            let is_it = |(name, event): &(String, serde_json::Value)| {
                name == "NoticeGivenUp" && event["why"] == "superseded"
            };
            ledger.iter().any(is_it).then_some(())
        });
    }
    telling.until(&moved, "NoticeSent", 1);
    let mail = telling.next(0, address);
    assert!(mail.text("subject").starts_with("Confirmed: Check-up on Monday"), "{mail:?}");
    assert!(telling.relay.mails_to(gone).is_empty());
}

/// Two moves while no program writes are one mail, and there and back is none.
#[test]
fn only_what_is_so_at_present_is_told() {
    let telling = Telling::new();
    let (twice, back) = ("twice@example.org", "back@example.org");
    let moved = telling.booked(&telling.client(twice), nine());
    let returned = telling.booked(&telling.client(back), nine());
    telling.until(&moved, "NoticeSent", 1);
    telling.until(&returned, "NoticeSent", 1);
    let Telling { relay, database, server, practice } = telling;
    drop(server);
    let server = Server::start(&database);
    let practice = practice.moved_to(&server);
    let telling = Telling { relay, database, server, practice };
    for (appointment, away) in [(&moved, 24), (&moved, 48), (&returned, 24), (&returned, 0)] {
        telling.moved(appointment, nine() + hours(away));
    }
    let Telling { relay, database, server, practice } = telling;
    drop(server);
    let server = Server::start_with(&database, &relay.patient());
    let practice = practice.moved_to(&server);
    let telling = Telling { relay, database, server, practice };
    let mail = telling.next(1, twice);
    assert!(mail.text("subject").starts_with("Changed: Check-up on Tuesday"), "{mail:?}");
    telling.until(&moved, "NoticeSent", 2);
    assert_eq!(names(&telling.ledger(&returned)), ["NoticeBegun", "NoticeSent"]);
    // Whoever is told next has sequence two: a calendar that has the first one takes it.
    assert_eq!(telling.ledger(&moved)[2].1["sequence"], 2);
}
