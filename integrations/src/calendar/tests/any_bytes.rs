//! Whatever the bytes, a reader answers.

use proptest::prelude::*;

use super::*;

/// Pieces that make a file which is nearly a calendar, so that all of the reader is reached.
fn a_piece() -> impl Strategy<Value = String> {
    let fixed = prop::sample::select(vec![
        "BEGIN:VCALENDAR",
        "END:VCALENDAR",
        "BEGIN:VEVENT",
        "END:VEVENT",
        "BEGIN:VALARM",
        "END:VALARM",
        "BEGIN:VTIMEZONE",
        "END:VTIMEZONE",
        "UID:a",
        "DTSTART",
        "DTEND",
        "DURATION:P",
        "SUMMARY:",
        "CATEGORIES",
        "TZID",
        "America/New_York",
        "20260308T023000",
        "VALUE=DATE",
        "RECURRENCE-ID",
        "X-WR-TIMEZONE",
        ":",
        ";",
        "=",
        "\"",
        "\\",
        ",",
        "\r\n",
        "\n",
        "\n ",
        "(",
        ")",
        "T",
        "Z",
        "9",
    ]);
    prop_oneof![8 => fixed.prop_map(str::to_owned), 1 => ".{0,6}"]
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes, Some(Tz::UTC));
    }

    #[test]
    fn any_lines_of_an_event_are_read_or_refused(
        pieces in prop::collection::vec(a_piece(), 0..40),
    ) {
        let _ = read(pieces.concat().as_bytes(), None);
        let within = format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{}\nEND:VEVENT\nEND:VCALENDAR", pieces.concat());
        let _ = read(within.as_bytes(), Some(Tz::UTC));
    }

    #[test]
    fn a_text_comes_back_as_it_was_written(text in "[a-z,;\\\\\n ü]{1,60}") {
        let escaped = text.replace('\\', "\\\\").replace(',', "\\,").replace(';', "\\;").replace('\n', "\\n");
        let event = booked(&an_event_with(&format!("DESCRIPTION:{escaped}")));
        let written = text.trim();
        prop_assert_eq!(event.description.as_deref().unwrap_or_default(), written);
    }
}

/// Every prefix is tried, not a sample of them: the file is small.
#[test]
fn a_file_cut_anywhere_before_its_end_is_an_error() {
    let file = an_event_with(
        "SUMMARY:Caf\u{e9} (Work\n shop)\nBEGIN:VALARM\nTRIGGER:-PT5M\nEND:VALARM\nLOCATION:Hall",
    );
    let end = file.rfind("END:VCALENDAR").expect("an end") + "END:VCALENDAR".len();
    for cut in 0..=file.len() {
        let result = read(&file.as_bytes()[..cut], None);
        assert_eq!(result.is_ok(), cut >= end, "cut at byte {cut}: {result:?}");
    }
}
