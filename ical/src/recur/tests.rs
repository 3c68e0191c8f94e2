//! Rules, and the local times that they make. More of them are compared with other programs in the
//! black-box tests.

use chrono::NaiveDateTime;

use super::*;

fn at(text: &str) -> NaiveDateTime {
    text.parse().unwrap()
}

/// The first ten occurrences before 2100, without what is the same in all.
fn first(rule: &str, start: &str) -> Vec<String> {
    let rule: Rule = rule.parse().unwrap();
    let start = at(start);
    let found = rule.expand(start, at("2100-01-01T00:00:00")).map(Result::unwrap);
    let found = found.take_while(|local| rule.reaches(*local, Some(*local))).take(10);
    let same_time: Vec<NaiveDateTime> = found.collect();
    let days = same_time.iter().all(|local| local.time() == start.time());
    let shown = |local: &NaiveDateTime| {
        if days { local.date().to_string() } else { local.format("%Y-%m-%d %H:%M:%S").to_string() }
    };
    same_time.iter().map(shown).collect()
}

fn has(rule: &str, start: &str, expected: &[&str]) {
    let found = first(rule, start);
    assert_eq!(found[..expected.len().min(found.len())], *expected, "{rule}");
    if rule.contains("COUNT") || rule.contains("UNTIL") {
        assert_eq!(found.len(), expected.len(), "{rule}");
    }
}

#[test]
fn days_weeks_and_months_recur() {
    let start = "2027-03-08T09:00:00";
    has("FREQ=DAILY;COUNT=3", start, &["2027-03-08", "2027-03-09", "2027-03-10"]);
    has("FREQ=DAILY;INTERVAL=10;COUNT=3", start, &["2027-03-08", "2027-03-18", "2027-03-28"]);
    has("FREQ=WEEKLY;COUNT=3", start, &["2027-03-08", "2027-03-15", "2027-03-22"]);
    has(
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR;COUNT=4",
        start,
        &["2027-03-08", "2027-03-12", "2027-03-22", "2027-03-26"],
    );
    has("FREQ=MONTHLY;BYDAY=2MO;COUNT=2", start, &["2027-03-08", "2027-04-12"]);
    has("FREQ=MONTHLY;BYDAY=-1FR;COUNT=2", start, &["2027-03-26", "2027-04-30"]);
    has("FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3", start, &["2027-03-31", "2027-04-30", "2027-05-31"]);
    has(
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=2",
        start,
        &["2027-03-31", "2027-04-30"],
    );
}

#[test]
fn where_a_week_begins_matters_to_every_second_one() {
    let start = "2027-08-03T09:00:00";
    let rule = |week_start| format!("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST={week_start}");
    has(&rule("MO"), start, &["2027-08-03", "2027-08-08", "2027-08-17", "2027-08-22"]);
    has(&rule("SU"), start, &["2027-08-03", "2027-08-15", "2027-08-17", "2027-08-29"]);
}

