//! Files of public holidays.

use daybook_domain::HolidayId;
use daybook_domain::time::Holidays;
use daybook_ical::recur::RuleError;
use daybook_ical::{Fault, FileError};

use super::*;

fn read_all(events: &str) -> HolidayCalendar {
    read_holidays(a_calendar(events).as_bytes(), &(2027..=2029)).expect("the file is sound")
}

fn days(holidays: &Holidays) -> Vec<String> {
    holidays.iter().map(|holiday| format!("{} {}", holiday.date, holiday.name)).collect()
}

/// The days of the one event of a file.
fn days_of(lines: &str) -> Vec<String> {
    let read = read_all(&a_vevent(&format!("UID:a@example.org\nSUMMARY:A day\n{lines}")));
    assert_eq!(read.refused, []);
    read.holidays.iter().map(|holiday| holiday.date.to_string()).collect()
}

fn refused_for(lines: &str) -> RefusalReason {
    let mut read = read_all(&a_vevent(lines));
    assert_eq!((read.holidays.len(), read.refused.len()), (0, 1), "{lines}");
    read.refused.remove(0).reason
}

fn refused_with(lines: &str) -> RefusalReason {
    refused_for(&format!("UID:a@example.org\nSUMMARY:A day\n{lines}"))
}

#[test]
fn holidays_are_whole_days_with_their_names_and_an_end_that_is_not_part_of_them() {
    let events = a_vevent(
        "UID:b\nSUMMARY:Christmas\\, both days\nDTSTART;VALUE=DATE:20271225\nDTEND;VALUE=DATE:20271227",
    ) + &a_vevent("UID:a\nSUMMARY:New Year\nDTSTART;VALUE=DATE:20270101")
        + &a_vevent("UID:c\nSUMMARY:Leap day\nDTSTART:20280229\nDURATION:P1D");
    let read = read_all(&events);
    assert_eq!(read.refused, []);
    let expected = [
        "2027-01-01 New Year",
        "2027-12-25 Christmas, both days",
        "2027-12-26 Christmas, both days",
        "2028-02-29 Leap day",
    ];
    assert_eq!(days(&read.holidays), expected);
}

#[test]
fn a_yearly_holiday_is_taken_in_each_year_that_is_asked_for() {
    let start = "DTSTART;VALUE=DATE:20200101";
    for (rule, expected) in [
        ("RRULE:FREQ=YEARLY", &["2027-01-01", "2028-01-01", "2029-01-01"][..]),
        ("RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", &["2027-11-25", "2028-11-23", "2029-11-22"]),
        (
            "RRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO;WKST=SU",
            &["2027-05-31", "2028-05-29", "2029-05-28"],
        ),
        ("RRULE:FREQ=YEARLY;INTERVAL=2", &["2028-01-01"]),
        ("RRULE:FREQ=YEARLY;COUNT=9", &["2027-01-01", "2028-01-01"]),
        ("RRULE:FREQ=YEARLY;UNTIL=20280101", &["2027-01-01", "2028-01-01"]),
        ("RRULE:FREQ=YEARLY;UNTIL=20271231T235959Z", &["2027-01-01"]),
        ("RRULE:FREQ=YEARLY\nEXDATE;VALUE=DATE:20280101,20260101", &["2027-01-01", "2029-01-01"]),
        ("RRULE:FREQ=YEARLY;UNTIL=20260101", &[]),
    ] {
        assert_eq!(days_of(&format!("{start}\n{rule}")), expected, "{rule}");
    }
    let leap_days = days_of("DTSTART;VALUE=DATE:20200229\nRRULE:FREQ=YEARLY");
    assert_eq!(leap_days, ["2028-02-29"]);
    let two_days = "DTSTART;VALUE=DATE:20281231\nDTEND;VALUE=DATE:20290102\nRRULE:FREQ=YEARLY";
    assert_eq!(days_of(two_days), ["2028-12-31", "2029-01-01", "2029-12-31", "2030-01-01"]);
}

#[test]
fn a_holiday_is_the_same_one_in_every_file_that_has_its_uid() {
    let ids = |lines: &str| -> Vec<HolidayId> {
        let read = read_all(&a_vevent(&format!("UID:king\nSUMMARY:The day\n{lines}")));
        read.holidays.iter().map(|holiday| holiday.id).collect()
    };
    let once = ids("DTSTART;VALUE=DATE:20270427");
    assert_eq!(once, ids("DTSTART;VALUE=DATE:20270426"));
    let yearly = ids("DTSTART;VALUE=DATE:20200427\nRRULE:FREQ=YEARLY");
    assert_eq!(yearly, ids("DTSTART;VALUE=DATE:20200426\nRRULE:FREQ=YEARLY"));
    assert_eq!((once.len(), yearly.len()), (1, 3));
    let all: std::collections::BTreeSet<_> = once.iter().chain(&yearly).collect();
    assert_eq!(all.len(), 4);
}

