//! DATE-TIME values in their three forms (RFC 5545 §3.3.5): local with a zone, UTC, and floating.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use daybook_domain::time::resolve_local;

use super::{
    duration::CalendarDuration, envelope::Object, error::RefusalReason, properties::Value,
    text::excerpt,
};

/// The zones that times of one calendar can be in.
#[derive(Debug)]
pub(super) struct Zones<'c> {
    own: &'c BTreeSet<String>,
    default: DefaultZone,
}

#[derive(Debug)]
enum DefaultZone {
    Known(Tz),
    /// The file names one that is not known. It is not replaced by the caller's, which is another.
    Unknown(String),
    None,
}

impl<'c> Zones<'c> {
    /// The file's own default goes before the caller's, which cannot know the file.
    pub(super) fn of(object: &'c Object, callers_default: Option<Tz>) -> Self {
        let default = match (&object.default_zone, callers_default) {
            (Some(name), _) => iana_zone(name)
                .map_or_else(|| DefaultZone::Unknown(excerpt(name)), DefaultZone::Known),
            (None, Some(zone)) => DefaultZone::Known(zone),
            (None, None) => DefaultZone::None,
        };
        Self { own: &object.own_zones, default }
    }

    fn named(&self, name: &str) -> Result<Tz, RefusalReason> {
        iana_zone(name).ok_or_else(|| {
            let shown = excerpt(name);
            if self.own.contains(name) {
                RefusalReason::CustomTimeZone { name: shown }
            } else {
                RefusalReason::UnknownTimeZone { name: shown }
            }
        })
    }

    fn floating(&self, property: &'static str) -> Result<Tz, RefusalReason> {
        match &self.default {
            DefaultZone::Known(zone) => Ok(*zone),
            DefaultZone::Unknown(name) => {
                Err(RefusalReason::UnknownTimeZone { name: name.clone() })
            }
            DefaultZone::None => Err(RefusalReason::NoTimeZone { property }),
        }
    }

    /// The zone that an instant given in UTC is shown in.
    fn shown_for_utc(&self) -> Tz {
        match self.default {
            DefaultZone::Known(zone) => zone,
            DefaultZone::Unknown(_) | DefaultZone::None => Tz::UTC,
        }
    }
}

/// A zone of the IANA database. A name that begins with `/` is one from a global registry
/// (RFC 5545 §3.8.3.1), and that registry is the only one there is.
fn iana_zone(name: &str) -> Option<Tz> {
    name.strip_prefix('/').unwrap_or(name).parse().ok()
}

/// A time of an event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) instant: DateTime<Utc>,
    /// The zone to show it in.
    pub(super) zone: Tz,
    /// The time as written, and the zone in which it was: days are counted there.
    written: (NaiveDateTime, Tz),
}

impl Moment {
    pub(super) fn read(
        property: &'static str,
        value: &Value,
        zones: &Zones,
    ) -> Result<Self, RefusalReason> {
        let text = value.text.trim();
        let is_date = value.parameter("VALUE").is_some_and(|v| v.eq_ignore_ascii_case("DATE"));
        if is_date || is_digits(text, 8) {
            return Err(RefusalReason::AllDay { property });
        }
        let bad_time = || RefusalReason::BadTime { property, value: excerpt(text) };
        let zone_name = value.parameter("TZID");
        if let Some(text) = text.strip_suffix('Z') {
            let local = local_date_time(text).ok_or_else(bad_time)?;
            // A zone on a UTC time is forbidden (§3.2.19); which of the two is meant, none can say.
            if zone_name.is_some_and(|name| !matches!(name, "UTC" | "Etc/UTC" | "GMT")) {
                return Err(bad_time());
            }
            let zone = zones.shown_for_utc();
            return Ok(Self { instant: local.and_utc(), zone, written: (local, Tz::UTC) });
        }
        let local = local_date_time(text).ok_or_else(bad_time)?;
        let zone = match zone_name {
            Some(name) => zones.named(name)?,
            None => zones.floating(property)?,
        };
        let instant = resolve_local(zone, local);
        Ok(Self { instant, zone, written: (local, zone) })
    }

    /// The instant after a duration: its days counted on the calendar, then the rest exactly
    /// (RFC 5545 §3.3.6). None if that is past the end of the calendar.
    pub(super) fn after(&self, duration: CalendarDuration) -> Option<DateTime<Utc>> {
        let (local, zone) = self.written;
        let instant = if duration.days == TimeDelta::zero() {
            self.instant
        } else {
            resolve_local(zone, local.checked_add_signed(duration.days)?)
        };
        instant.checked_add_signed(duration.exact)
    }
}

fn is_digits(text: &str, count: usize) -> bool {
    text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `YYYYMMDDThhmmss`. A leap second is read as the second before it, as §3.3.12 asks of those who do
/// not keep leap seconds.
fn local_date_time(text: &str) -> Option<NaiveDateTime> {
    let (day, time) = text.split_once('T')?;
    if !is_digits(time, 6) {
        return None;
    }
    let date = date(day)?;
    let second = number(&time[4..])?;
    let second = if second == 60 { 59 } else { second };
    date.and_hms_opt(number(&time[..2])?, number(&time[2..4])?, second)
}

/// `YYYYMMDD`.
pub(super) fn date(text: &str) -> Option<NaiveDate> {
    if !is_digits(text, 8) {
        return None;
    }
    NaiveDate::from_ymd_opt(text[..4].parse().ok()?, number(&text[4..6])?, number(&text[6..])?)
}

fn number(digits: &str) -> Option<u32> {
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_time_is_eight_digits_a_t_and_six_digits() {
        let read = |text| local_date_time(text).map(|time| time.to_string());
        assert_eq!(read("20170425T093000").as_deref(), Some("2017-04-25 09:30:00"));
        assert_eq!(read("20161231T235960").as_deref(), Some("2016-12-31 23:59:59"));
        for text in [
            "",
            "20170425",
            "20170425T0930",
            "20170425t093000",
            "20170431T093000",
            "20170425T243000",
            "20170425T096000",
            "20170425T093061",
            "+0170425T093000",
            "2017042T5093000",
            "20170425T093000Z",
            "２０１７0425T093000",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }
}
