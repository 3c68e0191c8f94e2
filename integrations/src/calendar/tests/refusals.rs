//! Events that cannot be booked, each with its reason; the others go on.

use super::*;

fn timed(start: &str, end: &str) -> RefusalReason {
    refused(&an_event(&format!("UID:a@example.org\n{start}\n{end}")))
}

const START: &str = "DTSTART:20260301T090000Z";
const END: &str = "DTEND:20260301T100000Z";

#[test]
fn an_event_that_cannot_be_booked_does_not_stop_the_others() {
    let file = a_calendar(
        "BEGIN:VEVENT\nUID:a\nSUMMARY:No\\, end\nDTSTART:20260301T090000Z\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:b\nDTSTART:20260301T090000Z\nDTEND:20260301T100000Z\nEND:VEVENT",
    );
    let events = all_of(&file);
    let refusal = events[0].clone().expect_err("the first has no end");
    assert_eq!(
        refusal,
        EventRefusal {
            line: 4,
            uid: Some("a".to_owned()),
            summary: Some("No, end".to_owned()),
            reason: RefusalReason::NoEnd,
        }
    );
    assert_eq!(refusal.to_string(), "line 4: No, end: it has no end (neither DTEND nor DURATION)");
    assert_eq!(events[1].as_ref().map(|event| event.uid.as_str()), Ok("b"));
}

#[test]
fn an_event_needs_a_name_a_start_and_one_end_after_it() {
    assert_eq!(refused(&an_event(&format!("{START}\n{END}"))), RefusalReason::NoUid);
    assert_eq!(refused(&an_event(&format!("UID: \n{START}\n{END}"))), RefusalReason::NoUid);
    assert_eq!(timed("", END), RefusalReason::NoStart);
    assert_eq!(timed(START, ""), RefusalReason::NoEnd);
    assert_eq!(timed(START, &format!("{END}\nDURATION:PT1H")), RefusalReason::EndAndDuration);
    for end in
        ["DTEND:20260301T090000Z", "DTEND:20260228T100000Z", "DURATION:PT0S", "DURATION:-PT1H"]
    {
        assert_eq!(timed(START, end), RefusalReason::EndNotAfterStart, "{end}");
    }
}

#[test]
fn all_day_events_are_refused_as_such() {
    let start = RefusalReason::AllDay { property: "DTSTART" };
    assert_eq!(timed("DTSTART;VALUE=DATE:20260301", "DTEND;VALUE=DATE:20260302"), start);
    assert_eq!(timed("DTSTART:20260301", "DURATION:P1D"), start);
    assert_eq!(
        timed(START, "DTEND;VALUE=DATE:20260302"),
        RefusalReason::AllDay { property: "DTEND" }
    );
}

#[test]
fn a_series_is_refused_and_never_booked_once() {
    for (line, property) in [
        ("RRULE:FREQ=WEEKLY", "RRULE"),
        ("rrule:FREQ=WEEKLY", "RRULE"),
        ("RDATE:20260308T090000Z", "RDATE"),
        ("EXDATE:20260308T090000Z", "EXDATE"),
        ("RECURRENCE-ID;RANGE=THISANDFUTURE:20260308T090000Z", "RECURRENCE-ID"),
    ] {
        assert_eq!(refused(&an_event_with(line)), RefusalReason::Recurring { property }, "{line}");
    }
}

#[test]
fn a_cancelled_event_is_refused_as_cancelled() {
    assert_eq!(refused(&an_event_with("STATUS:cancelled")), RefusalReason::Cancelled);
    assert!(all_of(&an_event_with("STATUS:TENTATIVE"))[0].is_ok());
}