#[test]
fn what_would_have_to_be_guessed_is_refused_and_the_others_are_read() {
    let day = "DTSTART;VALUE=DATE:20270101";
    let bad_time = |value: &str| {
        RefusalReason::Fault(Fault::BadTime {
            property: "DTSTART".to_owned(),
            value: value.to_owned(),
        })
    };
    for (lines, reason) in [
        ("DTSTART:20270101T000000Z", RefusalReason::NotAllDay { property: "DTSTART" }),
        ("DTEND;VALUE=DATE:20270102", RefusalReason::Fault(Fault::NoStart)),
        ("DTSTART;VALUE=DATE:20270230", bad_time("20270230")),
        ("DTSTART;VALUE=DATE:19691231", bad_time("1969-12-31")),
    ] {
        assert_eq!(refused_with(lines), reason);
    }
    for (lines, reason) in [
        ("DTEND;VALUE=DATE:20261231", RefusalReason::Fault(Fault::EndNotAfterStart)),
        ("DTEND;VALUE=DATE:20280103", RefusalReason::TooManyDays { max: 366 }),
        ("STATUS:CANCELLED", RefusalReason::Cancelled),
        ("RECURRENCE-ID;VALUE=DATE:20270101", RefusalReason::MovedInstance),
        ("RDATE;VALUE=DATE:20280101", RefusalReason::Recurring { property: "RDATE" }),
        ("EXRULE:FREQ=YEARLY", RefusalReason::Recurring { property: "EXRULE" }),
        ("RRULE:FREQ=YEARLY\nRRULE:FREQ=YEARLY", RefusalReason::Recurring { property: "RRULE" }),
        ("RRULE:FREQ=WEEKLY", RefusalReason::NotYearly),
        ("RRULE:FREQ=YEARLY;BYHOUR=1,2,3", RefusalReason::NotYearly),
    ] {
        assert_eq!(refused_with(&format!("{day}\n{lines}")), reason);
    }
    for rule in ["FREQ=YEARLY;BYMONTH=13", "FREQ=YEARLY;UNTIL=never", "BYMONTH=1", "yearly"] {
        let reason = refused_with(&format!("{day}\nRRULE:{rule}"));
        assert!(
            matches!(reason, RefusalReason::Fault(Fault::BadRule { .. })),
            "{rule}: {reason:?}"
        );
    }
    let no_frequency = Fault::BadRule {
        property: "RRULE".to_owned(),
        value: "BYMONTH=1".to_owned(),
        error: RuleError::NoFrequency,
    };
    assert_eq!(
        refused_with(&format!("{day}\nRRULE:BYMONTH=1")),
        RefusalReason::Fault(no_frequency)
    );
    assert_eq!(refused_for(&format!("SUMMARY:A day\n{day}")), RefusalReason::NoUid);
    assert_eq!(refused_for(&format!("UID:a\n{day}")), RefusalReason::NoSummary);
    let twice = a_vevent(&format!("UID:a\nSUMMARY:A\n{day}")).repeat(2);
    let read = read_all(&twice);
    assert_eq!(read.holidays.len(), 1);
    assert_eq!(read.refused[0].reason, RefusalReason::Duplicate { first_line: 4 });
}

#[test]
fn a_day_that_ends_on_the_day_it_begins_or_after_24_hours_is_a_day() {
    for end in ["DTEND;VALUE=DATE:20270516", "DURATION:PT86400S"] {
        assert_eq!(days_of(&format!("DTSTART;VALUE=DATE:20270516\n{end}")), ["2027-05-16"]);
    }
}

#[test]
fn a_file_is_read_whole_or_not_at_all_and_has_a_bounded_number_of_holidays() {
    let events = |count: usize| -> String {
        let event = |n| a_vevent(&format!("UID:{n}\nSUMMARY:A day\nDTSTART;VALUE=DATE:20270101"));
        (0..count).map(event).collect()
    };
    assert_eq!(read_all(&events(Holidays::MAX)).holidays.len(), Holidays::MAX);
    let too_many = a_calendar(&events(Holidays::MAX + 1));
    let error = read_holidays(too_many.as_bytes(), &(2027..=2029)).unwrap_err();
    assert!(matches!(error, ReadError::TooManyHolidays { max: Holidays::MAX }), "{error:?}");
    let file = a_calendar(&events(2));
    let cut = &file.as_bytes()[..file.len() - 20];
    let error = read_holidays(cut, &(2027..=2029)).unwrap_err();
    assert!(matches!(error, ReadError::File(FileError::Truncated { .. })), "{error:?}");
}
