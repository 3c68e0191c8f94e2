//! What has become available by what has happened: the events of a part of the log, and what those appointments and
//! sessions were before that they are about.

use daybook_domain::appointment::{Appointment, AppointmentEvent, Slot};
use daybook_domain::resource::ResourceEvent;
use daybook_domain::service::ServiceEvent;
use daybook_domain::session::{Session, SessionEvent};
use daybook_domain::waiting::{Freed, WaitingEvent};
use daybook_domain::{AppointmentId, ClientId, ServiceId, SessionId, TenantId};
use uuid::Uuid;

use super::availability::unavailable;
use super::{Engine, ExecuteError};
use crate::log::{AnyEvent, PersistedAggregate, Position, RecordedEvent, stream_events};

/// How many events, or streams, are read at once.
const PART: usize = 200;

/// With more appointments than this, or more events, it is no use to ask which: it may be anything.
const MAX_APPOINTMENTS: usize = 1_000;
const MAX_EVENTS: u64 = 20_000;

/// What is to be asked of streams.
#[derive(Default)]
struct Asked {
    appointments: Vec<AppointmentId>,
    sessions: Vec<SessionId>,
}

impl Engine {
    /// What has become available after one position, up to another, which the log has.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn freed(
        &self,
        tenant: &TenantId,
        after: Position,
        until: Position,
    ) -> Result<Freed, ExecuteError> {
        if until.get().saturating_sub(after.get()) > MAX_EVENTS {
            return Ok(Freed::anything());
        }
        let (mut freed, mut asked) = (Freed::default(), Asked::default());
        let mut read = after;
        while read < until {
            let limit = u32::try_from(PART).unwrap_or(u32::MAX);
            let events = self.log.follow(tenant, read, limit).await.map_err(unavailable)?;
            if events.is_empty() {
                break;
            }
            for event in events {
                match event {
                    Ok(event) if event.position > until => {
                        return self.streams(tenant, (after, until), freed, asked).await;
                    }
                    Ok(event) => {
                        read = event.position;
                        note(&event.event, &mut freed, &mut asked);
                    }
                    // What cannot be read may be anything.
                    Err(_) => return Ok(Freed::anything()),
                }
            }
            if asked.appointments.len() > MAX_APPOINTMENTS {
                return Ok(Freed::anything());
            }
        }
        self.streams(tenant, (after, until), freed, asked).await
    }

    /// Adds what the appointments and sessions had before.
    async fn streams(
        &self,
        tenant: &TenantId,
        range: (Position, Position),
        mut freed: Freed,
        asked: Asked,
    ) -> Result<Freed, ExecuteError> {
        let appointments: Vec<Uuid> = asked.appointments.iter().map(|id| id.uuid()).collect();
        let events = self.whole::<Appointment>(tenant, &appointments, range.1).await?;
        let Some(events) = events else { return Ok(Freed::anything()) };
        let mut before: Option<Booked> = None;
        for event in &events {
            let AnyEvent::Appointment(id, happened) = &event.event else { continue };
            before = before.filter(|booked| booked.id == *id);
            if event.position > range.0 && frees(happened) {
                let Some(booked) = &before else { return Ok(Freed::anything()) };
                booked.free(happened, &mut freed);
            }
            before = Booked::after(before, *id, happened);
        }
        let sessions: Vec<Uuid> = asked.sessions.iter().map(|id| id.uuid()).collect();
        let events = self.whole::<Session>(tenant, &sessions, range.1).await?;
        let Some(events) = events else { return Ok(Freed::anything()) };
        let mut before: Option<(SessionId, ServiceId, Slot)> = None;
        for event in &events {
            let AnyEvent::Session(id, happened) = &event.event else { continue };
            before = before.filter(|(of, ..)| of == id);
            let known = before.clone().map(|(_, service, slot)| (service, slot));
            let (service, slot) = match (happened, known) {
                (SessionEvent::SessionScheduled(plan), _) => {
                    (plan.service_id, Some(plan.slot.clone()))
                }
                (SessionEvent::SessionRescheduled(moved), Some((service, slot))) => {
                    if event.position > range.0 {
                        free_slot(&slot, &mut freed);
                    }
                    (service, Some(moved.slot.clone()))
                }
                (SessionEvent::SessionCancelled(_), Some((service, slot))) => {
                    if event.position > range.0 {
                        free_slot(&slot, &mut freed);
                    }
                    (service, None)
                }
                (_, None) => return Ok(Freed::anything()),
            };
            if let Some(slot) = &slot
                && event.position > range.0
            {
                freed.add_service(service, Some(slot.during));
            }
            before = slot.map(|slot| (*id, service, slot)).or(before);
        }
        Ok(freed)
    }

    /// All events of these streams up to a position; `None`: one of them cannot be read.
    async fn whole<A: PersistedAggregate>(
        &self,
        tenant: &TenantId,
        ids: &[Uuid],
        up_to: Position,
    ) -> Result<Option<Vec<RecordedEvent>>, ExecuteError> {
        let mut all = Vec::new();
        for ids in ids.chunks(PART) {
            let mut connection = self.log.pool().acquire().await.map_err(unavailable)?;
            let before = up_to.plus(1);
            let events = stream_events(&mut connection, tenant, A::TYPE, ids, before).await;
            for event in events.map_err(unavailable)? {
                let Ok(event) = event else { return Ok(None) };
                all.push(event);
            }
        }
        Ok(Some(all))
    }
}

