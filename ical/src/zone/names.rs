//! Names of zones: those of the IANA database, in any case and behind a prefix; those of Windows, by
//! CLDR's table `windowsZones`; and what Outlook shows of these.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone};
use chrono_tz::{TZ_VARIANTS, Tz};

/// A line for each: its name, `=`, the zone that CLDR has for it in the world as a whole.
const WINDOWS: &str = include_str!("windows.txt");

/// A zone of the IANA database. A prefix is a registry (RFC 5545 §3.8.3.1) or a program's own, such as
/// `/freeassociation.sourceforge.net/` or `/mozilla.org/20070129_1/`.
pub(super) fn iana(name: &str) -> Option<Tz> {
    let mut rest = name;
    loop {
        if let Some(zone) = exact(rest) {
            return Some(zone);
        }
        // A single word behind a prefix may be anything, but for UTC.
        let (_, after) = rest.split_once('/')?;
        if !after.contains('/') && !after.eq_ignore_ascii_case("UTC") && !rest.starts_with('/') {
            return None;
        }
        rest = after;
    }
}

fn exact(name: &str) -> Option<Tz> {
    let any_case = || {
        let spaceless = name.replace(' ', "_");
        TZ_VARIANTS.into_iter().find(|zone| zone.name().eq_ignore_ascii_case(&spaceless))
    };
    name.parse().ok().or_else(any_case)
}

/// A zone of Windows, by its own name (`W. Europe Standard Time`) or by what Outlook writes of it
/// (`(UTC+01:00) Amsterdam, Berlin, Bern`, `Pacific Time (US & Canada)`, `tzone://Microsoft/Utc`).
pub(super) fn windows(name: &str) -> Option<Tz> {
    let name = name.trim();
    if let Some(custom) = strip_prefix_any_case(name, "tzone://Microsoft/") {
        return custom.eq_ignore_ascii_case("utc").then_some(Tz::UTC);
    }
    in_table(name).or_else(|| shown(name)).or_else(|| fixed(hours_and_minutes(name)?))
}

/// So many minutes east of UTC, all year round (`UTC+01`); whole hours have a zone of IANA's.
fn fixed(minutes: i64) -> Option<Tz> {
    let hours = (minutes % 60 == 0).then_some(minutes / 60)?;
    // They count westwards.
    format!("Etc/GMT{:+}", -hours).parse().ok()
}

fn in_table(name: &str) -> Option<Tz> {
    let standard = [" Daylight Time", " Summer Time", " Time"].into_iter().find_map(|suffix| {
        strip_suffix_any_case(name, suffix).map(|base| format!("{base} Standard Time"))
    });
    let mut rows = WINDOWS.lines().filter_map(|line| line.split_once('='));
    let is_so = |of: &str| {
        let standard = standard.as_deref().unwrap_or(name);
        of.eq_ignore_ascii_case(name) || of.eq_ignore_ascii_case(standard)
    };
    rows.find(|(windows, _)| is_so(windows)).and_then(|(_, zone)| zone.parse().ok())
}

/// What a list of zones shows: an offset in parentheses, then cities, or the zone's name and countries.
fn shown(name: &str) -> Option<Tz> {
    let (offset, places) = match name.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
        Some((offset, places)) => (Some(hours_and_minutes(offset)?), places.trim()),
        None => (None, name),
    };
    let without_countries = places.split_once('(').map_or(places, |(before, _)| before).trim();
    if let Some(zone) = in_table(without_countries).filter(|zone| is_at(*zone, offset)) {
        return Some(zone);
    }
    let cities = places.split([',', ';', '/', '、']).map(|city| city.trim().replace(' ', "_"));
    let zone_of = |city: String| {
        let is_named_after = |zone: &Tz| {
            let last = zone.name().rsplit_once('/').map(|(_, last)| last);
            last.is_some_and(|last| last.eq_ignore_ascii_case(&city)) && is_at(*zone, offset)
        };
        TZ_VARIANTS.into_iter().find(is_named_after)
    };
    // Without an offset a city alone would be a guess.
    offset.and(cities.filter(|city| !city.is_empty()).find_map(zone_of))
}

/// `UTC+01:00`, `GMT -03.30`, `UTC`, in minutes east.
fn hours_and_minutes(text: &str) -> Option<i64> {
    let text = text.trim().to_ascii_uppercase();
    let rest = text.strip_prefix("UTC").or_else(|| text.strip_prefix("GMT"))?.trim();
    let (sign, digits) = match rest.strip_prefix(['-', '\u{2212}']) {
        Some(digits) => (-1, digits),
        None => (1, rest.strip_prefix('+').unwrap_or(rest)),
    };
    if digits.is_empty() {
        return Some(0);
    }
    let (hours, minutes) = digits.split_once([':', '.']).unwrap_or((digits, "0"));
    let number = |text: &str| text.trim().parse::<u16>().ok().map(i64::from);
    Some(sign * (number(hours)? * 60 + number(minutes)?))
}

