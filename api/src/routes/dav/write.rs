//! What programs change. An event that was moved is rescheduled, one that was deleted is cancelled, at the version that the program has
//! seen; what daybook does not know of an event (an alarm that was dismissed) changes nothing, and is no fault.
//!
//! What is refused is 409 or 412, whatever the reason: programs then ask for the event again, and have what is so. Any other status
//! ends their work for the whole calendar.

use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use daybook_domain::appointment::{Appointment, AppointmentCommand, CancelledBy, MovedBy};
use daybook_ical::event::{Length, Status};
use daybook_ical::{Event, Moment, scan};
use daybook_projections::appointments::Appointments;
use daybook_store::Target;
use uuid::Uuid;

use super::calendar::{Calendar, Member, Opened};
use super::multistatus::Refused;
use super::nothing_there;
use super::place::Place;
use super::xml::DAV;
use crate::http::etag::outdated;
use crate::http::{Book, CommandRequest, Problem};

/// When an event is, as a program has written it.
struct Written {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
}

pub(super) async fn put(
    opened: &Opened<'_>,
    place: &Place,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Response, Refused> {
    let (calendar, id) = may_change(opened, place).await?;
    let member = present(opened, &calendar, id, headers).await?;
    let Some(member) = member else {
        return Err(conflict("nothing new can be put here: book it").into());
    };
    let Written { start, end } = read(body, id, calendar.zone).map_err(conflict)?;
    let is_as_long = end - start == seconds(member.end) - seconds(member.start);
    if !is_as_long {
        return Err(conflict("an appointment is as long as its service").into());
    }
    if start != seconds(member.start) {
        let by = if is_clients(opened) { MovedBy::Client } else { MovedBy::Staff };
        let command = AppointmentCommand::RescheduleAppointment {
            start,
            resource_ids: None,
            by,
            overriding: None,
        };
        change(opened, &member, headers, command).await?;
    }
    // Without a tag: what is here has other bytes than what was put.
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(super) async fn delete(
    opened: &Opened<'_>,
    place: &Place,
    headers: &HeaderMap,
) -> Result<Response, Refused> {
    let (calendar, id) = may_change(opened, place).await?;
    let member = present(opened, &calendar, id, headers).await?.ok_or_else(nothing_there)?;
    let by = if is_clients(opened) { CancelledBy::Client } else { CancelledBy::Staff };
    let command = AppointmentCommand::CancelAppointment { reason: None, by, overriding: None };
    change(opened, &member, headers, command).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// On whose side whoever asks is.
fn is_clients(opened: &Opened<'_>) -> bool {
    opened.caller.limits.client_id.is_some()
}

/// Refuses whoever may only look. What a program is told that it may not do, it does not offer.
async fn may_change(opened: &Opened<'_>, place: &Place) -> Result<(Calendar, Uuid), Refused> {
    if !opened.caller.has::<Book>() {
        return Err(Refused::condition(DAV, "need-privileges"));
    }
    let Place::Member { calendar, id, .. } = place else {
        return Err(Refused::condition(DAV, "need-privileges"));
    };
    let calendar = opened.calendar(*calendar).await?.ok_or_else(nothing_there)?;
    Ok((calendar, *id))
}

/// What is there, if it is what the program has seen (RFC 9110 section 13.1).
async fn present(
    opened: &Opened<'_>,
    calendar: &Calendar,
    id: Uuid,
    headers: &HeaderMap,
) -> Result<Option<Member>, Refused> {
    let found = opened.member(calendar, id).await?;
    let is_of = |name: HeaderName| {
        let said = headers.get(name)?.to_str().unwrap_or_default();
        let tag = found.as_ref().map(|member| member.etag.as_str());
        Some(tag.is_some_and(|tag| said.split(',').any(|it| ["*", tag].contains(&it.trim()))))
    };
    if is_of(header::IF_MATCH) == Some(false) || is_of(header::IF_NONE_MATCH) == Some(true) {
        return Err(outdated().into());
    }
    Ok(found)
}

/// Does it, at the version that the program has seen, if it has said which that is; and waits until the calendar shows it.
async fn change(
    opened: &Opened<'_>,
    member: &Member,
    headers: &HeaderMap,
    command: AppointmentCommand,
) -> Result<(), Refused> {
    let seen = headers.get(header::IF_MATCH).filter(|value| *value != "*");
    let context = CommandRequest::at_version((), seen.map(|_| member.version));
    let context = context.context(opened.caller);
    let target = Target::Existing(member.id);
    let executed = opened.app.engine.execute_all::<Appointment>(&context, target, vec![command]);
    let executed = executed.await.map_err(|error| as_programs_know(context.problem(error)))?;
    if let Some(position) = executed.position {
        // It is done, whether it is shown at once or in a moment.
        let _ = opened.app.wait_for(&context.tenant, Appointments::ID, position).await;
    }
    Ok(())
}

fn as_programs_know(problem: Problem) -> Problem {
    match problem.status() {
        StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::UNPROCESSABLE_ENTITY => {
            problem.as_conflict()
        }
        _ => problem,
    }
}

fn conflict(why: &str) -> Problem {
    let title = "The calendar cannot have it so";
    Problem::new(StatusCode::CONFLICT, "not-as-calendar", title, why)
}

/// The only event that was put, whose id is that of its place.
fn read(body: &[u8], id: Uuid, zone: Option<Tz>) -> Result<Written, &'static str> {
    let index = scan(body).map_err(|_| "it is no calendar")?;
    let [place] = index.events[..] else { return Err("it is not one event") };
    let bytes = usize::try_from(place.start).ok().zip(usize::try_from(place.end).ok());
    let bytes = bytes.and_then(|(start, end)| body.get(start..end)).ok_or("it is no event")?;
    let zones = index.zones.with_default(None, zone);
    let event = Event::read(bytes, place.line, &zones).map_err(|_| "its event cannot be read")?;
    if event.uid.as_deref() != Some(&*id.to_string()) {
        return Err("its UID is not that of the appointment");
    }
    if event.replaces.is_some() || !event.recurrence.is_none() {
        return Err("an appointment does not recur");
    }
    if event.status == Status::Cancelled {
        return Err("what is not to take place is deleted");
    }
    let (Moment::Time(time), Length::Exact(length)) = (event.start, event.length) else {
        return Err("an appointment has a start and an end");
    };
    Ok(Written { start: time.instant, end: time.instant + length })
}

/// As iCalendar has it, which knows nothing smaller.
fn seconds(at: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp(at.timestamp(), 0).unwrap_or(at)
}
