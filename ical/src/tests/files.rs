//! Files that are sound, and files of which nothing is taken.

use super::*;

fn error_of(file: &[u8]) -> FileError {
    scan(file).expect_err("the file cannot be read")
}

fn text(text: &str) -> String {
    text.to_owned()
}

#[test]
fn a_file_without_events_is_a_calendar() {
    assert_eq!(all_of("\u{feff}BEGIN:VCALENDAR\nEND:VCALENDAR"), []);
    assert_eq!(all_of("begin:vcalendar\nEnd: VCALENDAR \n"), []);
}

#[test]
fn calendars_may_follow_each_other_in_one_file_and_each_has_its_own_name() {
    let one = an_event_with("SUMMARY:One").replace("PRODID", "X-WR-CALNAME:A\r\nPRODID");
    let other = one.replace("a@example.org", "b@example.org").replace("CALNAME:A", "CALNAME:B");
    let file = format!("{one}\r\n{one}{other}");
    let index = scan(file.as_bytes()).unwrap();
    let names: Vec<_> = index.calendars.iter().map(|calendar| calendar.name.as_deref()).collect();
    assert_eq!(names, [Some("A"), Some("B")]);
    let of: Vec<_> = index.events.iter().map(|place| place.calendar).collect();
    assert_eq!(of, [0, 0, 1]);
    let hashes: Vec<_> = index.events.iter().map(|place| place.uid_hash).collect();
    assert!(hashes[0] == hashes[1] && hashes[1] != hashes[2]);
}

#[test]
fn what_is_no_calendar_says_so() {
    assert_eq!(error_of(b""), FileError::Empty);
    assert_eq!(error_of(b"\r\n \r\n"), FileError::Empty);
    for file in
        [&b"\n<html>"[..], b"\nBEGIN:VCARD\nEND:VCARD", b"\nEND:VCALENDAR", b"\nBEGIN:VEVENT"]
    {
        assert_eq!(error_of(file), FileError::NotICalendar { line: 2 });
    }
}

#[test]
fn a_calendar_in_another_form_of_text_says_which() {
    let file = an_event_with("SUMMARY:Lunch");
    let utf_16: Vec<u8> = file.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(error_of(&[b"\xFF\xFE", &utf_16[..]].concat()), FileError::Utf16);
    assert_eq!(error_of(file.replace("\r\n", "\r").as_bytes()), FileError::OnlyCr);
    assert!(scan(file.replace("\r\n", "\n").as_bytes()).is_ok());
}

#[test]
fn a_truncated_file_names_what_is_open() {
    let whole = an_event_with("SUMMARY:Lunch");
    let up_to = |words: &str| whole.rfind(words).expect("words of the file");
    assert_eq!(
        error_of(&whole.as_bytes()[..up_to("SUMMARY")]),
        FileError::Truncated { component: text("VEVENT"), line: 4 }
    );
    for end in ["END:VCALENDAR", "NDAR\r\n"] {
        assert_eq!(
            error_of(&whole.as_bytes()[..up_to(end)]),
            FileError::Truncated { component: text("VCALENDAR"), line: 1 }
        );
    }
}

