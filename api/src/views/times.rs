//! When something is: in UTC, and beside it as clocks show it in a zone.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use daybook_domain::time::Interval;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::instant::Writer;

/// From a start to before an end.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "they are the names that all answers have")]
pub(crate) struct Times {
    start_at: DateTime<Utc>,
    /// The first instant after it; buffers are not part of it.
    end_at: DateTime<Utc>,
    /// The start as clocks show it in the zone of the answer, with their offset. Where the request names no zone and the
    /// answer has none either, it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, example = "2027-03-28T09:00:00+02:00")]
    local_start_at: Option<String>,
    /// The end in the same way.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, example = "2027-03-28T17:00:00+02:00")]
    local_end_at: Option<String>,
}

impl Times {
    /// In UTC alone.
    pub(crate) const fn of(interval: &Interval) -> Self {
        let (start_at, end_at) = (interval.start(), interval.end());
        Self { start_at, end_at, local_start_at: None, local_end_at: None }
    }

    /// As clocks show them in a zone, too.
    pub(crate) fn in_zone(zone: Tz, interval: &Interval) -> Self {
        let local_start_at = Some(local(zone, interval.start()));
        let local_end_at = Some(local(zone, interval.end()));
        Self { local_start_at, local_end_at, ..Self::of(interval) }
    }

    pub(crate) const fn start(&self) -> DateTime<Utc> {
        self.start_at
    }
}

/// An instant with the offset of a zone, as clocks show it there.
pub(crate) fn local(zone: Tz, at: DateTime<Utc>) -> String {
    let mut text = Vec::with_capacity("2026-12-01T10:00:00+01:00".len());
    Writer::in_zone(zone).write_text(at, &mut text);
    String::from_utf8(text).unwrap_or_default()
}

/// Whatever is shown with when it is.
pub(crate) trait Timed: Sized {
    fn times(&mut self) -> &mut Times;

    /// The same, with local times where a zone is asked for.
    fn shown_in(mut self, zone: Option<Tz>) -> Self {
        if let Some(zone) = zone {
            let times = self.times();
            times.local_start_at = Some(local(zone, times.start_at));
            times.local_end_at = Some(local(zone, times.end_at));
        }
        self
    }
}

/// Says of views that their field `times` is when they are.
macro_rules! timed {
    ($($view:ty),+ $(,)?) => {$(
        impl $crate::views::Timed for $view {
            fn times(&mut self) -> &mut $crate::views::Times {
                &mut self.times
            }
        }
    )+};
}
pub(crate) use timed;
