//! What programs change. An event that was moved is rescheduled, one that was deleted is cancelled, at the version that the program has
//! seen; what daybook does not know of an event (an alarm that was dismissed) changes nothing, and is no fault. What is new in the
//! calendar of a resource is time off.
//!
//! What is refused is 409 or 412, whatever the reason: programs then ask for the event again, and have what is so. Any other status
//! ends their work for the whole calendar.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use daybook_domain::appointment::{Appointment, AppointmentCommand, CancelledBy, MovedBy};
use daybook_domain::resource::{Resource, ResourceCommand};
use daybook_domain::session::Session;
use daybook_domain::time::Interval;
use daybook_ical::event::{Length, Status};
use daybook_ical::{Event, Moment, scan};
use daybook_projections::appointments::Appointments;
use daybook_store::Target;
use uuid::Uuid;

use super::calendar::{Calendar, Member, Opened};
use super::multistatus::Refused;
use super::nothing_there;
use super::place::Place;
use super::time_off::{self, TimeOff};
use super::xml::DAV;
use crate::http::auth::Personal;
use crate::http::etag::outdated;
use crate::http::{Book, CommandRequest, Manage, Problem};

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
    let event = event(body, calendar.zone);
    let off = TimeOff::of(opened, &calendar).await?;
    if let Some(off) = off.as_ref().filter(|off| off.get(id).is_some()) {
        return move_time_off(opened, &calendar, (off, id), headers, &event.map_err(conflict)?)
            .await;
    }
    let member = opened.event(&calendar, id).await?;
    is_as_seen(member.as_ref(), headers)?;
    let Some(member) = member else {
        if off.is_none() || !opened.caller.has::<Manage>() {
            return Err(conflict("nothing new can be put here: book it").into());
        }
        return add_time_off(opened, &calendar, id, &event.map_err(conflict)?).await;
    };
    let Written { start, end } =
        event.and_then(|event| of_appointment(event, id)).map_err(conflict)?;
    let is_as_long = end - start == seconds(member.end) - seconds(member.start);
    if !is_as_long {
        return Err(conflict("an appointment is as long as its service").into());
    }
    if start != seconds(member.start) {
        is_shown(opened, Interval::new(start, end).ok())?;
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
    let off = TimeOff::of(opened, &calendar).await?;
    if let Some(off) = off.filter(|off| off.get(id).is_some()) {
        let changes = vec![ResourceCommand::RemoveResourceException(id.into())];
        return change_time_off(opened, &calendar, (&off, id), headers, changes).await;
    }
    let member = opened.event(&calendar, id).await?;
    is_as_seen(member.as_ref(), headers)?;
    let member = member.ok_or_else(nothing_there)?;
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

/// Whether what is there is what the program has seen (RFC 9110 section 13.1).
fn is_as_seen(there: Option<&Member>, headers: &HeaderMap) -> Result<(), Refused> {
    let is_of = |name: HeaderName| {
        let said = headers.get(name)?.to_str().unwrap_or_default();
        let tag = there.map(|member| member.etag.as_str());
        Some(tag.is_some_and(|tag| said.split(',').any(|it| ["*", tag].contains(&it.trim()))))
    };
    if is_of(header::IF_MATCH) == Some(false) || is_of(header::IF_NONE_MATCH) == Some(true) {
        return Err(outdated().into());
    }
    Ok(())
}

/// Refuses what would be in no calendar any more when it is asked for again (RFC 4791 section 5.3.2.1).
fn is_shown(opened: &Opened<'_>, during: Option<Interval>) -> Result<(), Problem> {
    let days = opened.days().zip(during);
    if days.is_some_and(|(days, during)| days.intersection(&during).is_some()) {
        return Ok(());
    }
    Err(conflict("it is earlier or later than the days that the calendar has"))
}

/// The version that a program wants to change, if it has said so by a tag, which is good at this one.
fn seen(headers: &HeaderMap, version: u64) -> Option<u64> {
    headers.get(header::IF_MATCH).filter(|tag| *tag != "*").map(|_| version)
}

/// Something new in the calendar of a resource.
async fn add_time_off(
    opened: &Opened<'_>,
    calendar: &Calendar,
    id: Uuid,
    event: &Event,
) -> Result<Response, Refused> {
    let uid = event.uid.as_deref().and_then(|uid| Uuid::try_parse(uid).ok());
    for id in [Some(id), uid].into_iter().flatten() {
        if is_elsewhere(opened, id).await? {
            return Err(
                conflict("it is an appointment elsewhere: reschedule it to this resource").into()
            );
        }
    }
    let zone = calendar.zone.unwrap_or_default();
    let off = time_off::read(event, id, zone).map_err(conflict)?;
    is_shown(opened, off.span.resolve(zone))?;
    let commands = vec![ResourceCommand::AddResourceException(off)];
    change_resource(opened, calendar, None, commands).await?;
    let mut response = StatusCode::CREATED.into_response();
    // Here it may be called otherwise than where it was put.
    let location = HeaderValue::try_from(opened.place_of(calendar.id, id).path()).ok();
    response.headers_mut().extend(location.map(|location| (header::LOCATION, location)));
    Ok(response)
}

/// Whether it takes place in another calendar. Programs move an event from one to another by putting it there, and then delete it.
async fn is_elsewhere(opened: &Opened<'_>, id: Uuid) -> Result<bool, Refused> {
    let (engine, tenant) = (&opened.app.engine, &opened.caller.tenant);
    let is_appointment = engine.load::<Appointment>(tenant, id).await?.is_some();
    Ok(is_appointment || engine.load::<Session>(tenant, id).await?.is_some())
}

/// Time off at another time: it is another, in the place of the one before.
async fn move_time_off(
    opened: &Opened<'_>,
    calendar: &Calendar,
    (off, id): (&TimeOff, Uuid),
    headers: &HeaderMap,
    event: &Event,
) -> Result<Response, Refused> {
    let zone = calendar.zone.unwrap_or_default();
    let now = time_off::read(event, id, zone).map_err(conflict)?;
    is_shown(opened, now.span.resolve(zone))?;
    let before = off.get(id).map(|(before, _)| before);
    let is_told = opened.caller.has::<Personal>();
    let is_same = before
        .is_some_and(|before| before.span == now.span && (!is_told || before.reason == now.reason));
    if !is_told && !is_same && before.is_some_and(|before| before.reason.is_some()) {
        return Err(conflict("you are not told why it is: whoever is can change it").into());
    }
    let changes = if is_same {
        Vec::new()
    } else {
        let removed = ResourceCommand::RemoveResourceException(id.into());
        vec![removed, ResourceCommand::AddResourceException(now)]
    };
    change_time_off(opened, calendar, (off, id), headers, changes).await
}

/// Does it at the version at which the program's tag is good.
async fn change_time_off(
    opened: &Opened<'_>,
    calendar: &Calendar,
    (off, id): (&TimeOff, Uuid),
    headers: &HeaderMap,
    commands: Vec<ResourceCommand>,
) -> Result<Response, Refused> {
    let there = off.get(id).map(|(_, member)| member);
    is_as_seen(there.as_ref(), headers)?;
    if !commands.is_empty() {
        if !opened.caller.has::<Manage>() {
            return Err(conflict("time off is changed by whoever has `manage`").into());
        }
        change_resource(opened, calendar, seen(headers, off.version), commands).await?;
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn change_resource(
    opened: &Opened<'_>,
    calendar: &Calendar,
    version: Option<u64>,
    commands: Vec<ResourceCommand>,
) -> Result<(), Refused> {
    let context = CommandRequest::at_version((), version).context(opened.caller);
    let target = Target::Existing(calendar.id);
    let executed = opened.app.engine.execute_all::<Resource>(&context, target, commands);
    executed.await.map_err(|error| as_programs_know(context.problem(error)))?;
    Ok(())
}

/// Does it, at the version that the program has seen, if it has said which that is; and waits until the calendar shows it.
async fn change(
    opened: &Opened<'_>,
    member: &Member,
    headers: &HeaderMap,
    command: AppointmentCommand,
) -> Result<(), Refused> {
    let context = CommandRequest::at_version((), seen(headers, member.version));
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
            problem.into_conflict()
        }
        _ => problem,
    }
}

fn conflict(why: &str) -> Problem {
    let title = "The calendar cannot have it so";
    Problem::new(StatusCode::CONFLICT, "not-as-calendar", title, why)
}

/// The only event that was put.
fn event(body: &[u8], zone: Option<Tz>) -> Result<Event, &'static str> {
    let index = scan(body).map_err(|_| "it is no calendar")?;
    let [place] = index.events[..] else { return Err("it is not one event") };
    let bytes = usize::try_from(place.start).ok().zip(usize::try_from(place.end).ok());
    let bytes = bytes.and_then(|(start, end)| body.get(start..end)).ok_or("it is no event")?;
    let zones = index.zones.with_default(None, zone);
    let event = Event::read(bytes, place.line, &zones).map_err(|_| "its event cannot be read")?;
    if event.replaces.is_some() || !event.recurrence.is_none() {
        return Err("nothing here recurs");
    }
    if event.status == Status::Cancelled {
        return Err("what is not to take place is deleted");
    }
    Ok(event)
}

/// When the appointment of this id is to be.
fn of_appointment(event: Event, id: Uuid) -> Result<Written, &'static str> {
    if event.uid.as_deref() != Some(&*id.to_string()) {
        return Err("its UID is not that of the appointment");
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
