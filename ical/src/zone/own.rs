//! A zone that a calendar defines itself (VTIMEZONE, RFC 5545 §3.6.5), as the changes of its clocks.

use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeDelta};

use crate::component::Component;
use crate::property::Property;
use crate::recur::Rule;
use crate::time::{self, Form};

/// Clocks before this year concern nobody here.
const FIRST_YEAR: i32 = 1960;
/// From this year on no event is read.
const END_YEAR: i32 = 2201;
/// Ten changes in each year, and more.
const MAX_CHANGES: usize = 3_000;
/// Days that are looked at for the rules of all zones of a file: a zone with two yearly ones takes some 30,000.
pub(super) const MAX_WORK: u32 = 20_000_000;
/// A zone has a handful of observances, and one whose history is told a few hundred.
const MAX_OBSERVANCES: usize = 1_000;

/// When clocks change, and to what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnZone {
    /// In the order of time; each in UTC.
    changes: Vec<Change>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Change {
    at: NaiveDateTime,
    from: TimeDelta,
    to: TimeDelta,
}

impl OwnZone {
    /// Reads the observances of a VTIMEZONE, and adds to the work that was done for those of its file. `None`: there is
    /// nothing in it to go by, or it takes more than is left.
    pub(super) fn read(definition: &Component, worked: &mut u32) -> Option<Self> {
        let observances = definition
            .components
            .iter()
            .filter(|component| matches!(component.name.as_str(), "STANDARD" | "DAYLIGHT"));
        let mut changes = Vec::new();
        for observance in observances.take(MAX_OBSERVANCES) {
            add_changes(observance, &mut changes, worked)?;
        }
        changes.sort_unstable();
        changes.dedup();
        (!changes.is_empty()).then_some(Self { changes })
    }

    /// The same zone as another text defines it: some write one for each change that they need.
    pub(super) fn merge(&mut self, other: &Self) {
        self.changes.extend(&other.changes);
        self.changes.sort_unstable();
        self.changes.dedup();
        self.changes.truncate(MAX_CHANGES);
    }

    /// How far its clocks are ahead of UTC.
    pub(super) fn offset_at(&self, utc: NaiveDateTime) -> TimeDelta {
        let after = self.changes.partition_point(|change| change.at <= utc);
        match after.checked_sub(1).and_then(|last| self.changes.get(last)) {
            Some(change) => change.to,
            None => self.changes.first().map_or(TimeDelta::zero(), |first| first.from),
        }
    }

    /// By the rule of RFC 5545 §3.3.5: a local time that occurs twice is its first occurrence, and one
    /// that does not occur is read with the offset in force before the gap.
    pub(super) fn utc(&self, local: NaiveDateTime) -> NaiveDateTime {
        let day = TimeDelta::days(1);
        let before = self.offset_at(local.checked_sub_signed(day).unwrap_or(local));
        let after = self.offset_at(local.checked_add_signed(day).unwrap_or(local));
        let read = |offset: TimeDelta| local.checked_sub_signed(offset).unwrap_or(local);
        let (first, second) = (read(before).min(read(after)), read(before).max(read(after)));
        let is_so = |utc: NaiveDateTime| utc.checked_add_signed(self.offset_at(utc)) == Some(local);
        [first, second].into_iter().find(|utc| is_so(*utc)).unwrap_or_else(|| read(before))
    }
}

fn add_changes(observance: &Component, changes: &mut Vec<Change>, worked: &mut u32) -> Option<()> {
    let offset = |name: &str| time::utc_offset(&observance.get(name)?.value);
    let to = offset("TZOFFSETTO")?;
    let from = offset("TZOFFSETFROM").unwrap_or(to);
    let start = match time::read(&observance.get("DTSTART")?.value)? {
        Form::Day(day) => day.and_hms_opt(0, 0, 0)?,
        Form::Local(local) => local,
        Form::Utc(utc) => utc.checked_add_signed(from)?,
    };
    let change =
        |local: NaiveDateTime| local.checked_sub_signed(from).map(|at| Change { at, from, to });
    changes.extend(change(start));
    let end = NaiveDate::from_ymd_opt(END_YEAR, 1, 1)?.and_hms_opt(0, 0, 0)?;
    for rule in observance.all("RRULE") {
        let rule: Rule = rule.value.parse().ok()?;
        let mut expansion = rule.expand(later_start(&rule, start), end);
        let mut is_sound = *worked < MAX_WORK;
        while is_sound && let Some(next) = expansion.next() {
            let found = next.ok().and_then(|local| Some((local, change(local)?)));
            is_sound = found.is_some() && changes.len() < MAX_CHANGES;
            match found {
                Some((local, change)) if rule.reaches(local, Some(change.at)) => {
                    changes.push(change);
                }
                _ => break,
            }
        }
        *worked = worked.saturating_add(expansion.steps());
        if !is_sound {
            return None;
        }
    }
    let dates = observance.all("RDATE").flat_map(|dates: &Property| dates.value.split(','));
    for date in dates.take(MAX_CHANGES) {
        let local = match time::read(date.split('/').next().unwrap_or(date))? {
            Form::Day(day) => day.and_time(start.time()),
            Form::Local(local) => local,
            Form::Utc(utc) => utc.checked_add_signed(from)?,
        };
        changes.extend(change(local));
    }
    (changes.len() <= MAX_CHANGES).then_some(())
}

/// Where a yearly rule without an end of its own can be taken up: many begin in 1601.
fn later_start(rule: &Rule, start: NaiveDateTime) -> NaiveDateTime {
    if start.year() >= FIRST_YEAR || rule.count.is_some() || rule.interval != 1 || !rule.is_yearly()
    {
        return start;
    }
    start.with_year(FIRST_YEAR).unwrap_or(start)
}
