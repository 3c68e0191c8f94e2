//! What single events say.

use chrono::TimeDelta;
use chrono_tz::Tz;

use super::*;
use crate::event::{Length, Status};

fn length(start: &str, end: &str) -> Length {
    only(&an_event(&format!("UID:a\nDTSTART{start}\n{end}"))).length
}

fn instants(start: &str, end: &str) -> (String, Length) {
    let event = only(&an_event(&format!("UID:a\nDTSTART{start}\n{end}")));
    let Moment::Time(time) = event.start else { panic!("a time") };
    (time.instant.format("%Y-%m-%dT%H:%M").to_string(), event.length)
}

#[test]
fn an_event_has_the_texts_that_its_maker_wrote() {
    let event = only(&an_event_with(
        "SUMMARY:Rack 'em\\, stack 'em (Gene\n ral)\nLOCATION:Hall F&G\\n1 High Street\n\
         DESCRIPTION:First line\\nsecond\\; line \\\\o/\nCATEGORIES:Talk\\, long, Web ,Talk\\, long\n\
         CATEGORIES:Ruby\nCLASS:private\nSTATUS:Tentative\nTRANSP:TRANSPARENT\nSEQUENCE:7",
    ));
    assert_eq!(event.uid.as_deref(), Some("a@example.org"));
    assert_eq!(event.summary.as_deref(), Some("Rack 'em, stack 'em (General)"));
    assert_eq!(event.location.as_deref(), Some("Hall F&G 1 High Street"));
    assert_eq!(event.description.as_deref(), Some("First line\nsecond; line \\o/"));
    assert_eq!(event.categories, ["Talk, long", "Web", "Ruby"]);
    assert_eq!((event.is_private, event.status), (true, Status::Tentative));
    assert_eq!((event.takes_time, event.version.sequence, event.line), (false, 7, 4));
}

#[test]
fn an_event_may_have_no_text_at_all() {
    let event = only(&an_event_with("SUMMARY:\nCATEGORIES:\nLOCATION: "));
    assert_eq!((event.summary, event.location), (None, None));
    assert!(event.categories.is_empty() && event.takes_time && !event.is_private);
}

#[test]
fn an_alarm_inside_an_event_is_not_part_of_it() {
    let event = only(&an_event_with(
        "SUMMARY:Lunch\nBEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT15M\nDURATION:PT5M\n\
         DESCRIPTION:Soon\nSUMMARY:Reminder\nEND:VALARM",
    ));
    assert_eq!((event.summary.as_deref(), event.description), (Some("Lunch"), None));
}

#[test]
fn a_control_character_costs_nothing() {
    let event = only(&an_event_with("DESCRIPTION:One\u{b}two\u{1}\nX-1:\u{7}"));
    assert_eq!(event.description.as_deref(), Some("One\ntwo"));
}

#[test]
fn whole_days_are_as_many_as_peoples_programs_read() {
    let day = ";VALUE=DATE:20270516";
    for (end, days) in [
        ("", 1),
        ("DTEND;VALUE=DATE:20270517", 1),
        ("DTEND;VALUE=DATE:20270516", 1),
        ("DTEND;VALUE=DATE:20270519", 3),
        ("DTEND:20270517T000000Z", 1),
        ("DTEND:20270517T120000Z", 2),
        ("DURATION:P1D", 1),
        ("DURATION:PT86400S", 1),
        ("DURATION:PT25H", 2),
        ("DURATION:P1W", 7),
        ("DURATION:PT0S", 1),
    ] {
        assert_eq!(length(day, end), Length::Days(days), "{end}");
    }
    assert_eq!(length(":20270516", "DTEND:20270517"), Length::Days(1));
    assert_eq!(length(";VALUE=DATE:20270516T000000", ""), Length::Days(1));
}

#[test]
fn an_event_without_a_length_takes_no_time() {
    let start = ":20270516T090000Z";
    for end in ["", "DTEND:20270516T090000Z", "DURATION:PT0S"] {
        assert_eq!(length(start, end), Length::None, "{end}");
    }
    let hour = Length::Exact(TimeDelta::hours(1));
    assert_eq!(length(start, "DTEND:20270516T100000Z\nDURATION:PT3H"), hour);
    for end in ["DTEND:20270516T080000Z", "DURATION:-PT1H"] {
        let fault = fault_of(&an_event(&format!("UID:a\nDTSTART{start}\n{end}")));
        assert_eq!(fault, Fault::EndNotAfterStart, "{end}");
    }
}

