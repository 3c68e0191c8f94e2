//! When a calendar is busy (RFC 4791 section 7.10): what takes place in some time, without what it is.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use daybook_ical::Writer;

use super::calendar::{Calendar, Kept, Member, Opened};
use super::filter::{Range, stamp};
use super::multistatus::Refused;
use super::xml::{CALDAV, Element};
use crate::routes::calendars::written::begin;

/// What it is, by itself.
const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("text/calendar; charset=utf-8");

/// When somebody is kept, and how.
type Busy = (Kept, DateTime<Utc>, DateTime<Utc>);

pub(super) async fn answer(
    opened: &Opened<'_>,
    calendar: &Calendar,
    report: &Element,
) -> Result<Response, Refused> {
    let range = report.child(CALDAV, "time-range").map(Range::read).transpose()?;
    let range = range.unwrap_or_default();
    let Some(asked) = opened.days().and_then(|days| range.of(days)) else {
        return Ok(written(opened.now, (opened.now, opened.now), &[]));
    };
    let during = opened.days().and_then(|days| range.reaching(days));
    let mut members = opened.members(calendar, during).await?;
    members.retain(|member| range.meets(member));
    let (start, end) = (asked.start(), asked.end());
    Ok(written(opened.now, (start, end), &busy(&members, (start, end))))
}

/// When it is busy of some time: what follows at once is one.
fn busy(members: &[Member], (from, to): (DateTime<Utc>, DateTime<Utc>)) -> Vec<Busy> {
    let mut all: Vec<Busy> = members
        .iter()
        .filter(|member| member.kept != Kept::Free)
        .map(|member| (member.kept, member.start.max(from), member.end.min(to)))
        .collect();
    all.sort_unstable();
    let mut merged: Vec<Busy> = Vec::with_capacity(all.len());
    for (kept, start, end) in all {
        match merged.last_mut() {
            Some((last, _, until)) if *last == kept && start <= *until => *until = end.max(*until),
            _ => merged.push((kept, start, end)),
        }
    }
    merged
}

fn written(
    now: DateTime<Utc>,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    busy: &[Busy],
) -> Response {
    let mut writer = Writer::new();
    begin(&mut writer);
    writer.begin("VFREEBUSY");
    writer.utc("DTSTAMP", now).utc("DTSTART", from).utc("DTEND", to);
    for (kept, start, end) in busy {
        let kind = if *kept == Kept::Tentatively { "BUSY-TENTATIVE" } else { "BUSY" };
        let period = format!("{}/{}", stamp(*start), stamp(*end));
        writer.raw("FREEBUSY", &[("FBTYPE", kind)], &period);
    }
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], writer.finish()).into_response()
}

#[cfg(test)]
mod tests {
    use super::super::calendar::member;
    use super::*;

    fn at(hour: u32) -> DateTime<Utc> {
        format!("2027-03-01T{hour:02}:00:00Z").parse().unwrap()
    }

    #[test]
    fn what_overlaps_or_follows_at_once_is_one_and_what_keeps_nobody_is_none() {
        let of = |(kept, from, to)| Member { kept, ..member(at(from), at(to)) };
        let members = [
            (Kept::Busy, 8, 10),
            (Kept::Busy, 9, 11),
            (Kept::Tentatively, 10, 12),
            (Kept::Busy, 11, 12),
            (Kept::Free, 12, 13),
            (Kept::Busy, 14, 23),
        ];
        let found = busy(&members.map(of), (at(9), at(20)));
        assert_eq!(
            found,
            [
                (Kept::Busy, at(9), at(12)),
                (Kept::Busy, at(14), at(20)),
                (Kept::Tentatively, at(10), at(12)),
            ]
        );
    }
}
