//! At which times of day a service starts.

use std::iter::successors;

use chrono::{DateTime, NaiveTime, Offset, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;

use super::broken::{GridIn, LocalTime};
use super::{Broken, Proposal, RulesError};
use crate::time::{Interval, Step};

/// The times of day at which a service starts: every `step` minutes from `offset` minutes after
/// local midnight on.
///
/// What counts is what the clocks show, not what has elapsed: with a step of an hour, an
/// appointment starts at 10:00 on the day of a change of the clocks as on every other. A time that
/// occurs twice is on the grid both times, one that does not occur never; on a day that begins at
/// 01:00, minutes are counted from the midnight that did not occur. The grid begins anew each day,
/// also where its step does not divide the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    step: Step,
    offset_minutes: u32,
}

impl Grid {
    /// A grid.
    ///
    /// # Errors
    /// When the offset is not less than the step.
    pub const fn new(step: Step, offset_minutes: u32) -> Result<Self, RulesError> {
        if offset_minutes >= step.minutes() {
            return Err(RulesError::OffsetTooLarge { step, offset_minutes });
        }
        Ok(Self { step, offset_minutes })
    }

    /// From one start to the next.
    #[must_use]
    pub const fn step(self) -> Step {
        self.step
    }

    /// From midnight to the first start of the day.
    #[must_use]
    pub const fn offset_minutes(self) -> u32 {
        self.offset_minutes
    }

    /// Whether a start may be at this time of day.
    #[must_use]
    pub fn has(self, local: NaiveTime) -> bool {
        let minute = local.num_seconds_from_midnight() / 60;
        let whole = local.second() == 0 && local.nanosecond() == 0;
        // `offset < step`, so a minute before the first start leaves another rest.
        whole && minute % self.step.minutes() == self.offset_minutes
    }

    /// Every start on the grid within `[start, end)` of `range`, in order.
    pub fn starts_in(self, zone: Tz, range: Interval) -> impl Iterator<Item = DateTime<Utc>> {
        let run = move |from| self.run(zone, from, range.end());
        let step = self.step.delta();
        successors(run(range.start()), move |(_, end)| run(*end)).flat_map(move |(first, end)| {
            successors(Some(first), move |at| Some(*at + step)).take_while(move |at| *at < end)
        })
    }

    /// The next start from `from` on and before `until`, and until when those after it can be counted: the
    /// clocks are asked once for what is left of the day.
    fn run(
        self,
        zone: Tz,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let first = (from < until).then(|| self.first_from(zone, from)).filter(|it| *it < until)?;
        let midnight = next_midnight(zone, first).min(until);
        Some((first, change_within(zone, first, midnight).unwrap_or(midnight)))
    }

    /// The first start on the grid at `from` or after it.
    #[must_use]
    pub fn first_from(self, zone: Tz, from: DateTime<Utc>) -> DateTime<Utc> {
        let mut from = from;
        // Each turn either finds it or gets past one change of the clocks. A grid has a start at
        // least once in a day, so few turns are needed; the bound only says so.
        for _ in 0..64 {
            let candidate = from + self.wait(from.with_timezone(&zone).time());
            match change_within(zone, from, candidate) {
                None => return candidate,
                Some(change) => from = change,
            }
        }
        from
    }

    /// How long until a clock that shows `local` shows a time of the grid, if it is not changed.
    fn wait(self, local: NaiveTime) -> TimeDelta {
        const DAY: i64 = 24 * 60 * 60 * 1_000_000_000;
        const MINUTE: i64 = 60 * 1_000_000_000;
        let of_day = i64::from(local.num_seconds_from_midnight()) * 1_000_000_000
            + i64::from(local.nanosecond() % 1_000_000_000);
        let step = i64::from(self.step.minutes()) * MINUTE;
        let offset = i64::from(self.offset_minutes) * MINUTE;
        let since_first = (of_day - offset).max(0);
        let next = offset + since_first + (step - since_first % step) % step;
        let next = if next < DAY { next } else { DAY + offset };
        TimeDelta::nanoseconds(next - of_day)
    }

    /// The rule: it starts on the grid, as the clocks of each resource show it.
    pub(super) fn broken_by(self, proposal: &Proposal<'_>) -> Option<Broken> {
        proposal.zones.iter().find_map(|&zone| {
            let local_time = proposal.during.start().with_timezone(&zone).time();
            (!self.has(local_time)).then(|| Broken::StartGrid {
                required: GridIn::new(self, zone),
                found: LocalTime { local_time },
            })
        })
    }
}

/// Every quarter of an hour.
impl Default for Grid {
    fn default() -> Self {
        Self { step: Step::QUARTER_HOUR, offset_minutes: 0 }
    }
}

/// When the clocks show midnight next, unless they are changed before.
fn next_midnight(zone: Tz, at: DateTime<Utc>) -> DateTime<Utc> {
    let of_day = at.with_timezone(&zone).time() - NaiveTime::MIN;
    at + (TimeDelta::days(1) - of_day)
}

/// The first instant in `(from, to]` at which the zone's clocks are changed.
///
/// Two changes within a day that undo each other would not be seen; no zone has had such.
fn change_within(zone: Tz, from: DateTime<Utc>, to: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let offset = |at: DateTime<Utc>| zone.offset_from_utc_datetime(&at.naive_utc()).fix();
    let before = offset(from);
    if offset(to) == before {
        return None;
    }
    // Clocks are changed at whole seconds.
    let (mut same, mut changed) = (from.timestamp(), to.timestamp());
    while changed - same > 1 {
        let middle = same + (changed - same) / 2;
        let at = DateTime::from_timestamp(middle, 0)?;
        if offset(at) == before { same = middle } else { changed = middle }
    }
    DateTime::from_timestamp(changed, 0)
}