#[test]
fn components_that_do_not_match_are_an_error_with_the_line() {
    assert_eq!(
        error_of(b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR\n"),
        FileError::WrongEnd { line: 3, found: text("VCALENDAR"), open: text("VEVENT") }
    );
    assert_eq!(
        error_of(b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nBEGIN:VEVENT\n"),
        FileError::Misplaced { line: 4, component: text("VEVENT"), inside: text("VEVENT") }
    );
    assert_eq!(
        error_of(b"BEGIN:VCALENDAR\nEND:VCALENDAR\nEND:VCALENDAR\n"),
        FileError::TextAfterEnd { line: 3 }
    );
}

#[test]
fn properties_of_the_file_that_change_its_meaning_are_not_passed_over() {
    for (property, value) in
        [("VERSION", "1.0"), ("CALSCALE", "CHINESE"), ("METHOD", "REPLY"), ("METHOD", "COUNTER")]
    {
        let file = format!("BEGIN:VCALENDAR\n{property}:{value}\nEND:VCALENDAR\n");
        let expected = FileError::Unsupported { line: 2, property, value: text(value) };
        assert_eq!(error_of(file.as_bytes()), expected);
    }
    for (method, read) in
        [("publish", Method::Publish), ("REQUEST", Method::Request), ("Cancel", Method::Cancel)]
    {
        let file = format!("BEGIN:VCALENDAR\nMETHOD:{method}\nEND:VCALENDAR\n");
        assert_eq!(scan(file.as_bytes()).unwrap().calendars[0].method, read);
    }
}

#[test]
fn what_holds_for_all_events_may_stand_anywhere_and_be_folded() {
    let event = "BEGIN:VEVENT\nUID:a\nDTSTART:20260601T090000\nDURATION:PT1H\nEND:VEVENT\n";
    let file = format!(
        "BEGIN:VCALENDAR\n{event}X-WR-TIMEZONE:Amer\n ica/New_York\nNAME:First\n\
         X-WR-CALNAME:The \n second\\, one\nPRODID:-//a//b\nEND:VCALENDAR\n"
    );
    let index = scan(file.as_bytes()).unwrap();
    let calendar = &index.calendars[0];
    assert_eq!(calendar.name.as_deref(), Some("The second, one"));
    assert_eq!(calendar.product.as_deref(), Some("-//a//b"));
    let event = events_of(file.as_bytes(), None).remove(0).unwrap();
    let Moment::Time(start) = event.start else { panic!("a time") };
    assert_eq!(start.instant.to_rfc3339(), "2026-06-01T13:00:00+00:00");
}

#[test]
fn a_file_is_the_same_in_whatever_pieces_it_comes() {
    let zone = "BEGIN:VTIMEZONE\nTZID:Ours\nBEGIN:STANDARD\nDTSTART:19700101T000000\n\
                TZOFFSETFROM:+0530\nTZOFFSETTO:+0530\nEND:STANDARD\nEND:VTIMEZONE\n";
    let event = "BEGIN:VEVENT\nUID:lo\n ng\nSUMMARY:Caf\u{e9}\nDTSTART;TZID=Ours:20270101T090000\nEND:VEVENT\n";
    let file = format!("\u{feff}{}", a_calendar(&format!("{zone}{event}{event}")));
    let whole = scan(file.as_bytes()).unwrap();
    assert_eq!(whole.events.len(), 2);
    for size in 1..60 {
        let mut scanner = Scanner::default();
        for piece in file.as_bytes().chunks(size) {
            scanner.push(piece).unwrap();
        }
        let pieces = scanner.finish().unwrap();
        assert_eq!(pieces.events, whole.events, "{size}");
        assert_eq!(pieces.calendars, whole.calendars, "{size}");
        assert!(pieces.zones.named("ours").is_ok(), "{size}");
    }
    for place in &whole.events {
        let bytes = usize::try_from(place.start).unwrap()..usize::try_from(place.end).unwrap();
        let text = &file[bytes];
        assert!(text.starts_with("BEGIN:VEVENT\r\n") && text.ends_with("END:VEVENT\r\n"), "{text}");
    }
}

#[test]
fn components_are_not_nested_without_end() {
    let deep = format!("BEGIN:VCALENDAR\n{}", "BEGIN:X-DEEP\n".repeat(200_000));
    assert_eq!(error_of(deep.as_bytes()), FileError::TooDeep { line: 17, max: 16 });
}

#[test]
fn a_long_line_that_nobody_reads_costs_nothing() {
    let attachment = format!("ATTACH;ENCODING=BASE64:{}", "QUJD".repeat(500_000));
    let event = only(&an_event_with(&format!("{attachment}\nSUMMARY:Lunch")));
    assert_eq!(event.summary.as_deref(), Some("Lunch"));
}
