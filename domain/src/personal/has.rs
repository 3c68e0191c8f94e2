//! What has personal members, and about whom it is.

use uuid::Uuid;

use super::PersonalMember;
use crate::appointment::{Appointment, AppointmentEvent, AppointmentState, Details, Overridden};
use crate::client::{Client, ClientEvent, Contact};
use crate::resource::{Resource, ResourceEvent, ResourceProfile};
use crate::series::{Series, SeriesChange, SeriesEvent};
use crate::service::{Service, ServiceEvent, ServiceTerms};
use crate::session::{Session, SessionEvent, SessionScheduled};
use crate::time::HoursException;
use crate::waiting::{WaitingEntry, WaitingEvent};
use crate::{ClientId, Metadata};

/// Whose key seals what is personal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// It is about a client.
    Client(ClientId),
    /// It is about nobody that is known here but by this thing: a member of staff, a session.
    Itself(Uuid),
}

impl Subject {
    #[must_use]
    pub const fn uuid(self) -> Uuid {
        match self {
            Self::Client(client) => client.uuid(),
            Self::Itself(id) => id,
        }
    }
}

/// A personal member, and its name: where it stands in an event, as `member.of_member`.
pub(crate) type Named<'a> = (&'static str, &'a mut dyn PersonalMember);

/// Implemented by events, and by aggregates: which of their members are personal.
pub trait HasPersonal {
    /// Those that it has, sealed or not.
    fn personal(&mut self) -> Vec<Named<'_>> {
        Vec::new()
    }

    /// Of an aggregate with this id: about whom it is.
    fn subject(&self, id: Uuid) -> Option<Subject> {
        let _ = id;
        None
    }
}

impl<T: HasPersonal> HasPersonal for &mut T {
    fn personal(&mut self) -> Vec<Named<'_>> {
        (**self).personal()
    }

    fn subject(&self, id: Uuid) -> Option<Subject> {
        (**self).subject(id)
    }
}

fn named<'a, M: PersonalMember>(
    name: &'static str,
    member: &'a mut Option<M>,
) -> Option<Named<'a>> {
    member.as_mut().map(|member| (name, member as &mut dyn PersonalMember))
}

impl HasPersonal for Contact {
    fn personal(&mut self) -> Vec<Named<'_>> {
        let Self { name, email, phone, language, reminders: _, notes, reference, metadata } = self;
        let optional = [
            named("email", email),
            named("phone", phone),
            named("language", language),
            named("notes", notes),
            named("reference", reference),
        ];
        let mut all: Vec<Named<'_>> = vec![("name", name)];
        all.extend(optional.into_iter().flatten());
        // Where there is nothing, nothing is written.
        if !Metadata::is_none(metadata) {
            all.push(("metadata", metadata));
        }
        all
    }
}

impl HasPersonal for ClientEvent {
    fn personal(&mut self) -> Vec<Named<'_>> {
        match self {
            Self::ClientRegistered(registered) => registered.contact.personal(),
            Self::ClientContactChanged(changed) => changed.contact.personal(),
            Self::ClientErasureRequested(_)
            | Self::ClientErased(_)
            | Self::ClientRestricted(_)
            | Self::ClientRestrictionLifted(_)
            | Self::ClientLegalHoldPlaced(_)
            | Self::ClientLegalHoldReleased(_) => Vec::new(),
        }
    }
}

impl HasPersonal for Client {
    fn personal(&mut self) -> Vec<Named<'_>> {
        match self {
            Self::Unregistered | Self::Erased { .. } => Vec::new(),
            Self::Registered(record) => record.contact.personal(),
        }
    }

    fn subject(&self, id: Uuid) -> Option<Subject> {
        Some(Subject::Client(id.into()))
    }
}

/// Why rules were overridden, where they were.
fn overriding(overridden: &mut Option<Overridden>) -> Option<Named<'_>> {
    overridden.as_mut().map(|it| ("overridden.reason", &mut it.reason as &mut dyn PersonalMember))
}

impl HasPersonal for Details {
    fn personal(&mut self) -> Vec<Named<'_>> {
        let all = [named("note", &mut self.note), overriding(&mut self.overridden)];
        self.title.personal().into_iter().chain(all.into_iter().flatten()).collect()
    }
}