#[test]
fn each_end_is_read_in_its_own_zone() {
    let (start, length) = instants(
        ";TZID=America/New_York:20260601T180000",
        "DTEND;TZID=\"Europe/Berlin\":20260602T080000",
    );
    assert_eq!((start.as_str(), length), ("2026-06-01T22:00", Length::Exact(TimeDelta::hours(8))));
}

#[test]
fn a_zone_beside_a_time_in_utc_only_says_where_it_is_shown() {
    let event =
        only(&an_event("UID:a\nDTSTART;TZID=America/Phoenix:20260301T090000Z\nDURATION:PT1H"));
    let Moment::Time(start) = event.start else { panic!("a time") };
    assert_eq!(start.instant.to_rfc3339(), "2026-03-01T09:00:00+00:00");
    assert_eq!(start.zone, Zone::Iana(Tz::America__Phoenix));
}

/// As Google exported birthdays.
#[test]
fn a_day_that_is_said_to_be_in_utc_is_that_day() {
    let event = only(&an_event(
        "UID:a\nDTSTART;VALUE=DATE:20141210\nDTEND;VALUE=DATE:20141211\n\
         RRULE:FREQ=DAILY;COUNT=1\nRDATE:20131210Z",
    ));
    let day = chrono::NaiveDate::from_ymd_opt(2013, 12, 10).unwrap();
    assert_eq!(event.recurrence.dates[0].start, Moment::Day(day));
}

#[test]
fn a_start_that_clocks_jump_over_keeps_the_length_that_is_written() {
    let (start, length) = instants(
        ";TZID=America/New_York:20270314T023000",
        "DTEND;TZID=America/New_York:20270314T031500",
    );
    assert_eq!(start, "2027-03-14T07:30");
    assert_eq!(length, Length::Exact(TimeDelta::minutes(45)));
}

#[test]
fn a_default_is_for_times_that_name_no_zone() {
    let file = an_event("UID:a\nDTSTART:20260601T090000\nDTEND:20260601T100000");
    assert_eq!(fault_of(&file), Fault::NoTimeZone { property: "DTSTART".to_owned() });
    let event = events_of(file.as_bytes(), Some(Tz::Europe__Berlin)).remove(0).unwrap();
    let Moment::Time(start) = event.start else { panic!("a time") };
    assert_eq!(start.instant.to_rfc3339(), "2026-06-01T07:00:00+00:00");
    let unknown = an_event("UID:a\nDTSTART;TZID=Office:20260601T090000\nDURATION:PT1H");
    assert_eq!(fault_of(&unknown), Fault::UnknownTimeZone { name: "Office".to_owned() });
}

#[test]
fn an_event_that_cannot_be_read_says_which_it_is() {
    let file = a_calendar(
        "BEGIN:VEVENT\nUID:a\nSUMMARY:No\\, start\nEND:VEVENT\n\
         BEGIN:VEVENT\nUID:b\nDTSTART:20260301T090000Z\nEND:VEVENT",
    );
    let events = all_of(&file);
    let unread = Unread {
        line: 4,
        uid: Some("a".to_owned()),
        summary: Some("No, start".to_owned()),
        is_private: false,
        fault: Fault::NoStart,
    };
    assert_eq!(events[0].as_ref().unwrap_err().as_ref(), &unread);
    assert_eq!(events[1].as_ref().unwrap().uid.as_deref(), Some("b"));
}

#[test]
fn lines_that_break_the_format_are_faults_of_their_event() {
    let cases = [
        ("DESCRIPTION:one\nand two", Fault::Malformed { line: 9 }),
        ("SUMMARY:a\nSUMMARY:b", Fault::Repeated { property: "SUMMARY".to_owned() }),
        (
            "RRULE:FREQ=OFTEN",
            Fault::BadRule {
                property: "RRULE".to_owned(),
                value: "FREQ=OFTEN".to_owned(),
                error: recur::RuleError::Part { part: "FREQ=OFTEN".to_owned() },
            },
        ),
        (
            "EXDATE:tomorrow",
            Fault::BadTime { property: "EXDATE".to_owned(), value: "tomorrow".to_owned() },
        ),
    ];
    for (lines, fault) in cases {
        assert_eq!(fault_of(&an_event_with(lines)), fault, "{lines}");
    }
    assert!(all_of(&an_event_with("SUMMARY:a\nSUMMARY:a"))[0].is_ok(), "said twice is said");
    let bad =
        |value: &str| Fault::BadTime { property: "DTSTART".to_owned(), value: value.to_owned() };
    for value in ["20260230T090000Z", "tomorrow", "20260301T090000+0100", ""] {
        assert_eq!(fault_of(&an_event(&format!("UID:a\nDTSTART:{value}"))), bad(value));
    }
    let duration = Fault::BadDuration { value: "an hour".to_owned() };
    assert_eq!(fault_of(&an_event("UID:a\nDTSTART:20260301T090000Z\nDURATION:an hour")), duration);
}