/// Whether the zone's standard time is so many minutes east of UTC; `None`: whatever it is.
fn is_at(zone: Tz, minutes: Option<i64>) -> bool {
    let Some(minutes) = minutes else { return true };
    let at = |month| NaiveDate::from_ymd_opt(2020, month, 1).map(midnight);
    let offsets = [1, 7].into_iter().filter_map(at).map(|at| offset_seconds(zone, at));
    offsets.min().is_some_and(|standard| i64::from(standard) == minutes * 60)
}

fn midnight(date: NaiveDate) -> NaiveDateTime {
    date.and_time(NaiveTime::MIN)
}

fn strip_prefix_any_case<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn strip_suffix_any_case<'t>(text: &'t str, suffix: &str) -> Option<&'t str> {
    let (rest, end) = text.split_at_checked(text.len().checked_sub(suffix.len())?)?;
    end.eq_ignore_ascii_case(suffix).then_some(rest)
}

/// The seconds that a zone's clocks are ahead of UTC.
pub(super) fn offset_seconds(zone: Tz, utc: NaiveDateTime) -> i32 {
    zone.offset_from_utc_datetime(&utc).fix().local_minus_utc()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_zone_of_the_table_is_one_of_iana() {
        assert!(WINDOWS.lines().count() > 130);
        for line in WINDOWS.lines() {
            let (name, zone) = line.split_once('=').unwrap();
            assert!(zone.parse::<Tz>().is_ok(), "{line}");
            assert_eq!(windows(name), zone.parse().ok(), "{line}");
        }
    }

    #[test]
    fn a_name_may_have_a_prefix_and_any_case() {
        for (name, zone) in [
            ("Europe/Berlin", "Europe/Berlin"),
            ("europe/BERLIN", "Europe/Berlin"),
            ("/Europe/Berlin", "Europe/Berlin"),
            ("/freeassociation.sourceforge.net/Tzfile/Europe/Berlin", "Europe/Berlin"),
            ("/mozilla.org/20070129_1/Europe/Berlin", "Europe/Berlin"),
            (
                "/citadel.org/2026_1/America/Argentina/Buenos_Aires",
                "America/Argentina/Buenos_Aires",
            ),
            ("America/New York", "America/New_York"),
            ("/tzurl.org/UTC", "UTC"),
            ("utc", "UTC"),
            ("US-Eastern", ""),
            ("Office/EST", ""),
            ("Berlin", ""),
        ] {
            assert_eq!(iana(name).map_or("", |zone| zone.name()), zone, "{name}");
        }
    }

    #[test]
    fn what_outlook_shows_of_a_zone_is_understood_where_it_names_an_offset_and_a_city() {
        for (name, zone) in [
            ("W. Europe Standard Time", "Europe/Berlin"),
            ("w. europe standard time", "Europe/Berlin"),
            ("Pacific Daylight Time", "America/Los_Angeles"),
            ("Pacific Time (US & Canada)", "America/Los_Angeles"),
            ("(UTC-08:00) Pacific Time (US & Canada)", "America/Los_Angeles"),
            ("(UTC+01:00) Amsterdam, Berlin, Bern, Rom, Stockholm, Wien", "Europe/Amsterdam"),
            ("(GMT+01.00) Paris / Madrid / Brussels", "Europe/Paris"),
            ("(UTC) Dublin, Edinburgh, Lisbon, London", "Europe/Dublin"),
            ("tzone://Microsoft/Utc", "UTC"),
            ("UTC-02", "Etc/GMT+2"),
            ("UTC+01", "Etc/GMT-1"),
            ("GMT -05:00", "Etc/GMT+5"),
            ("UTC+05:30", ""),
            ("UTC+15", ""),
            ("GMT-05.00/-04.00", ""),
            ("Eastern Standard Time (Mexico)", "America/Cancun"),
            ("Customized Time Zone", ""),
            ("Central America", ""),
            ("(UTC+09:00) Amsterdam", ""),
            ("Amsterdam, Berlin", ""),
            ("(soon) Berlin", ""),
            ("(UTC+999999999999999999) Berlin", ""),
        ] {
            assert_eq!(windows(name).map_or("", |zone| zone.name()), zone, "{name}");
        }
    }
}
