//! Rules of recurrence: RFC 5545's examples, clock changes, and what is refused.

use chrono_tz::Tz;

use super::*;
use crate::RuleText;

pub(super) fn recurrence(start: &str, zone: Tz, rule: &str) -> Recurrence {
    Recurrence {
        rrule: RuleText::new(rule).unwrap(),
        dtstart: start.parse().unwrap(),
        time_zone: zone,
        exdates: Exdates::default(),
    }
}

fn without(recurrence: Recurrence, exdates: &[&str]) -> Recurrence {
    let exdates: Vec<Exdate> = exdates.iter().map(|text| text.parse().unwrap()).collect();
    Recurrence { exdates: exdates.try_into().unwrap(), ..recurrence }
}

/// The occurrences as text.
fn found(recurrence: &Recurrence) -> Vec<String> {
    recurrence.occurrences().unwrap().iter().map(ToString::to_string).collect()
}

/// The instants as text.
fn instants(start: &str, zone: Tz, rule: &str) -> Vec<String> {
    let recurrence = recurrence(start, zone, rule);
    let ids = recurrence.occurrences().unwrap();
    ids.iter().map(|id| recurrence.at(*id).format("%m-%dT%H:%MZ").to_string()).collect()
}

/// Of section 3.8.5.3, in New York: the day of the start at nine, the rule, and the days.
const EXAMPLES: &[(&str, &str, &str)] = &[
    ("1997-09-02", "FREQ=DAILY;COUNT=10", "97-09: 2 3 4 5 6 7 8 9 10 11"),
    ("1997-09-02", "FREQ=DAILY;INTERVAL=10;COUNT=5", "97-09: 2 12 22 97-10: 2 12"),
    ("1997-09-02", "FREQ=WEEKLY;COUNT=10", "97-09: 2 9 16 23 30 97-10: 7 14 21 28 97-11: 4"),
    (
        "1997-09-02",
        "FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH",
        "97-09: 2 4 9 11 16 18 23 25 30 97-10: 2",
    ),
    (
        "1997-09-01",
        "FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR",
        "97-09: 1 3 5 15 17 19 29 97-10: 1 3 13 15 17 27 29 31 97-11: 10 12 14 24 26 28 \
         97-12: 8 10 12 22",
    ),
    (
        "1997-09-05",
        "FREQ=MONTHLY;COUNT=10;BYDAY=1FR",
        "97-09: 5 97-10: 3 97-11: 7 97-12: 5 98-01: 2 98-02: 6 98-03: 6 98-04: 3 98-05: 1 98-06: 5",
    ),
    (
        "1997-09-05",
        "FREQ=MONTHLY;UNTIL=19971224T000000Z;BYDAY=1FR",
        "97-09: 5 97-10: 3 97-11: 7 97-12: 5",
    ),
    (
        "1997-09-07",
        "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU",
        "97-09: 7 28 97-11: 2 30 98-01: 4 25 98-03: 1 29 98-05: 3 31",
    ),
    (
        "1997-09-22",
        "FREQ=MONTHLY;COUNT=6;BYDAY=-2MO",
        "97-09: 22 97-10: 20 97-11: 17 97-12: 22 98-01: 19 98-02: 16",
    ),
    (
        "1997-09-28",
        "FREQ=MONTHLY;BYMONTHDAY=-3;COUNT=6",
        "97-09: 28 97-10: 29 97-11: 28 97-12: 29 98-01: 29 98-02: 26",
    ),
    (
        "1997-09-02",
        "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15",
        "97-09: 2 15 97-10: 2 15 97-11: 2 15 97-12: 2 15 98-01: 2 15",
    ),
    (
        "1997-09-30",
        "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1",
        "97-09: 30 97-10: 1 31 97-11: 1 30 97-12: 1 31 98-01: 1 31 98-02: 1",
    ),
    (
        "1997-09-10",
        "FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15",
        "97-09: 10 11 12 13 14 15 99-03: 10 11 12 13",
    ),
    (
        "1997-06-10",
        "FREQ=YEARLY;COUNT=6;BYMONTH=6,7",
        "97-06: 10 97-07: 10 98-06: 10 98-07: 10 99-06: 10 99-07: 10",
    ),
    (
        "1997-03-10",
        "FREQ=YEARLY;INTERVAL=2;COUNT=5;BYMONTH=1,2,3",
        "97-03: 10 99-01: 10 99-02: 10 99-03: 10 01-01: 10",
    ),
    (
        "1997-01-01",
        "FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200",
        "97-01: 1 97-04: 10 97-07: 19 00-01: 1 00-04: 9 00-07: 18 03-01: 1 03-04: 10 03-07: 19 \
         06-01: 1",
    ),
    ("1997-05-19", "FREQ=YEARLY;BYDAY=20MO;COUNT=3", "97-05: 19 98-05: 18 99-05: 17"),
    ("1997-05-12", "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO;COUNT=3", "97-05: 12 98-05: 11 99-05: 17"),
    // The day of the week is the start's (section 3.3.10).
    ("1997-05-12", "FREQ=YEARLY;BYWEEKNO=20;COUNT=3", "97-05: 12 98-05: 11 99-05: 17"),
    ("1997-03-13", "FREQ=YEARLY;BYMONTH=3;BYDAY=TH;COUNT=5", "97-03: 13 20 27 98-03: 5 12"),
    (
        "1998-02-13",
        "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13;COUNT=5",
        "98-02: 13 98-03: 13 98-11: 13 99-08: 13 00-10: 13",
    ),
    (
        "1997-09-13",
        "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13;COUNT=4",
        "97-09: 13 97-10: 11 97-11: 8 97-12: 13",
    ),
    (
        "1996-11-05",
        "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8;COUNT=3",
        "96-11: 5 00-11: 7 04-11: 2",
    ),
    ("1997-09-04", "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "97-09: 4 97-10: 7 97-11: 6"),
    (
        "1997-09-29",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2;COUNT=7",
        "97-09: 29 97-10: 30 97-11: 27 97-12: 30 98-01: 29 98-02: 26 98-03: 30",
    ),
    ("1997-08-05", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "97-08: 5 10 19 24"),
    ("1997-08-05", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "97-08: 5 17 19 31"),
    ("2007-01-15", "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5", "07-01: 15 30 07-02: 15 07-03: 15 30"),
    // Every one, and by number: both.
    ("1997-09-01", "FREQ=MONTHLY;BYDAY=MO,1TU;COUNT=7", "97-09: 1 2 8 15 22 29 97-10: 6"),
];

#[test]
fn the_examples_of_the_rfc_occur_when_it_says() {
    for (day, rule, expected) in EXAMPLES {
        let found = recurrence(&format!("{day}T09:00"), Tz::America__New_York, rule);
        let mut days = Vec::new();
        let mut month = "";
        for id in found.occurrences().unwrap() {
            let text = id.to_string();
            assert!(text.ends_with("T09:00"), "{rule}: {text}");
            days.push(text);
        }
        let mut wanted = Vec::new();
        for word in expected.split_whitespace() {
            if let Some(of) = word.strip_suffix(':') {
                month = of;
                continue;
            }
            let century = if month.starts_with('9') { 19 } else { 20 };
            wanted.push(format!("{century}{month}-{word:0>2}T09:00"));
        }
        assert_eq!(days, wanted, "{rule}");
    }
}

#[test]
fn until_is_the_last_moment_in_each_of_its_forms() {
    let new_york = Tz::America__New_York;
    let days = |until: &str| {
        let rule = format!("FREQ=DAILY;UNTIL={until}");
        found(&recurrence("1997-12-20T09:00", new_york, &rule)).len()
    };
    // Nine in New York is 14:00 UTC in winter.
    assert_eq!(days("19971224T140000Z"), 5);
    assert_eq!(days("19971224T135959Z"), 4);
    assert_eq!(days("19971224T090000"), 5);
    assert_eq!(days("19971224T085959"), 4);
    assert_eq!(days("19971224"), 5);
}

#[test]
fn several_times_a_day_are_given_by_hours_and_minutes() {
    let rule = "FREQ=DAILY;BYHOUR=9,16;BYMINUTE=0,40;COUNT=5";
    assert_eq!(
        found(&recurrence("2027-01-04T09:00", Tz::Europe__Oslo, rule)),
        [
            "2027-01-04T09:00",
            "2027-01-04T09:40",
            "2027-01-04T16:00",
            "2027-01-04T16:40",
            "2027-01-05T09:00"
        ]
    );
}

#[test]
fn the_local_time_stays_when_clocks_change() {
    let weekly = "FREQ=WEEKLY;COUNT=3";
    assert_eq!(
        instants("2027-03-21T09:00", Tz::Europe__Oslo, weekly),
        ["03-21T08:00Z", "03-28T07:00Z", "04-04T07:00Z"]
    );
    assert_eq!(
        instants("2027-10-24T09:00", Tz::Europe__Oslo, weekly),
        ["10-24T07:00Z", "10-31T08:00Z", "11-07T08:00Z"]
    );
    // By half an hour.
    assert_eq!(
        instants("2027-03-28T09:00", Tz::Australia__Lord_Howe, weekly),
        ["03-27T22:00Z", "04-03T22:30Z", "04-10T22:30Z"]
    );
}

#[test]
fn only_an_occurrence_whose_local_time_is_left_out_is_later() {
    assert_eq!(
        instants("2027-03-27T02:30", Tz::Europe__Oslo, "FREQ=DAILY;COUNT=3"),
        ["03-27T01:30Z", "03-28T01:30Z", "03-29T00:30Z"]
    );
    // There is no midnight on the 5th: it is read with the offset before, four hours.
    assert_eq!(
        instants("2027-09-04T00:00", Tz::America__Santiago, "FREQ=DAILY;COUNT=3"),
        ["09-04T04:00Z", "09-05T04:00Z", "09-06T03:00Z"]
    );
}

#[test]
fn an_occurrence_whose_local_time_is_there_twice_is_the_first() {
    assert_eq!(
        instants("2027-10-30T02:30", Tz::Europe__Oslo, "FREQ=DAILY;COUNT=3"),
        ["10-30T00:30Z", "10-31T00:30Z", "11-01T01:30Z"]
    );
}

#[test]
fn what_is_left_out_is_a_day_or_an_occurrence_of_the_rule() {
    let weekly = || recurrence("2027-01-04T09:00", Tz::Europe__Oslo, "FREQ=WEEKLY;COUNT=4");
    let left = without(weekly(), &["2027-01-04T09:00", "2027-01-18", "2027-12-24"]);
    assert_eq!(found(&left), ["2027-01-11T09:00", "2027-01-25T09:00"]);
    let exdate = "2027-01-11T10:00";
    let unknown = SeriesRefusal::UnknownExdate { exdate: exdate.parse().unwrap() };
    assert_eq!(without(weekly(), &[exdate]).occurrences(), Err(unknown));
    let none = ["2027-01-04", "2027-01-11", "2027-01-18", "2027-01-25"];
    assert_eq!(without(weekly(), &none).occurrences(), Err(SeriesRefusal::NoOccurrences));
    let many = vec![Exdate::Day("2027-01-04".parse().unwrap()); Exdates::MAX + 1];
    assert!(Exdates::try_from(many).is_err());
}

#[test]
fn a_series_has_at_most_366_occurrences_and_those_left_out_do_not_count() {
    let daily =
        |count: u32| recurrence("2027-01-01T09:00", Tz::UTC, &format!("FREQ=DAILY;COUNT={count}"));
    let too_many = Err(SeriesRefusal::TooManyOccurrences { max: 366 });
    assert_eq!(found(&daily(366)).len(), 366);
    assert_eq!(daily(367).occurrences(), too_many);
    assert_eq!(found(&without(daily(367), &["2027-02-01"])).len(), 366);
    assert_eq!(daily(400_000_000).occurrences(), too_many);
    let long = recurrence("2027-01-01T09:00", Tz::UTC, "FREQ=DAILY;UNTIL=21991231");
    assert_eq!(long.occurrences(), too_many);
}

#[test]
fn a_series_ends_with_the_calendar() {
    let yearly = |count: u32| {
        let rule = format!("FREQ=YEARLY;COUNT={count}");
        recurrence("2190-01-01T09:00", Tz::UTC, &rule)
    };
    assert_eq!(found(&yearly(10)).len(), 10);
    for count in [11, 12, 300] {
        assert_eq!(yearly(count).occurrences(), Err(SeriesRefusal::OutOfCalendar));
    }
    // The second would be in 2205.
    for end in ["COUNT=2", "UNTIL=22991231"] {
        let rule = format!("FREQ=YEARLY;INTERVAL=10;{end}");
        let rare = recurrence("2195-01-01T09:00", Tz::UTC, &rule);
        assert_eq!(rare.occurrences(), Err(SeriesRefusal::OutOfCalendar), "{end}");
    }
}

#[test]
fn the_start_is_an_occurrence_of_the_rule() {
    let tuesdays = recurrence("2027-01-04T09:00", Tz::UTC, "FREQ=WEEKLY;BYDAY=TU;COUNT=3");
    let dtstart = tuesdays.dtstart;
    assert_eq!(tuesdays.occurrences(), Err(SeriesRefusal::StartNotInRule { dtstart }));
}

#[test]
fn a_rule_that_never_occurs_is_refused_in_no_time() {
    let started = std::time::Instant::now();
    for rule in [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=3",
        "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30;UNTIL=21991231",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=3",
        "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6;COUNT=1",
        "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=53;COUNT=1",
        "FREQ=YEARLY;INTERVAL=1000;BYYEARDAY=366;COUNT=1",
    ] {
        let never = recurrence("2027-01-04T09:00", Tz::UTC, rule);
        let dtstart = never.dtstart;
        let refused = Err(SeriesRefusal::StartNotInRule { dtstart });
        assert_eq!(never.occurrences(), refused, "{rule}");
    }
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
}

#[test]
fn a_rule_that_is_none_is_refused_by_what_is_wrong_with_it() {
    use RuleError as E;
    let part = |part: &str| part.to_owned();
    let bad = |name: &str| E::BadValue { part: part(name) };
    let out_of_place = |name: &str| E::OutOfPlace { part: part(name) };
    let cases = [
        ("weekly", E::NotARule),
        ("FREQ=WEEKLY;COUNT=2;", E::NotARule),
        ("RRULE:FREQ=WEEKLY;COUNT=2", E::UnknownPart { part: part("RRULE:FREQ") }),
        ("FREQ=WEEKLY;BYEASTER=1;COUNT=2", E::UnknownPart { part: part("BYEASTER") }),
        ("FREQ=WEEKLY;COUNT=2;count=3", E::RepeatedPart { part: part("COUNT") }),
        ("COUNT=2", E::NoFrequency),
        ("FREQ=FORTNIGHTLY;COUNT=2", bad("FREQ")),
        ("FREQ=SECONDLY;COUNT=2", E::TooFrequent),
        ("FREQ=HOURLY;COUNT=2", E::TooFrequent),
        ("FREQ=WEEKLY", E::Endless),
        ("FREQ=WEEKLY;COUNT=2;UNTIL=20270301", E::EndsTwice),
        ("FREQ=WEEKLY;COUNT=0", bad("COUNT")),
        ("FREQ=WEEKLY;COUNT=-1", bad("COUNT")),
        ("FREQ=WEEKLY;COUNT=9999999999", bad("COUNT")),
        ("FREQ=WEEKLY;UNTIL=20270230", bad("UNTIL")),
        ("FREQ=WEEKLY;UNTIL=2027-03-01", bad("UNTIL")),
        ("FREQ=WEEKLY;UNTIL=20270301T250000Z", bad("UNTIL")),
        ("FREQ=WEEKLY;UNTIL=20270301T0900Z", bad("UNTIL")),
        ("FREQ=WEEKLY;UNTIL=20270103", bad("UNTIL")),
        ("FREQ=WEEKLY;INTERVAL=0;COUNT=2", bad("INTERVAL")),
        ("FREQ=WEEKLY;INTERVAL=1001;COUNT=2", bad("INTERVAL")),
        ("FREQ=WEEKLY;WKST=XX;COUNT=2", bad("WKST")),
        ("FREQ=WEEKLY;BYDAY=;COUNT=2", bad("BYDAY")),
        ("FREQ=WEEKLY;BYDAY=0MO;COUNT=2", bad("BYDAY")),
        ("FREQ=WEEKLY;BYDAY=åå;COUNT=2", bad("BYDAY")),
        ("FREQ=WEEKLY;BYDAY=1MO;COUNT=2", out_of_place("BYDAY")),
        ("FREQ=MONTHLY;BYDAY=6MO;COUNT=2", out_of_place("BYDAY")),
        ("FREQ=MONTHLY;BYDAY=-5MO;COUNT=2", out_of_place("BYDAY")),
        ("FREQ=YEARLY;BYWEEKNO=2;BYDAY=1MO;COUNT=2", out_of_place("BYDAY")),
        ("FREQ=WEEKLY;BYMONTHDAY=1;COUNT=2", out_of_place("BYMONTHDAY")),
        ("FREQ=MONTHLY;BYWEEKNO=1;COUNT=2", out_of_place("BYWEEKNO")),
        ("FREQ=DAILY;BYYEARDAY=1;COUNT=2", out_of_place("BYYEARDAY")),
        ("FREQ=DAILY;BYSETPOS=1;COUNT=2", out_of_place("BYSETPOS")),
        ("FREQ=WEEKLY;BYDAY=MO;BYSETPOS=54;COUNT=2", bad("BYSETPOS")),
        ("FREQ=DAILY;BYHOUR=24;COUNT=2", bad("BYHOUR")),
        ("FREQ=DAILY;BYMONTHDAY=32;COUNT=2", bad("BYMONTHDAY")),
        ("FREQ=DAILY;BYMONTHDAY=0;COUNT=2", bad("BYMONTHDAY")),
        ("FREQ=DAILY;BYMONTH=13;COUNT=2", bad("BYMONTH")),
    ];
    for (rule, why) in cases {
        let refused = recurrence("2027-01-04T09:00", Tz::UTC, rule).occurrences();
        assert_eq!(refused, Err(SeriesRefusal::InvalidRrule(why)), "{rule}");
    }
    let all: Vec<String> = (0..60).map(|n| n.to_string()).collect();
    let every_minute =
        format!("FREQ=DAILY;BYHOUR=1,2,3,4,5,6,7;BYMINUTE={};COUNT=2", all.join(","));
    let refused = recurrence("2027-01-04T09:00", Tz::UTC, &every_minute).occurrences();
    assert_eq!(refused, Err(SeriesRefusal::InvalidRrule(bad("BYHOUR"))));
}