#[test]
fn an_event_has_a_bounded_number_of_rules_dates_and_categories() {
    let rules = |count| an_event_with(&"RRULE:FREQ=DAILY;COUNT=2\n".repeat(count));
    let max = 20;
    assert_eq!(only(&rules(max)).recurrence.rules.len(), max);
    assert_eq!(fault_of(&rules(max + 1)), Fault::TooManyRules { max });
    let dates = |count: usize| {
        an_event_with(&format!("RDATE:{}", vec!["20270101T000000Z"; count].join(",")))
    };
    assert_eq!(only(&dates(10_000)).recurrence.dates.len(), 10_000);
    assert_eq!(fault_of(&dates(10_001)), Fault::TooManyOccurrences { max: 10_000 });
    let many: Vec<String> = (0..50_000).map(|n| format!("c{n}")).collect();
    let many = many.chunks(1_000).map(|some| format!("CATEGORIES:{}\n", some.join(",")));
    assert_eq!(only(&an_event_with(&many.collect::<String>())).categories.len(), 1_000);
}

#[test]
fn an_end_that_names_no_zone_is_in_the_starts() {
    let file =
        an_event("UID:a\nDTSTART;TZID=America/New_York:20270607T090000\nDTEND:20270607T103000");
    let event = events_of(file.as_bytes(), Some(Tz::Europe__Berlin)).remove(0).unwrap();
    assert_eq!(event.length, event::Length::Exact(chrono::TimeDelta::minutes(90)));
    let utc = file.replace("T103000", "T143000Z");
    let event = events_of(utc.as_bytes(), Some(Tz::Europe__Berlin)).remove(0).unwrap();
    assert_eq!(event.length, event::Length::Exact(chrono::TimeDelta::minutes(90)));
}

#[test]
fn a_cancellation_need_not_say_when_it_would_have_been() {
    let event = only(&an_event("UID:a\nSTATUS:CANCELLED\nSEQUENCE:2"));
    assert_eq!(event.status, Status::Cancelled);
}

#[test]
fn what_outlook_calls_free_takes_no_time() {
    assert!(!only(&an_event_with("X-MICROSOFT-CDO-BUSYSTATUS:FREE")).takes_time);
    assert!(only(&an_event_with("X-MICROSOFT-CDO-BUSYSTATUS:FREE\nTRANSP:OPAQUE")).takes_time);
}

#[test]
fn whom_an_event_is_with_is_told_where_its_file_names_one_person() {
    let with = |lines: &str| {
        let attendee = only(&an_event_with(lines)).attendee?;
        Some(format!("{} {:?}", attendee.address, attendee.name))
    };
    let organizer = "ORGANIZER;CN=Desk:MAILTO:desk@example.org";
    let desk = "ATTENDEE;CN=Desk:mailto:Desk@example.org";
    let guest = "ATTENDEE;CN=\"A. Guest\";RSVP=TRUE:mailto:Guest@Example.org";
    let known = Some("guest@example.org Some(\"A. Guest\")".to_owned());
    assert_eq!(with(guest), known);
    assert_eq!(with(&format!("{organizer}\n{desk}\n{guest}\n{guest}")), known);
    let room = "ATTENDEE;CUTYPE=ROOM:mailto:room@example.org";
    assert_eq!(with(&format!("{organizer}\n{room}\n{guest}")), known);
    let plain = "ATTENDEE:mailto:guest@example.org";
    assert_eq!(with(plain), Some("guest@example.org None".to_owned()));
    let other = "ATTENDEE:mailto:other@example.org";
    for nobody in ["SUMMARY:A", desk, room, "ATTENDEE:tel:1", "ATTENDEE;CN=\"x"] {
        assert_eq!(with(&format!("{organizer}\n{nobody}")), None, "{nobody}");
    }
    assert_eq!(with(&format!("{guest}\n{other}")), None, "of two, nobody is");
}

#[test]
fn however_many_people_are_there_it_is_an_event() {
    let crowd: Vec<String> =
        (0..12_000).map(|n| format!("ATTENDEE:mailto:{n}@example.org\n")).collect();
    let crowd = crowd.concat();
    let event = only(&an_event_with(&format!("{crowd}SUMMARY:A fair")));
    assert_eq!((event.summary.as_deref(), event.attendee), (Some("A fair"), None));
}
