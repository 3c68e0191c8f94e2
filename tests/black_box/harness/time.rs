//! Days to book on.

use std::sync::LazyLock;
use std::time::SystemTime;

use chrono::{DateTime, Datelike as _, Days, NaiveDate, NaiveTime, SecondsFormat, Utc};

/// The day that it is in UTC.
pub(crate) fn today() -> NaiveDate {
    DateTime::<Utc>::from(SystemTime::now()).date_naive()
}

/// A Monday in some weeks; the same for the whole run, also past midnight.
static MONDAY: LazyLock<NaiveDate> = LazyLock::new(|| {
    let today = today();
    let this_monday = today - Days::new(today.weekday().num_days_from_monday().into());
    this_monday + Days::new(28)
});

/// This many days after the Monday.
pub(crate) fn date(days: u64) -> NaiveDate {
    *MONDAY + Days::new(days)
}

/// A time of that Monday in UTC.
pub(crate) fn monday(hour: u32, minute: u32) -> DateTime<Utc> {
    date(0).and_time(NaiveTime::from_hms_opt(hour, minute, 0).unwrap()).and_utc()
}

/// As RFC 3339 in UTC, which is how the server writes it.
pub(crate) fn utc(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
