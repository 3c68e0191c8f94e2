//! What one event comes to.

use daybook_domain::appointment::Takes;
use daybook_domain::{Illegible, Note, Title};
use daybook_ical::Fault;

use super::*;

fn named(place: &str) -> Place {
    Place::Named(Name::new(place).unwrap())
}

#[test]
fn an_event_has_the_texts_that_its_maker_wrote() {
    let event = booked(&an_event_with(
        "SUMMARY:Rack 'em\\, stack 'em (Gene\n ral)\nLOCATION:Hall F&G\\n1 High Street\n\
         DESCRIPTION:First line\\nsecond\\; line\nCATEGORIES:Talk\\, long, Web ,Ruby",
    ));
    assert_eq!(event.title.as_ref().map(Title::as_str), Some("Rack 'em, stack 'em (General)"));
    assert_eq!(event.category.as_ref().map(daybook_domain::Category::as_str), Some("Talk, long"));
    assert_eq!(tags(&event), ["Ruby", "Web"]);
    assert_eq!(event.place, named("Hall F&G 1 High Street"));
    assert_eq!(note(&event), "First line\nsecond; line");
    assert_eq!(event.copied.takes, Takes::Place);
}

#[test]
fn a_category_is_made_of_a_persons_words_only_where_the_caller_says_so() {
    let file = an_event_with("SUMMARY:Call with a client (+47 22 00 00 00)");
    assert_eq!(booked(&file).category, None);
    let by_rule = Reading { category_from: Some(CategoryFrom::SummaryParentheses), ..reading() };
    let entry = groups(&file, &by_rule).remove(0).entries.remove(0).unwrap();
    let Wanted::Booked(to_book) = entry.wanted else { panic!("booked") };
    assert_eq!(to_book.category.unwrap().as_str(), "+47 22 00 00 00");
    assert_eq!("summary-parentheses".parse(), Ok(CategoryFrom::SummaryParentheses));
    assert!("summary".parse::<CategoryFrom>().is_err());
}

#[test]
fn without_a_place_an_event_is_in_the_calendar_itself_where_one_may_lie_over_another() {
    let calendar = |name: &str| Place::Calendar(Name::new(name).unwrap());
    for location in ["", "LOCATION:", "LOCATION: \\n"] {
        let event = booked(&an_event_with(location));
        assert_eq!((event.place, event.copied.takes), (calendar("week"), Takes::PlaceOrMore));
    }
    let named = an_event_with("").replace("VERSION", "X-WR-CALNAME:My week\r\nVERSION");
    assert_eq!(booked(&named).place, calendar("My week"));
}

#[test]
fn an_online_meeting_is_no_place_and_its_link_is_kept() {
    let link = "https://example.org/j/123";
    let event = booked(&an_event_with(&format!("LOCATION:{link}\nDESCRIPTION:Bring a pen")));
    assert!(matches!(event.place, Place::Calendar(_)));
    assert_eq!(note(&event), format!("Bring a pen\n\n{link}"));
    let said = booked(&an_event_with(&format!("LOCATION:{link}\nDESCRIPTION:Join: {link}")));
    assert_eq!(note(&said), format!("Join: {link}"), "once is enough");
    let room = booked(&an_event_with("LOCATION:Room 9\\; Microsoft Teams Meeting"));
    assert_eq!(room.place, named("Room 9"));
    assert_eq!(note(&room), "Room 9; Microsoft Teams Meeting");
}

