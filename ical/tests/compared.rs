//! Recurrence, compared with programs that have nothing to do with this one: `python-dateutil` for rules alone, and
//! `recurring-ical-events` for events in zones, with what is left out, added and moved.
//!
//! `DAYBOOK_SEED` repeats the choices of a run, and `DAYBOOK_RULES` says how many rules there are; by itself 1,000.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "all of this is test code, and clippy sees only `#[test]`s"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use chrono_tz::Tz;
use daybook_ical::recur::Rule;
use daybook_ical::series::{Span, Window, occurrences};
use daybook_ical::{Event, Zone, scan};
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom as _, IteratorRandom as _};
use rand::{Rng as _, SeedableRng as _};

const DAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

/// What a rule makes from a start, and up to when that is looked at.
struct Case {
    start: NaiveDateTime,
    end: NaiveDateTime,
    rule: String,
}

/// The choices by itself: always the same, for by chance faults of the other programs are met, too, and each difference has
/// to be looked at by a person.
const SEED: u64 = 1;

fn seed() -> u64 {
    let given = env::var("DAYBOOK_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or(SEED);
    println!("DAYBOOK_SEED={seed}");
    seed
}

fn how_many() -> usize {
    env::var("DAYBOOK_RULES").ok().and_then(|count| count.parse().ok()).unwrap_or(1_000)
}

/// The environment that `cargo xtask test` makes from `requirements.txt`.
fn python(arguments: &[&str], input: &str) -> String {
    let us = env::current_exe().unwrap();
    let python = us.ancestors().nth(3).unwrap().join("python/recurrence/bin/python");
    assert!(
        python.exists(),
        "{} is not there. `cargo xtask test` makes it, with python3 3.11 or later and its module venv, from PyPI.",
        python.display()
    );
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compared.py");
    let mut child = Command::new(python)
        .arg(script)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writing = std::thread::spawn(move || stdin.write_all(input.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writing.join().unwrap();
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn some<T: ToString>(random: &mut StdRng, from: impl Iterator<Item = T>, at_most: usize) -> String {
    let count = random.random_range(1..=at_most);
    let chosen = from.choose_multiple(random, count);
    chosen.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

fn signed(random: &mut StdRng, max: i32, at_most: usize) -> String {
    some(random, (-max..=max).filter(|number| *number != 0), at_most)
}

fn days(random: &mut StdRng, ordinals: Option<i32>) -> String {
    let Some(max) = ordinals else { return some(random, DAYS.into_iter(), 4) };
    let day = |random: &mut StdRng| {
        let ordinal = random.random_range(1..=max) * if random.random_bool(0.3) { -1 } else { 1 };
        format!("{ordinal}{}", DAYS.choose(random).unwrap())
    };
    let count = random.random_range(1..=3);
    let all: BTreeSet<String> = (0..count).map(|_| day(random)).collect();
    all.into_iter().collect::<Vec<_>>().join(",")
}

/// A rule, but for what programs are known to read in two ways: a week's number without a day (every day of it, or the
/// start's), weekdays with and without a number in one list, and positions in a week that has begun before the start. Nor
/// has it the 52nd week from the end where that is the first of the next year and begins in this one (RFC 5545 §3.3.10 counts
/// it as any): dateutil knows that week only as `1`.
/// What recurs within a day has few parts: the other program would look for minutes until the year 9999.
fn case(random: &mut StdRng) -> Case {
    let first = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap();
    let day = first + TimeDelta::days(random.random_range(0..1500));
    let minutes = random.random_range(0..96) * 15;
    let start = day.and_time(NaiveTime::MIN) + TimeDelta::minutes(minutes);
    let frequencies = ["YEARLY", "MONTHLY", "WEEKLY", "DAILY"];
    let is_short = random.random_bool(0.1);
    let mut rule = if is_short {
        within_a_day(random)
    } else {
        let frequency = *frequencies.choose(random).unwrap();
        of_days(random, frequency)
    };
    let end = start + TimeDelta::days(if is_short { 20 } else { 3_000 });
    match random.random_range(0..4) {
        0 => write!(rule, ";COUNT={}", random.random_range(1..60)).unwrap(),
        1 => {
            let hours = random.random_range(1..if is_short { 300 } else { 30_000 });
            let last = start + TimeDelta::hours(hours);
            write!(rule, ";UNTIL={}", last.format("%Y%m%dT%H%M%S")).unwrap();
        }
        _ => {}
    }
    Case { start, end, rule }
}

fn within_a_day(random: &mut StdRng) -> String {
    let interval = random.random_range(1..24);
    match random.random_range(0..4) {
        0 => format!("FREQ=MINUTELY;INTERVAL={interval}"),
        1 => format!("FREQ=HOURLY;INTERVAL={interval};BYDAY={}", days(random, None)),
        2 => format!("FREQ=HOURLY;BYHOUR={}", some(random, 0..24, 4)),
        _ => format!("FREQ=MINUTELY;BYHOUR=9,17;BYMINUTE={}", some(random, 0..60, 4)),
    }
}

fn of_days(random: &mut StdRng, frequency: &str) -> String {
    let mut rule = format!("FREQ={frequency}");
    let mut part = |name: &str, value: String| write!(rule, ";{name}={value}").unwrap();
    if random.random_bool(0.4) {
        part("INTERVAL", random.random_range(2..=6).to_string());
    }
    if random.random_bool(0.3) {
        part("WKST", (*DAYS.choose(random).unwrap()).to_owned());
    }
    let in_months = random.random_bool(0.35);
    if in_months {
        part("BYMONTH", some(random, 1..=12, 3));
    }
    let mut names_days = true;
    if frequency == "YEARLY" && random.random_bool(0.25) {
        part("BYWEEKNO", some(random, (-51..=53).filter(|week| *week != 0), 3));
        part("BYDAY", days(random, None));
    } else if random.random_bool(0.5) {
        let ordinals = match frequency {
            "YEARLY" if random.random_bool(0.25) => Some(5),
            // In a month the other program looks for such a day beyond the end of its table.
            "YEARLY" if !in_months && random.random_bool(0.3) => Some(20),
            "MONTHLY" if random.random_bool(0.6) => Some(5),
            _ => None,
        };
        part("BYDAY", days(random, ordinals));
    } else if frequency != "WEEKLY" && random.random_bool(0.5) {
        part("BYMONTHDAY", signed(random, 31, 4));
    } else if frequency == "YEARLY" && random.random_bool(0.5) {
        part("BYYEARDAY", signed(random, 366, 4));
    } else {
        names_days = false;
    }
    if random.random_bool(0.2) {
        part("BYHOUR", some(random, 0..24, 3));
    }
    if random.random_bool(0.2) {
        part("BYMINUTE", some(random, (0..60).step_by(5), 3));
    }
    if names_days && frequency != "WEEKLY" && random.random_bool(0.25) {
        part("BYSETPOS", signed(random, 4, 2));
    }
    rule
}

fn cases(random: &mut StdRng) -> Vec<Case> {
    (0..how_many()).map(|_| case(random)).collect()
}

fn iso(at: NaiveDateTime) -> String {
    at.format("%Y-%m-%dT%H:%M:%S").to_string()
}

#[test]
fn a_rule_makes_what_dateutil_makes_of_it() {
    let cases = cases(&mut StdRng::seed_from_u64(seed()));
    let input: String = (0_usize..).zip(&cases).fold(String::new(), |mut input, (n, case)| {
        writeln!(input, "{n}\t{}\t{}\t{}", iso(case.start), iso(case.end), case.rule).unwrap();
        input
    });
    let said = python(&["rules"], &input);
    let (mut some, mut differ) = (0, Vec::new());
    for (line, case) in said.lines().zip(&cases) {
        let (_, expected) = line.split_once('\t').unwrap();
        let expected: Vec<&str> = expected.split(',').filter(|at| !at.is_empty()).collect();
        let rule: Rule = case.rule.parse().unwrap();
        let found = rule.expand(case.start, case.end).map(Result::unwrap);
        let found = found.take_while(|local| rule.reaches(*local, Some(*local)));
        let found: Vec<String> = found.take(300).map(iso).collect();
        if found != expected {
            differ.push(format!("{} from {}: {found:?}, not {expected:?}", case.rule, case.start));
        }
        some += usize::from(!expected.is_empty());
    }
    assert_eq!(said.lines().count(), cases.len());
    assert!(differ.is_empty(), "{} differ: {}", differ.len(), differ.join("\n"));
    assert!(some * 4 > cases.len() * 3, "of {} rules {some} make anything", cases.len());
}

/// What a start can be.
#[derive(Clone, Copy)]
enum Form {
    Zone(Tz),
    Utc,
    Day,
}

const FORMS: [Form; 5] = [
    Form::Zone(Tz::Europe__Berlin),
    Form::Zone(Tz::America__New_York),
    Form::Zone(Tz::Australia__Lord_Howe),
    Form::Utc,
    Form::Day,
];

impl Form {
    /// A property of that form.
    fn property(self, name: &str, at: NaiveDateTime) -> String {
        match self {
            Self::Zone(zone) => format!("{name};TZID={zone}:{}", at.format("%Y%m%dT%H%M%S")),
            Self::Utc => format!("{name}:{}", at.format("%Y%m%dT%H%M%SZ")),
            Self::Day => format!("{name};VALUE=DATE:{}", at.format("%Y%m%d")),
        }
    }

    fn utc(self, local: NaiveDateTime) -> NaiveDateTime {
        match self {
            Self::Zone(zone) => Zone::Iana(zone).instant(local).naive_utc(),
            Self::Utc | Self::Day => local,
        }
    }

    /// Whether the other program takes two occurrences for one: it knows each by what clocks show there and by what they
    /// show in UTC, and does not tell the one from the other.
    fn is_mistaken(self, one: NaiveDateTime, other: NaiveDateTime) -> bool {
        one != other && (self.utc(one) == other || one == self.utc(other))
    }
}

/// An event of a rule, of which some occurrences are left out, added or moved.
fn event(random: &mut StdRng, n: usize, case: &Case) -> String {
    let form = *FORMS.choose(random).unwrap();
    // UNTIL is of the start's form: UTC where that has a zone.
    let rule = match form {
        Form::Day => without_times(&case.rule),
        Form::Zone(_) | Form::Utc => until_in_utc(&case.rule),
    };
    let parsed: Rule = rule.parse().unwrap();
    let found: Vec<NaiveDateTime> =
        parsed.expand(case.start, case.end).map(Result::unwrap).take(60).collect();
    // Of what makes nothing, the other program would look until the year 9999.
    if found.is_empty() {
        return String::new();
    }
    let length = if matches!(form, Form::Day) { "P1D" } else { "PT30M" };
    let mut text = format!(
        "BEGIN:VEVENT\nUID:{n}\nDTSTAMP:20240101T000000Z\n{}\nDURATION:{length}\nRRULE:{rule}\n",
        form.property("DTSTART", case.start)
    );
    let mut own = String::new();
    let first = &found[..found.len().min(30)];
    let is_itself = |at: &&NaiveDateTime| {
        !form.is_mistaken(**at, case.start) && !found.iter().any(|it| form.is_mistaken(**at, *it))
    };
    let chosen = first.choose(random).filter(is_itself);
    match (chosen, random.random_range(0..10)) {
        (Some(left_out), 0..4) => writeln!(text, "{}", form.property("EXDATE", *left_out)).unwrap(),
        (Some(moved), 4..7) => {
            let to = *moved + TimeDelta::days(1) + TimeDelta::minutes(45);
            own = format!(
                "BEGIN:VEVENT\nUID:{n}\nDTSTAMP:20240101T000000Z\nSEQUENCE:1\n{}\n{}\nDURATION:{length}\nEND:VEVENT\n",
                form.property("RECURRENCE-ID", *moved),
                form.property("DTSTART", to)
            );
        }
        _ => {}
    }
    if random.random_bool(0.3) {
        let added =
            case.start + TimeDelta::days(random.random_range(1..200)) + TimeDelta::minutes(7);
        writeln!(text, "{}", form.property("RDATE", added)).unwrap();
    }
    text + "END:VEVENT\n" + &own
}

fn until_in_utc(rule: &str) -> String {
    let parts = rule.split(';').map(|part| match part.strip_prefix("UNTIL=") {
        Some(until) => format!("UNTIL={until}Z"),
        None => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join(";")
}

/// A rule of whole days names no times.
fn without_times(rule: &str) -> String {
    let parts =
        rule.split(';').filter(|part| !part.starts_with("BYHOUR") && !part.starts_with("BYMINUTE"));
    let parts = parts.map(|part| match part.strip_prefix("UNTIL=") {
        Some(until) => format!("UNTIL={}", &until[..8]),
        None => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join(";")
}

fn found_in(file: &[u8], last: NaiveDate) -> BTreeSet<(String, String)> {
    let index = scan(file).unwrap();
    let mut by_uid: BTreeMap<String, Vec<Event>> = BTreeMap::new();
    for place in &index.events {
        let bytes = usize::try_from(place.start).unwrap()..usize::try_from(place.end).unwrap();
        let event = Event::read(&file[bytes], place.line, &index.zones).unwrap();
        by_uid.entry(event.uid.clone().unwrap()).or_default().push(event);
    }
    let window = Window {
        first: NaiveDate::from_ymd_opt(2024, 1, 1).unwrap(),
        horizon: (last + TimeDelta::days(2)).and_time(NaiveTime::MIN).and_utc(),
    };
    let mut all = BTreeSet::new();
    for (uid, events) in by_uid {
        let events: Vec<&Event> = events.iter().collect();
        for occurrence in occurrences(&events, window).unwrap().all {
            let start = match occurrence.span.unwrap() {
                Span::Days { first, .. } => first.to_string(),
                Span::Time { start, .. } => iso(start.naive_utc()),
            };
            // The other program is asked for whole days, in the zone of each event.
            if start < last.to_string() {
                all.insert((uid.clone(), start));
            }
        }
    }
    all
}

#[test]
fn events_recur_as_recurring_ical_events_has_it() {
    let mut random = StdRng::seed_from_u64(seed());
    // What recurs within a day is looked at above: of whole years there would be too much.
    let all = cases(&mut random);
    let of_days =
        |case: &&Case| !["FREQ=MINUTELY", "FREQ=HOURLY"].iter().any(|it| case.rule.starts_with(it));
    let last = NaiveDate::from_ymd_opt(2029, 6, 1).unwrap();
    let events: String = (0_usize..)
        .zip(all.iter().filter(of_days))
        .map(|(n, case)| event(&mut random, n, case))
        .collect();
    let file = format!(
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//daybook//compared//EN\n{events}END:VCALENDAR\n"
    );
    let file = file.replace('\n', "\r\n");
    let folder: PathBuf = env::temp_dir().join(format!("daybook-compared-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("compared.ics");
    fs::write(&path, &file).unwrap();
    let day_after = (last + TimeDelta::days(2)).to_string();
    let said = python(&["calendar", path.to_str().unwrap(), "2023-12-01", &day_after], "");
    fs::remove_dir_all(&folder).unwrap();
    let expected: BTreeSet<(String, String)> = said
        .lines()
        .map(|line| line.split_once('\t').unwrap())
        .filter(|(_, start)| *start < last.to_string().as_str())
        .map(|(uid, start)| (uid.to_owned(), start.to_owned()))
        .collect();
    let found = found_in(file.as_bytes(), last);
    let of = |uid: &str| {
        let from = file.find(&format!("UID:{uid}\r\n")).unwrap();
        file[from..].split("END:VEVENT").next().unwrap().to_owned()
    };
    let extra: Vec<_> = found.difference(&expected).take(20).collect();
    let missing: Vec<_> = expected.difference(&found).take(20).collect();
    let uids: BTreeSet<&String> = extra.iter().chain(&missing).map(|(uid, _)| uid).collect();
    let events: Vec<String> = uids.into_iter().map(|uid| of(uid)).collect();
    assert!(
        events.is_empty(),
        "only here: {extra:?}; only there: {missing:?}\n{}",
        events.join("\n")
    );
    assert!(expected.len() > 1_000, "{}", expected.len());
}
