//! Whatever the bytes, a reader answers.

use proptest::prelude::*;

use super::*;

fn read_all(bytes: &[u8]) {
    if scan(bytes).is_err() {
        return;
    }
    let events: Vec<Event> =
        events_of(bytes, Some(chrono_tz::Tz::Europe__Berlin)).into_iter().flatten().collect();
    let window = series::Window {
        first: "1970-01-01".parse().unwrap(),
        horizon: "2027-01-01T00:00:00Z".parse().unwrap(),
    };
    let _ = series::occurrences(&events.iter().collect::<Vec<_>>(), window);
}

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
        "BEGIN:STANDARD",
        "END:STANDARD",
        "TZOFFSETTO:+0100",
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
        "RANGE=THISANDFUTURE",
        "X-WR-TIMEZONE",
        "RRULE:",
        "FREQ=DAILY",
        "FREQ=YEARLY",
        "BYDAY=-1SU",
        "COUNT=3",
        "UNTIL=2028",
        "RDATE",
        "EXDATE",
        "/PT1H",
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
        read_all(&bytes);
    }

    #[test]
    fn any_lines_of_an_event_are_read_or_refused(
        pieces in prop::collection::vec(a_piece(), 0..40),
    ) {
        read_all(pieces.concat().as_bytes());
        read_all(format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{}\nEND:VEVENT\nEND:VCALENDAR", pieces.concat()).as_bytes());
        let zone = format!("BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\n{}\nEND:VTIMEZONE\nEND:VCALENDAR", pieces.concat());
        read_all(zone.as_bytes());
    }

}

proptest! {
    // Each can take all the work that is allowed.
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_rule_is_followed_or_refused(
        rule in "FREQ=(YEARLY|MONTHLY|WEEKLY|DAILY|HOURLY|SECONDLY)(;(INTERVAL|COUNT|BYMONTH|BYMONTHDAY|BYWEEKNO|BYYEARDAY|BYHOUR|BYSETPOS)=-?[0-9]{1,3}){0,4}",
    ) {
        let event = format!("DTSTART:20270101T000000Z\nRRULE:{rule}");
        read_all(an_event(&event).as_bytes());
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
        let result = scan(&file.as_bytes()[..cut]);
        assert_eq!(result.is_ok(), cut >= end, "cut at byte {cut}: {result:?}");
    }
}