#[test]
fn times_and_durations_that_are_none_are_refused_with_their_text() {
    let bad_start =
        |value: &str| RefusalReason::BadTime { property: "DTSTART", value: value.to_owned() };
    for value in ["20260230T090000Z", "tomorrow", "20260301T090000+0100", ""] {
        assert_eq!(timed(&format!("DTSTART:{value}"), END), bad_start(value));
    }
    let both = "DTSTART;TZID=America/Phoenix:20260301T090000Z";
    assert_eq!(timed(both, END), bad_start("20260301T090000Z"));
    assert_eq!(
        timed(START, "DURATION:an hour"),
        RefusalReason::BadDuration { value: "an hour".to_owned() }
    );
    assert!(matches!(timed(START, "DURATION:P999999999W"), RefusalReason::BadDuration { .. }));
}

#[test]
fn a_zone_that_is_not_an_iana_zone_is_refused_by_its_name() {
    let event =
        "BEGIN:VEVENT\nUID:a\nDTSTART;TZID=Office:20260301T090000\nDURATION:PT1H\nEND:VEVENT";
    let name = || "Office".to_owned();
    assert_eq!(refused(&a_calendar(event)), RefusalReason::UnknownTimeZone { name: name() });
    let zone = "BEGIN:VTIMEZONE\nTZID:Office\nBEGIN:STANDARD\nDTSTART:19700101T000000\n\
                TZOFFSETFROM:+0100\nTZOFFSETTO:+0100\nEND:STANDARD\nEND:VTIMEZONE";
    let custom = RefusalReason::CustomTimeZone { name: name() };
    assert_eq!(refused(&a_calendar(&format!("{zone}\n{event}"))), custom);
    assert_eq!(refused(&a_calendar(&format!("{event}\n{zone}"))), custom);
}

#[test]
fn the_second_event_of_the_same_name_is_refused() {
    let event = |more: &str| format!("BEGIN:VEVENT\nUID:a\n{START}\n{END}\n{more}END:VEVENT\n");
    let other_instance = event("RECURRENCE-ID:20260301T090000Z\n");
    let file = a_calendar(&format!("{}{other_instance}{}", event(""), event("")));
    let events = all_of(&file);
    assert!(events[0].is_ok() && events[1].is_ok());
    let reason = events[2].clone().expect_err("it is there twice").reason;
    assert_eq!(reason, RefusalReason::Duplicate { first_line: 4 });
}

#[test]
fn lines_that_break_the_format_refuse_their_event() {
    assert_eq!(
        refused(&an_event_with("DESCRIPTION:one\nand two")),
        RefusalReason::Malformed { line: 9 }
    );
    assert_eq!(
        refused(&an_event_with("SUMMARY:a\nSUMMARY:b")),
        RefusalReason::Repeated { property: "SUMMARY" }
    );
    for text in ["a\u{1b}[31mb", "a\0b", "a\rb", "a\u{7f}"] {
        let reason = refused(&an_event_with(&format!("SUMMARY:{text}")));
        assert_eq!(reason, RefusalReason::ControlCharacter { property: "SUMMARY" }, "{text:?}");
    }
}

#[test]
fn texts_that_are_too_long_are_refused_and_not_cut() {
    for (property, max_chars) in [
        ("SUMMARY", MAX_SUMMARY_CHARS),
        ("LOCATION", MAX_LOCATION_CHARS),
        ("DESCRIPTION", MAX_DESCRIPTION_CHARS),
        ("CATEGORIES", MAX_CATEGORY_CHARS),
    ] {
        let of_length = |chars| an_event_with(&format!("{property}:{}", "ü".repeat(chars)));
        assert!(all_of(&of_length(max_chars))[0].is_ok(), "{property}");
        assert_eq!(
            refused(&of_length(max_chars + 1)),
            RefusalReason::TooLong { property, max_chars }
        );
    }
    let long_uid = an_event(&format!("UID:{}\n{START}\n{END}", "u".repeat(MAX_UID_CHARS + 1)));
    assert!(matches!(refused(&long_uid), RefusalReason::TooLong { property: "UID", .. }));
    let names: Vec<String> = (0..=MAX_TAGS + 1).map(|n| format!("c{n}")).collect();
    let many = an_event_with(&format!("CATEGORIES:{}", names.join(",")));
    assert_eq!(refused(&many), RefusalReason::TooManyCategories { max: MAX_TAGS + 1 });
}