fn note(event: &AnyEvent, freed: &mut Freed, asked: &mut Asked) {
    match event {
        AnyEvent::Appointment(id, event) if frees(event) => {
            if !asked.appointments.contains(id) {
                asked.appointments.push(*id);
            }
        }
        AnyEvent::Session(id, _) => {
            if !asked.sessions.contains(id) {
                asked.sessions.push(*id);
            }
        }
        AnyEvent::Resource(_, ResourceEvent::ResourceRetired(_))
        | AnyEvent::Service(_, ServiceEvent::ServiceRetired(_)) => {}
        AnyEvent::Resource(id, _) => freed.add_resource(*id, None),
        AnyEvent::Service(id, _) => freed.add_service(*id, None),
        AnyEvent::Waiting(id, WaitingEvent::WaitingListJoined(_)) => freed.add_entry(*id),
        // What happens to a series happens to its appointments.
        AnyEvent::Appointment(..)
        | AnyEvent::Waiting(..)
        | AnyEvent::Client(..)
        | AnyEvent::Series(..)
        | AnyEvent::Reminder(..)
        | AnyEvent::Notice(..) => {}
    }
}

/// Whether there may be a place for somebody after it that was not there before.
const fn frees(event: &AppointmentEvent) -> bool {
    matches!(
        event,
        AppointmentEvent::AppointmentCancelled(_)
            | AppointmentEvent::AppointmentHoldExpired(_)
            | AppointmentEvent::AppointmentMarkedNoShow(_)
            | AppointmentEvent::AppointmentRescheduled(_)
            | AppointmentEvent::AppointmentReassigned(_)
            // The client holds one less, and can be offered another.
            | AppointmentEvent::AppointmentConfirmed(_)
    )
}

/// Makes room for others.
fn free_slot(slot: &Slot, freed: &mut Freed) {
    let time = slot.claimed();
    for id in slot.resource_ids.iter() {
        freed.add_resource(id, Some(time));
    }
}

/// What an appointment had.
struct Booked {
    id: AppointmentId,
    service: ServiceId,
    client: ClientId,
    slot: Slot,
}

impl Booked {
    fn after(before: Option<Self>, id: AppointmentId, event: &AppointmentEvent) -> Option<Self> {
        if let Some(details) = event.details() {
            let (service, client) = (details.service_id, details.client_id);
            return Some(Self { id, service, client, slot: details.slot.clone() });
        }
        let slot = event.slot().cloned();
        before.map(|booked| Self { slot: slot.unwrap_or(booked.slot), ..booked })
    }

    fn free(&self, event: &AppointmentEvent, freed: &mut Freed) {
        freed.add_client(self.client);
        if matches!(event, AppointmentEvent::AppointmentConfirmed(_)) {
            return;
        }
        if self.slot.session_id.is_some() {
            freed.add_service(self.service, Some(self.slot.during));
        } else {
            free_slot(&self.slot, freed);
        }
    }
}
