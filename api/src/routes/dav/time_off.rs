//! Time off of a resource, in its calendar: something new that is put there is that, and nothing else can be.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use daybook_domain::resource::Resource;
use daybook_domain::time::{
    ExceptionKind, HoursException, HoursExceptions, Interval, LocalDate, LocalDays, LocalHours,
    LocalMinute, LocalSpan,
};
use daybook_domain::{ExceptionId, Personal as IsPersonal, Reason};
use daybook_ical::event::Length;
use daybook_ical::{Event, Moment, Span, Writer, write_zone};
use uuid::Uuid;

use super::calendar::{Calendar, Kept, Member, Opened, tag};
use super::multistatus::Refused;
use crate::http::auth::Personal;
use crate::routes::calendars::written::begin;

/// What it is called where nobody says why.
const UNTITLED: &str = "Time off";

/// The time off of a resource.
pub(super) struct TimeOff {
    zone: Tz,
    /// Of the resource.
    pub(super) version: u64,
    all: Vec<HoursException>,
}

impl TimeOff {
    /// That of a calendar: as the log has it.
    pub(super) async fn of(
        opened: &Opened<'_>,
        calendar: &Calendar,
    ) -> Result<Option<Self>, Refused> {
        let Some(zone) = calendar.zone else { return Ok(None) };
        let (engine, tenant) = (&opened.app.engine, &opened.caller.tenant);
        let loaded = if opened.caller.has::<Personal>() {
            engine.load_open::<Resource>(tenant, calendar.id).await?
        } else {
            engine.load::<Resource>(tenant, calendar.id).await?
        };
        Ok(loaded.map(|(resource, version)| {
            let exceptions = resource.profile().map(|it| &it.opening_hours.exceptions);
            let all = exceptions.into_iter().flat_map(HoursExceptions::iter);
            let all = all.filter(|it| it.kind == ExceptionKind::TimeOff).cloned().collect();
            Self { zone, version, all }
        }))
    }

    /// What of it has a part in some time.
    pub(super) fn within(&self, during: &Interval) -> impl Iterator<Item = Member> {
        let members = self.all.iter().filter_map(|it| member(it, self.zone));
        members.filter(|it| it.start < during.end() && it.end > during.start())
    }

    pub(super) fn get(&self, id: Uuid) -> Option<(&HoursException, Member)> {
        let id = ExceptionId::from(id);
        let found = self.all.iter().find(|exception| exception.id == id)?;
        Some((found, member(found, self.zone)?))
    }
}

/// `None`: clocks that jump leave nothing of it.
fn member(off: &HoursException, zone: Tz) -> Option<Member> {
    let during = off.span.resolve(zone)?;
    let (start, end, id) = (during.start(), during.end(), off.id.uuid());
    let mut writer = Writer::new();
    begin(&mut writer);
    let span = Span { start, end, zone };
    let is_hours = matches!(off.span, LocalSpan::Hours(_));
    if is_hours && span.is_local() {
        write_zone(&mut writer, zone, (start, end));
    }
    // It never changes: what is changed is another, in its place.
    writer.begin("VEVENT").raw("UID", &[], &id.to_string());
    writer.utc("DTSTAMP", start).raw("SEQUENCE", &[], "0");
    match off.span {
        LocalSpan::Days(days) => {
            writer.day("DTSTART", days.first().date());
            writer.day("DTEND", days.last().date().succ_opt()?);
        }
        LocalSpan::Hours(_) => span.write(&mut writer),
    }
    let reason = off.reason.as_ref().and_then(IsPersonal::reveal);
    writer.text("SUMMARY", reason.map_or(UNTITLED, Reason::as_str));
    writer.raw("STATUS", &[], "CONFIRMED").raw("TRANSP", &[], "OPAQUE").end();
    let text = writer.finish();
    let etag = tag(1, &text);
    // Its last second: what has ended at midnight has no part in that day.
    let (old_by, kept) = (end - TimeDelta::seconds(1), Kept::Busy);
    Some(Member { id, version: 1, start, end, old_by, text, etag, told_by: id, kept })
}

/// What somebody has written, as time off under this id.
pub(super) fn read(event: &Event, id: Uuid, zone: Tz) -> Result<HoursException, &'static str> {
    if !event.takes_time {
        return Err("what takes no time (TRANSP) is no time off, and nothing else is put here");
    }
    let span = match (&event.start, event.length) {
        (Moment::Day(first), Length::Days(count)) => {
            let last = *first + TimeDelta::days(i64::from(count) - 1);
            let days = LocalDate::try_from(*first)
                .and_then(|first| LocalDays::new(first, LocalDate::try_from(last)?));
            LocalSpan::Days(days.map_err(|_| "its days are in no calendar")?)
        }
        (Moment::Time(time), Length::Exact(length)) => {
            let (start, end) = (time.instant, time.instant + length);
            let span = hours(start, end, zone).ok_or("time off is from minute to minute")?;
            let is_so = span.resolve(zone).is_some_and(|it| (it.start(), it.end()) == (start, end));
            if !is_so {
                return Err(
                    "clocks there do not tell when it is: begin and end it at another hour",
                );
            }
            span
        }
        _ => return Err("time off has a start and an end"),
    };
    let reason = event.summary.as_deref().filter(|summary| *summary != UNTITLED);
    let reason = reason.map(Reason::new).transpose();
    let reason = reason.map_err(|_| "its title is too long")?.map(IsPersonal::new);
    Ok(HoursException { id: id.into(), kind: ExceptionKind::TimeOff, span, reason })
}

/// As clocks there show it.
fn hours(start: DateTime<Utc>, end: DateTime<Utc>, zone: Tz) -> Option<LocalSpan> {
    let minute =
        |at: DateTime<Utc>| LocalMinute::try_from(at.with_timezone(&zone).naive_local()).ok();
    LocalHours::new(minute(start)?, minute(end)?).ok().map(LocalSpan::Hours)
}