#[test]
fn whole_days_are_the_local_days_of_the_calendars_zone() {
    let day = an_event("UID:a\nDTSTART;VALUE=DATE:20270328\nDTEND;VALUE=DATE:20270330");
    let event = booked(&day);
    assert_eq!(hours(&event), from_to("2027-03-27T23:00", "2027-03-29T22:00"));
    assert_eq!((event.time_zone, event.copied.takes), (Tz::Europe__Berlin, Takes::PlaceOrMore));
    let at_a_place = booked(&day.replace("UID:a", "UID:a\r\nLOCATION:Room 9"));
    assert_eq!((at_a_place.place, at_a_place.copied.takes), (named("Room 9"), Takes::PlaceOrMore));
    let denver = day.replace("VERSION", "X-WR-TIMEZONE:America/Denver\r\nVERSION");
    assert_eq!(hours(&booked(&denver)), from_to("2027-03-28T06:00", "2027-03-30T06:00"));
    let same_day = an_event("UID:a\nDTSTART;VALUE=DATE:20270516\nDTEND;VALUE=DATE:20270516");
    assert_eq!(hours(&booked(&same_day)), from_to("2027-05-15T22:00", "2027-05-16T22:00"));
    let skipped = an_event("UID:a\nDTSTART;VALUE=DATE:20111230")
        .replace("VERSION", "X-WR-TIMEZONE:Pacific/Apia\r\nVERSION");
    assert_eq!(refused(&skipped), RefusalReason::NoSuchDays { time_zone: "Pacific/Apia" });
}

#[test]
fn what_takes_no_time_takes_none() {
    let free = booked(&an_event_with("TRANSP:TRANSPARENT\nLOCATION:Room 9"));
    assert_eq!((free.place.clone(), free.copied.takes), (named("Room 9"), Takes::Nothing));
    let moment = booked(&an_event("UID:a\nDTSTART:20260301T090000Z"));
    assert_eq!(moment.copied.takes, Takes::Nothing);
    assert_eq!(hours(&moment), from_to("2026-03-01T09:00", "2026-03-01T09:01"));
}

#[test]
fn an_event_may_be_as_long_as_it_is() {
    let file = an_event("UID:a\nDTSTART:20270801T080000Z\nDTEND:20270915T080000Z");
    assert_eq!(hours(&booked(&file)), from_to("2027-08-01T08:00", "2027-09-15T08:00"));
}

#[test]
fn what_may_yet_not_take_place_is_labelled_and_what_does_not_is_cancelled() {
    assert_eq!(tags(&booked(&an_event_with("STATUS:TENTATIVE"))), ["tentative"]);
    assert_eq!(only(&an_event_with("STATUS:CANCELLED")).wanted, Wanted::Cancelled);
    let cancel = an_event_with("").replace("VERSION", "METHOD:CANCEL\r\nVERSION");
    assert_eq!(only(&cancel).wanted, Wanted::Cancelled);
    let request = an_event_with("").replace("VERSION", "METHOD:REQUEST\r\nVERSION");
    assert!(matches!(only(&request).wanted, Wanted::Booked(_)));
}

#[test]
fn what_is_private_is_busy_and_its_text_is_about_a_person() {
    let file = an_event_with(
        "CLASS:PRIVATE\nSUMMARY:Visit to the physician\nDESCRIPTION:Left knee\nCATEGORIES:Health\n\
         LOCATION:Room 9",
    );
    let event = booked(&file);
    assert_eq!(event.title.as_ref().map(Title::as_str), Some("Busy"));
    assert_eq!((event.category.as_ref(), tags(&event).len()), (None, 0));
    assert_eq!(note(&event), "Visit to the physician\n\nLeft knee");
    assert!(event.private);
    assert_eq!(event.place, named("Room 9"));
    assert_eq!(only(&file).shown, "Busy", "nor is it told in messages");
    for unread in [
        file.replace(":20260301T090000Z", ";TZID=Mars/Base:20260301T090000"),
        file.replace("Left", &"Left ".repeat(4_000)),
    ] {
        let refusal = all_of(&unread).remove(0).expect_err("it cannot be booked");
        assert_eq!(refusal.shown, "Busy", "nor where it is refused: {refusal}");
    }
    let unknown = booked(&file.replace("CLASS:PRIVATE", "CLASS:X-FAMILY"));
    assert!(unknown.private, "RFC 5545 §3.8.1.3");
    assert!(!booked(&file.replace("CLASS:PRIVATE", "CLASS:Public")).private);
}

#[test]
fn what_turns_the_direction_of_writing_is_left_out_and_what_cannot_be_seen_is_refused() {
    let event = booked(&an_event_with(
        "SUMMARY:\u{202b}\u{5e9}\u{5dc}\u{202c} 1\nDESCRIPTION:\u{2067}a\u{2069}\u{202e}b",
    ));
    assert_eq!(event.title.as_ref().map(Title::as_str), Some("\u{5e9}\u{5dc} 1"));
    assert_eq!(note(&event), "ab");
    for property in ["SUMMARY", "DESCRIPTION", "CATEGORIES"] {
        let unseen = refused(&an_event_with(&format!("{property}:\u{200b}")));
        assert_eq!(unseen, RefusalReason::Illegible { property, why: Illegible::Invisible });
    }
}

