//! A period of time, as a resource's clocks show it.

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use daybook_domain::time::Interval;
use serde::Serialize;
use utoipa::ToSchema;

/// From a start to before an end.
#[derive(PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Period {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    /// The start as the resource's clocks show it, with their offset.
    #[schema(format = DateTime, example = "2027-03-28T09:00:00+02:00")]
    local_start: String,
    #[schema(format = DateTime, example = "2027-03-28T17:00:00+02:00")]
    local_end: String,
}

impl Period {
    pub(crate) fn new(zone: Tz, interval: &Interval) -> Self {
        let local = |at: DateTime<Utc>| {
            at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::AutoSi, false)
        };
        let (start, end) = (interval.start(), interval.end());
        Self { start, end, local_start: local(start), local_end: local(end) }
    }
}