#[test]
fn what_a_month_or_year_does_not_have_is_left_out() {
    has("FREQ=MONTHLY;COUNT=3", "2027-01-31T09:00:00", &["2027-01-31", "2027-03-31", "2027-05-31"]);
    has("FREQ=YEARLY;COUNT=2", "2028-02-29T09:00:00", &["2028-02-29", "2032-02-29"]);
    has("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "2028-02-29T09:00:00", &[]);
    assert_eq!(first("FREQ=MONTHLY;BYDAY=5MO;BYMONTH=2", "2027-01-01T00:00:00")[0], "2044-02-29");
}

#[test]
fn years_recur_by_days_weeks_and_months() {
    let start = "2027-01-04T09:00:00";
    has("FREQ=YEARLY;BYDAY=20MO;COUNT=2", start, &["2027-05-17", "2028-05-15"]);
    has("FREQ=YEARLY;BYYEARDAY=100,-1;COUNT=3", start, &["2027-04-10", "2027-12-31", "2028-04-09"]);
    has("FREQ=YEARLY;BYMONTH=11;BYDAY=4TH;COUNT=2", start, &["2027-11-25", "2028-11-23"]);
    // The week says nothing of the day: it is the start's, a Monday.
    has("FREQ=YEARLY;BYWEEKNO=20;COUNT=2", start, &["2027-05-17", "2028-05-15"]);
    has("FREQ=YEARLY;BYMONTHDAY=13;BYDAY=FR;COUNT=2", start, &["2027-08-13", "2028-10-13"]);
    has(
        "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8;COUNT=2",
        start,
        &["2027-11-02", "2031-11-04"],
    );
}

#[test]
fn hours_minutes_and_seconds_recur() {
    let start = "2027-03-08T09:00:00";
    has(
        "FREQ=HOURLY;INTERVAL=3;COUNT=3",
        start,
        &["2027-03-08 09:00:00", "2027-03-08 12:00:00", "2027-03-08 15:00:00"],
    );
    has(
        "FREQ=MINUTELY;INTERVAL=90;COUNT=2",
        start,
        &["2027-03-08 09:00:00", "2027-03-08 10:30:00"],
    );
    has(
        "FREQ=DAILY;BYHOUR=9,17;BYMINUTE=0,30;COUNT=3",
        start,
        &["2027-03-08 09:00:00", "2027-03-08 09:30:00", "2027-03-08 17:00:00"],
    );
    has(
        "FREQ=MINUTELY;BYDAY=TU;BYHOUR=10;BYMINUTE=30;COUNT=2",
        start,
        &["2027-03-09 10:30:00", "2027-03-16 10:30:00"],
    );
    has(
        "FREQ=SECONDLY;BYMONTH=7;BYHOUR=1;BYMINUTE=2;BYSECOND=3;COUNT=2",
        start,
        &["2027-07-01 01:02:03", "2027-07-02 01:02:03"],
    );
    has(
        "FREQ=HOURLY;BYMINUTE=0,20,40;BYSETPOS=2;COUNT=2",
        start,
        &["2027-03-08 09:20:00", "2027-03-08 10:20:00"],
    );
}

#[test]
fn a_rule_ends_with_the_day_the_local_time_or_the_instant_that_it_names() {
    let start = "2027-03-08T09:00:00";
    let two = ["2027-03-08", "2027-03-09"];
    for until in ["20270309", "20270309T090000", "20270309T090000Z", "20270309T235959"] {
        has(&format!("FREQ=DAILY;UNTIL={until}"), start, &two);
    }
    has("FREQ=DAILY;UNTIL=20270309T085959Z", start, &two[..1]);
    let rule: Rule = "FREQ=DAILY;UNTIL=20271231T230000Z".parse().unwrap();
    assert!(rule.reaches(at("2027-12-31T00:00:00"), None));
    assert!(!rule.reaches(at("2028-01-01T00:00:00"), None));
}

#[test]
fn what_programs_write_beside_the_standard_is_read() {
    let start = "2027-03-08T09:00:00";
    let three = ["2027-03-08", "2027-03-15", "2027-03-22"];
    for rule in [
        "freq=weekly;count=3;",
        " FREQ=WEEKLY ; COUNT=3 ; WKST=SU",
        "FREQ=WEEKLY;INTERVAL=0;COUNT=3",
        "COUNT=3;X-NOTE=1;FREQ=WEEKLY",
        "RSCALE=GREGORIAN;FREQ=WEEKLY;SKIP=OMIT;BYDAY=+1MO;COUNT=3",
    ] {
        has(rule, start, &three);
    }
    assert!(!"FREQ=WEEKLY;COUNT=-1".parse::<Rule>().unwrap().ends());
}

#[test]
fn what_is_no_rule_says_which_part_of_it_is_none() {
    let part = |part: &str| Err(RuleError::Part { part: part.to_owned() });
    assert_eq!("".parse::<Rule>(), Err(RuleError::NoFrequency));
    assert_eq!("COUNT=3".parse::<Rule>(), Err(RuleError::NoFrequency));
    for wrong in [
        "FREQ=SOMETIMES",
        "COUNT=0",
        "COUNT=many",
        "BYDAY=XX",
        "BYDAY=99MO",
        "BYDAY=",
        "BYMONTH=13",
        "BYMONTHDAY=0",
        "BYMONTHDAY=32",
        "BYHOUR=24",
        "BYSETPOS=0",
        "UNTIL=never",
        "BYEASTER=1",
        "RSCALE=HEBREW",
        "SKIP=BACKWARD",
        "weekly",
        "BYDAY=é",
    ] {
        assert_eq!(format!("FREQ=DAILY;{wrong}").parse::<Rule>(), part(wrong), "{wrong}");
    }
}

#[test]
fn work_for_a_rule_is_bounded() {
    let end = at("2200-01-01T00:00:00");
    for rule in [
        "FREQ=SECONDLY;BYSECOND=1;BYSETPOS=2",
        "FREQ=YEARLY;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11;BYMINUTE=0,1,2,3,4,5,6,7,8,9;BYSECOND=0,1,2,3,4,5,6,7,8,9;BYDAY=MO,TU,WE,TH,FR,SA,SU",
    ] {
        let rule: Rule = rule.parse().unwrap();
        let mut expansion = rule.expand(at("2027-01-01T00:00:00"), end);
        assert!(expansion.any(|next| next == Err(TooMuchWork)), "{rule:?}");
        assert_eq!(expansion.next(), None);
    }
    let far: Rule = "FREQ=YEARLY;INTERVAL=1000000000".parse().unwrap();
    assert_eq!(far.expand(at("2027-01-01T00:00:00"), end).count(), 1);
    let never: Rule = "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30".parse().unwrap();
    assert_eq!(never.expand(at("2027-01-01T00:00:00"), end).count(), 0);
}
