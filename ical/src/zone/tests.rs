//! Zones that a calendar defines itself.

use chrono_tz::Europe::Berlin;

use super::*;

fn zones(definitions: &str) -> Zones {
    let mut zones = Zones::default();
    for definition in definitions.split("---\n") {
        zones.define(&Component::whole(definition.as_bytes(), 1));
    }
    zones
}

fn local(text: &str) -> NaiveDateTime {
    text.parse().unwrap()
}

fn observance(kind: &str, lines: &str) -> String {
    format!("BEGIN:{kind}\n{lines}\nEND:{kind}\n")
}

fn definition(name: &str, body: &str) -> String {
    format!("BEGIN:VTIMEZONE\nTZID:{name}\n{body}END:VTIMEZONE\n")
}

const TO_SUMMER: &str = "DTSTART:16010101T020000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\n\
                         RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3";
const TO_WINTER: &str = "DTSTART:16010101T030000\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\n\
                         RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10";

#[test]
fn a_zone_by_rules_is_the_zone_that_it_describes() {
    let body = observance("STANDARD", TO_WINTER) + &observance("DAYLIGHT", TO_SUMMER);
    let own = zones(&definition("Unser Büro", &body)).named("unser büro").unwrap();
    assert_eq!(own.iana(), None);
    let first = local("2000-01-01T00:30:00");
    for half_hours in (0..40 * 17_532).step_by(37) {
        let at = first + TimeDelta::minutes(30 * half_hours);
        assert_eq!(own.instant(at), Zone::Iana(Berlin).instant(at), "{at}");
        assert_eq!(own.local(at.and_utc()), Zone::Iana(Berlin).local(at.and_utc()), "{at}");
    }
    // The hours in which clocks change, minute by minute.
    for change in ["2027-03-28T01:00:00", "2027-10-31T01:00:00"] {
        for minute in 0..180 {
            let at = local(change) + TimeDelta::minutes(minute);
            assert_eq!(own.instant(at), Zone::Iana(Berlin).instant(at), "{at}");
        }
    }
}

#[test]
fn a_zone_may_be_written_twice_with_one_change_each() {
    let summer = "DTSTART:20270328T020000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200";
    let winter = "DTSTART:20271031T030000\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100";
    let texts = [
        definition("Ours", &(observance("STANDARD", winter) + &observance("DAYLIGHT", summer))),
        format!(
            "{}---\n{}",
            definition("Ours", &observance("DAYLIGHT", summer)),
            definition("Ours", &observance("STANDARD", winter))
        ),
    ];
    for text in texts {
        let own = zones(&text).named("Ours").unwrap();
        for at in ["2027-01-10T09:00:00", "2027-06-10T09:00:00", "2027-12-10T09:00:00"] {
            assert_eq!(own.instant(local(at)), Zone::Iana(Berlin).instant(local(at)), "{at}");
        }
    }
}

#[test]
fn a_name_that_is_known_goes_before_what_the_file_says_of_it() {
    let nonsense = "DTSTART:19700101T000000\nTZOFFSETFROM:+0900\nTZOFFSETTO:+0900";
    let body = observance("STANDARD", nonsense);
    let zones = zones(&format!(
        "{}---\n{}---\n{}",
        definition("Europe/Berlin", &body),
        definition("W. Europe Standard Time", &body),
        definition("Ours", &format!("X-LIC-LOCATION:Europe/Berlin\n{body}"))
    ));
    for name in ["Europe/Berlin", "W. Europe Standard Time", "Ours"] {
        assert_eq!(zones.named(name).unwrap().iana(), Some(Berlin), "{name}");
    }
}

#[test]
fn a_fixed_offset_and_dates_of_changes_are_understood() {
    let fixed = "DTSTART:19700101T000000\nTZOFFSETFROM:+0530\nTZOFFSETTO:+0530";
    let own = zones(&definition("Ours", &observance("STANDARD", fixed))).named("Ours").unwrap();
    assert_eq!(own.instant(local("1965-06-01T05:30:00")).to_rfc3339(), "1965-06-01T00:00:00+00:00");
    let dates = "DTSTART:20270328T020000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\n\
                 RDATE:20280326T020000,20290325T020000";
    let back = "DTSTART:20271031T030000\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\n\
                RDATE:20281029T030000";
    let body = observance("DAYLIGHT", dates) + &observance("STANDARD", back);
    let own = zones(&definition("Ours", &body)).named("Ours").unwrap();
    for at in ["2028-06-01T12:00:00", "2028-12-01T12:00:00", "2029-06-01T12:00:00"] {
        assert_eq!(own.instant(local(at)), Zone::Iana(Berlin).instant(local(at)), "{at}");
    }
}

#[test]
fn a_definition_without_sense_defines_nothing() {
    for body in [
        String::new(),
        observance("STANDARD", "DTSTART:19700101T000000"),
        observance("STANDARD", "TZOFFSETTO:+0100"),
        observance("STANDARD", "DTSTART:19700101T000000\nTZOFFSETTO:+0100\nRRULE:FREQ=SECONDLY"),
    ] {
        let zones = zones(&definition("Ours", &body));
        let unknown = Fault::UnknownTimeZone { name: "Ours".to_owned() };
        assert_eq!(zones.named("Ours"), Err(unknown), "{body}");
    }
}

#[test]
fn definitions_take_a_bounded_amount_of_work() {
    let body = observance("STANDARD", TO_WINTER) + &observance("DAYLIGHT", TO_SUMMER);
    let text = definition("Ours", &body);
    let component = Component::whole(text.as_bytes(), 1);
    let mut zones = Zones { worked: own::MAX_WORK, ..Zones::default() };
    zones.define(&component);
    assert!(zones.named("Ours").is_err());
    let mut zones = Zones::default();
    zones.define(&component);
    assert!(zones.named("Ours").is_ok());
    assert!((10_000..100_000).contains(&zones.worked), "{}", zones.worked);
    let worked = zones.worked;
    zones.define(&Component::whole(text.replace("Ours", "Europe/Berlin").as_bytes(), 1));
    assert_eq!(zones.worked, worked, "what is known is not looked at");
}

#[test]
fn a_name_that_is_longer_than_any_is_only_what_the_file_calls_so() {
    let long = "/x".repeat(200) + "/Europe/Berlin";
    assert!(Zones::default().named(&long).is_err());
    let fixed = "DTSTART:19700101T000000\nTZOFFSETFROM:+0530\nTZOFFSETTO:+0530";
    assert!(zones(&definition(&long, &observance("STANDARD", fixed))).named(&long).is_ok());
}

#[test]
fn the_files_default_goes_before_the_callers() {
    let zones = Zones::default();
    let default = |of_file, of_caller| zones.with_default(of_file, of_caller).floating("DTSTART");
    assert_eq!(default(Some("Europe/Berlin"), Some(Tz::UTC)), Ok(Zone::Iana(Berlin)));
    assert_eq!(default(None, Some(Berlin)), Ok(Zone::Iana(Berlin)));
    assert_eq!(default(Some(" "), Some(Berlin)), Ok(Zone::Iana(Berlin)));
    let unknown = Fault::UnknownTimeZone { name: "Mars/Base".to_owned() };
    assert_eq!(default(Some("Mars/Base"), Some(Berlin)), Err(unknown));
    let none = Fault::NoTimeZone { property: "DTSTART".to_owned() };
    assert_eq!(default(None, None), Err(none));
}