#[test]
fn texts_are_whole_or_refused_by_name() {
    let of =
        |property: &str, chars: usize| an_event_with(&format!("{property}:{}", "ü".repeat(chars)));
    for (property, max_chars) in [("DESCRIPTION", Note::MAX_CHARS), ("CATEGORIES", 80)] {
        booked(&of(property, max_chars));
        let chars = max_chars + 1;
        let too_long = RefusalReason::TooLong { property, chars, max_chars };
        assert_eq!(refused(&of(property, chars)), too_long);
    }
    let short = booked(&of("SUMMARY", Title::MAX_CHARS));
    assert_eq!(
        (short.title.unwrap().as_str().chars().count(), short.note),
        (Title::MAX_CHARS, None)
    );
    // What is too long for a title is whole in the note, and the title says that it goes on.
    let long = booked(&of("SUMMARY", Title::MAX_CHARS + 1));
    assert_eq!(note(&long), "ü".repeat(Title::MAX_CHARS + 1));
    let title = long.title.as_ref().unwrap().as_str();
    assert_eq!(title, "ü".repeat(Title::MAX_CHARS - 1) + "…");
    // An address that is too long for a name is no name, and is kept all the same.
    let address = "1 High Street, ".repeat(20);
    let event = booked(&an_event_with(&format!("LOCATION:{}", address.replace(',', "\\,"))));
    assert!(matches!(event.place, Place::Calendar(_)));
    assert_eq!(note(&event), address.trim());
    let many: Vec<String> = (0..=daybook_domain::Tags::MAX + 1).map(|n| format!("c{n}")).collect();
    let many = an_event_with(&format!("CATEGORIES:{}", many.join(",")));
    let too_many = RefusalReason::TooManyCategories { max: daybook_domain::Tags::MAX };
    assert_eq!(refused(&many), too_many);
}

#[test]
fn years_that_cannot_be_booked_are_refused() {
    for (start, year) in
        [("99991231T230000Z", 9999), ("19691231T230000Z", 1969), ("00000101T000000Z", 0)]
    {
        let file = an_event(&format!("UID:a\nDTSTART:{start}\nDURATION:PT10M"));
        assert_eq!(refused(&file), RefusalReason::OutOfCalendar { year }, "{start}");
    }
    let late = an_event("UID:a\nDTSTART:21991231T230000Z\nDURATION:PT2H");
    assert_eq!(refused(&late), RefusalReason::OutOfCalendar { year: 2200 });
    let into_nowhere = an_event("UID:a\nDTSTART:99991231T230000Z\nDURATION:P999999999W");
    assert!(matches!(refused(&into_nowhere), RefusalReason::OutOfCalendar { .. }));
}

#[test]
fn an_event_without_a_uid_is_the_same_in_every_file() {
    let file = |lines: &str| an_event(&format!("DTSTART:20260301T090000Z\nDURATION:PT1H\n{lines}"));
    let uid = only(&file("SUMMARY:Lunch")).uid;
    assert_eq!(uid, only(&file("SUMMARY:Lunch\nDESCRIPTION:At noon")).uid);
    assert_ne!(uid, only(&file("SUMMARY:Dinner")).uid);
}

#[test]
fn a_refusal_names_the_event_and_its_line() {
    let file = a_calendar(
        "BEGIN:VEVENT\nUID:a\nSUMMARY:No\\, start\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:b\nDTSTART:20260301T090000Z\nEND:VEVENT",
    );
    let entries = all_of(&file);
    let refusal = entries[0].clone().expect_err("the first has no start");
    assert_eq!(refusal.reason, RefusalReason::Fault(Fault::NoStart));
    assert_eq!(refusal.to_string(), "line 4: No, start: it has no start (DTSTART)");
    assert_eq!(entries[1].as_ref().map(|entry| entry.uid.as_str()), Ok("b"));
}
