//! Files that are taken whole, and files of which nothing is taken.

use super::*;

fn error_of(file: &[u8]) -> ReadError {
    read(file, None).expect_err("the file cannot be read")
}

fn text(text: &str) -> String {
    text.to_owned()
}

#[test]
fn a_file_without_events_is_a_calendar() {
    assert_eq!(all_of("\u{feff}BEGIN:VCALENDAR\nEND:VCALENDAR"), []);
}

#[test]
fn calendars_may_follow_each_other_in_one_file() {
    let one = an_event_with("SUMMARY:One");
    let other = one.replace("a@example.org", "b@example.org");
    assert_eq!(all_of(&format!("{one}\r\n{other}")).iter().flatten().count(), 2);
    let again = all_of(&format!("{one}{one}"))[1].clone().expect_err("it is there twice");
    assert_eq!(again.reason, RefusalReason::Duplicate { first_line: 4 });
}

#[test]
fn what_is_no_calendar_says_so() {
    assert_eq!(error_of(b""), ReadError::Empty);
    assert_eq!(error_of(b"\r\n \r\n"), ReadError::Empty);
    for file in
        [&b"\n<html>"[..], b"\nBEGIN:VCARD\nEND:VCARD", b"\nEND:VCALENDAR", b"\nBEGIN:VEVENT"]
    {
        assert_eq!(error_of(file), ReadError::NotICalendar { line: 2 });
    }
    assert_eq!(error_of(b"BEGIN:VCALENDAR\nX-A:\xC3\x28\n"), ReadError::NotUtf8 { line: 2 });
}

#[test]
fn a_truncated_file_names_what_is_open() {
    let whole = an_event_with("SUMMARY:Lunch");
    let up_to = |words: &str| whole.rfind(words).expect("words of the file");
    assert_eq!(
        error_of(&whole.as_bytes()[..up_to("SUMMARY")]),
        ReadError::Truncated { component: text("VEVENT"), line: 4 }
    );
    for end in ["END:VCALENDAR", "NDAR\r\n"] {
        assert_eq!(
            error_of(&whole.as_bytes()[..up_to(end)]),
            ReadError::Truncated { component: text("VCALENDAR"), line: 1 }
        );
    }
}

#[test]
fn components_that_do_not_match_are_an_error_with_the_line() {
    assert_eq!(
        error_of(b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR\n"),
        ReadError::WrongEnd { line: 3, found: text("VCALENDAR"), open: text("VEVENT") }
    );
    assert_eq!(
        error_of(b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nBEGIN:VEVENT\n"),
        ReadError::Misplaced { line: 4, component: text("VEVENT"), inside: text("VEVENT") }
    );
    assert_eq!(
        error_of(b"BEGIN:VCALENDAR\nEND:VCALENDAR\nEND:VCALENDAR\n"),
        ReadError::TextAfterEnd { line: 3 }
    );
}

#[test]
fn properties_of_the_file_that_change_its_meaning_are_not_passed_over() {
    for (property, value) in [("VERSION", "1.0"), ("CALSCALE", "CHINESE"), ("METHOD", "CANCEL")] {
        let file = format!("BEGIN:VCALENDAR\n{property}:{value}\nEND:VCALENDAR\n");
        let expected = ReadError::Unsupported { line: 2, property, value: text(value) };
        assert_eq!(error_of(file.as_bytes()), expected);
    }
    assert_eq!(all_of("BEGIN:VCALENDAR\nMETHOD:publish\nEND:VCALENDAR\n"), []);
}

#[test]
fn a_file_beyond_the_limits_is_not_read() {
    let max_bytes = MAX_FILE_BYTES;
    let large = vec![b' '; max_bytes + 1];
    assert_eq!(error_of(&large), ReadError::TooLarge { bytes: max_bytes + 1, max_bytes });

    let deep = format!("BEGIN:VCALENDAR\n{}", "BEGIN:X-DEEP\n".repeat(200_000));
    assert_eq!(error_of(deep.as_bytes()), ReadError::TooDeep { line: 17, max: 16 });

    let events = |count| a_calendar(&"BEGIN:VEVENT\nEND:VEVENT\n".repeat(count));
    assert_eq!(all_of(&events(MAX_EVENTS)).len(), MAX_EVENTS);
    let too_many = ReadError::TooManyEvents { max: MAX_EVENTS };
    assert_eq!(error_of(events(MAX_EVENTS + 1).as_bytes()), too_many);
}