impl HasPersonal for AppointmentEvent {
    fn personal(&mut self) -> Vec<Named<'_>> {
        match self {
            Self::AppointmentBooked(details) => details.personal(),
            Self::AppointmentHeld(held) => held.details.personal(),
            Self::AppointmentDescribed(described) => {
                let note = named("note", &mut described.note);
                described.title.personal().into_iter().chain(note).collect()
            }
            Self::AppointmentRescheduled(moved) => {
                overriding(&mut moved.overridden).into_iter().collect()
            }
            Self::AppointmentCancelled(cancelled) => {
                let reason = named("reason", &mut cancelled.reason);
                [reason, overriding(&mut cancelled.overridden)].into_iter().flatten().collect()
            }
            Self::AppointmentConflictAccepted(accepted) => vec![("reason", &mut accepted.reason)],
            Self::AppointmentReassigned(reassigned) => {
                named("reason", &mut reassigned.reason).into_iter().collect()
            }
            Self::AppointmentConfirmed(_)
            | Self::AppointmentHoldExpired(_)
            | Self::AppointmentCheckedIn(_)
            | Self::AppointmentCompleted(_)
            | Self::AppointmentMarkedNoShow(_)
            | Self::AppointmentTagged(_) => Vec::new(),
        }
    }
}

impl HasPersonal for Appointment {
    fn personal(&mut self) -> Vec<Named<'_>> {
        let Self::Made { details, state, excused } = self else { return Vec::new() };
        let mut all = details.personal();
        if let AppointmentState::Cancelled(cancellation) = state {
            all.extend(named("reason", &mut cancellation.reason));
            all.extend(overriding(&mut cancellation.overridden));
        }
        if let Some(accepted) = excused.accepted_mut() {
            all.push(("reason", &mut accepted.reason));
        }
        all
    }

    fn subject(&self, _: Uuid) -> Option<Subject> {
        self.details().map(|details| Subject::Client(details.client_id))
    }
}

impl HasPersonal for SeriesEvent {
    fn personal(&mut self) -> Vec<Named<'_>> {
        match self {
            Self::SeriesCancelled(cancelled) => {
                named("reason", &mut cancelled.reason).into_iter().collect()
            }
            Self::SeriesBooked(_) | Self::SeriesRescheduled(_) => Vec::new(),
        }
    }
}

impl HasPersonal for Series {
    fn personal(&mut self) -> Vec<Named<'_>> {
        match self {
            Self::Made { latest: Some(SeriesChange::Cancelled(cancelled)), .. } => {
                named("reason", &mut cancelled.reason).into_iter().collect()
            }
            Self::Made { .. } | Self::Unmade => Vec::new(),
        }
    }

    fn subject(&self, _: Uuid) -> Option<Subject> {
        match self {
            Self::Made { booked, .. } => Some(Subject::Client(booked.client_id)),
            Self::Unmade => None,
        }
    }
}

impl HasPersonal for SessionScheduled {
    fn personal(&mut self) -> Vec<Named<'_>> {
        let overridden = overriding(&mut self.overridden);
        self.title.personal().into_iter().chain(overridden).collect()
    }
}

impl HasPersonal for SessionEvent {
    fn personal(&mut self) -> Vec<Named<'_>> {
        match self {
            Self::SessionScheduled(plan) => plan.personal(),
            Self::SessionRescheduled(moved) => {
                overriding(&mut moved.overridden).into_iter().collect()
            }
            Self::SessionCancelled(cancelled) => {
                named("reason", &mut cancelled.reason).into_iter().collect()
            }
        }
    }
}

impl HasPersonal for Session {
    fn personal(&mut self) -> Vec<Named<'_>> {
        let Self::Made { plan, reason, .. } = self else { return Vec::new() };
        plan.personal().into_iter().chain(named("reason", reason)).collect()
    }

    fn subject(&self, id: Uuid) -> Option<Subject> {
        Some(Subject::Itself(id))
    }
}

fn of_exception(exception: &mut HoursException) -> Option<Named<'_>> {
    named("exception.reason", &mut exception.reason)
}

impl HasPersonal for ResourceProfile {
    fn personal(&mut self) -> Vec<Named<'_>> {
        self.opening_hours.exceptions.iter_mut().filter_map(of_exception).collect()
    }
}

impl HasPersonal for ResourceEvent {
    fn personal(&mut self) -> Vec<Named<'_>> {
        match self {
            Self::ResourceExceptionAdded(added) => {
                of_exception(&mut added.exception).into_iter().collect()
            }
            Self::ResourceRegistered(registered) => registered.profile.personal(),
            Self::ResourceDescribed(_)
            | Self::ResourceHoursChanged(_)
            | Self::ResourceExceptionRemoved(_)
            | Self::ResourceHolidaysChanged(_)
            | Self::ResourceCapacityChanged(_)
            | Self::ResourceRetired(_) => Vec::new(),
        }
    }
}

impl HasPersonal for Resource {
    fn personal(&mut self) -> Vec<Named<'_>> {
        match self {
            Self::Unregistered => Vec::new(),
            Self::Active(profile) | Self::Retired(profile) => profile.personal(),
        }
    }

    fn subject(&self, id: Uuid) -> Option<Subject> {
        Some(Subject::Itself(id))
    }
}

impl HasPersonal for ServiceTerms {}
impl HasPersonal for Service {}
impl HasPersonal for ServiceEvent {}
impl HasPersonal for WaitingEntry {}
impl HasPersonal for WaitingEvent {}
