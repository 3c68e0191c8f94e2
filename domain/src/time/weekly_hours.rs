//! When a resource is open, week by week, in its own zone.

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::dates::Dates;
use super::{HoursError, Interval, OpeningWindow};

/// The opening windows of a week; none at all means always closed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "Vec<OpeningWindow>", into = "Vec<OpeningWindow>")]
pub struct WeeklyHours(Vec<OpeningWindow>);

impl WeeklyHours {
    /// How many windows one resource can have.
    pub const MAX_WINDOWS: usize = 50;

    /// Open around the clock.
    #[must_use]
    pub fn always() -> Self {
        Self(vec![OpeningWindow::always()])
    }

    /// The windows as they were given.
    #[must_use]
    pub fn windows(&self) -> &[OpeningWindow] {
        &self.0
    }

    /// Every window that opens on one of these days, made absolute; in no order, and they may
    /// overlap.
    pub(super) fn opening_on(&self, zone: Tz, dates: Dates) -> impl Iterator<Item = Interval> {
        dates
            .iter()
            .flat_map(move |date| self.0.iter().filter_map(move |window| window.on(zone, date)))
    }
}

impl TryFrom<Vec<OpeningWindow>> for WeeklyHours {
    type Error = HoursError;

    fn try_from(windows: Vec<OpeningWindow>) -> Result<Self, HoursError> {
        if windows.len() > Self::MAX_WINDOWS {
            return Err(HoursError::TooManyWindows);
        }
        Ok(Self(windows))
    }
}

impl From<WeeklyHours> for Vec<OpeningWindow> {
    fn from(hours: WeeklyHours) -> Self {
        hours.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(windows: &str) -> bool {
        serde_json::from_str::<WeeklyHours>(windows).is_err()
    }

    #[test]
    fn what_is_always_open_is_so_each_day_and_can_be_read_again() {
        let written = serde_json::to_string(&WeeklyHours::always()).unwrap();
        let days = r#"["mon","tue","wed","thu","fri","sat","sun"]"#;
        assert_eq!(written, format!(r#"[{{"days":{days},"from":"00:00","to":"24:00"}}]"#));
        assert!(!refused(&written));
    }

    #[test]
    fn a_window_without_length_is_refused() {
        for bad in [
            r#"[{"days":["mon"],"from":"09:00","to":"09:00"}]"#,
            r#"[{"days":["mon"],"from":"24:00","to":"09:00"}]"#,
            r#"[{"days":[],"from":"09:00","to":"10:00"}]"#,
            r#"[{"days":["mon"],"from":"9:00","to":"10:00"}]"#,
            r#"[{"days":["mon"],"from":"09:60","to":"10:00"}]"#,
            r#"[{"days":["mon"],"from":"09:00","to":"24:01"}]"#,
            r#"[{"days":["mon"],"from":"09:00","to":"10:00","until":"2027-01-01"}]"#,
        ] {
            assert!(refused(bad), "{bad}");
        }
        assert!(!refused(r#"[{"days":["mon"],"from":"22:00","to":"06:00"}]"#));
    }

    #[test]
    fn a_validity_that_never_comes_is_refused() {
        let window = |from: &str, until: &str| {
            format!(
                r#"[{{"days":["mon"],"from":"09:00","to":"10:00",
                      "valid_from":"{from}","valid_until":"{until}"}}]"#
            )
        };
        assert!(refused(&window("2027-09-02", "2027-09-01")));
        assert!(refused(&window("2027-9-1", "2027-09-02")));
        assert!(!refused(&window("2027-09-01", "2027-09-01")));
    }

    #[test]
    fn a_week_has_a_bounded_number_of_windows() {
        let windows = |count| vec![r#"{"days":["mon"],"from":"09:00","to":"10:00"}"#; count];
        assert!(!refused(&format!("[{}]", windows(WeeklyHours::MAX_WINDOWS).join(","))));
        assert!(refused(&format!("[{}]", windows(WeeklyHours::MAX_WINDOWS + 1).join(","))));
    }

    #[test]
    fn what_was_written_before_windows_had_a_validity_is_read_and_written_as_before() {
        let stored = r#"[{"days":["mon"],"from":"09:00","to":"17:00"}]"#;
        let hours: WeeklyHours = serde_json::from_str(stored).unwrap();
        assert_eq!(serde_json::to_string(&hours).unwrap(), stored);
    }
}
