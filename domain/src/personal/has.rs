//! What has personal members, and about whom it is.

use uuid::Uuid;

use super::PersonalMember;
use crate::appointment::{Appointment, AppointmentEvent, Details};
use crate::client::{Client, ClientEvent, Contact};
use crate::resource::{Resource, ResourceEvent, ResourceProfile};
use crate::series::{Series, SeriesEvent};
use crate::service::{Service, ServiceEvent, ServiceTerms};
use crate::session::{Session, SessionEvent};
use crate::waiting::{WaitingEntry, WaitingEvent};
use crate::{ClientId, Metadata};

/// A personal member, and its name in JSON.
pub(crate) type Named<'a> = (&'static str, &'a mut dyn PersonalMember);

/// Implemented by events, and by aggregates: which of their members are personal.
pub trait HasPersonal {
    /// Those that it has, sealed or not.
    fn personal(&mut self) -> Vec<Named<'_>> {
        Vec::new()
    }

    /// Of an aggregate with this id: about whom it is.
    fn subject(&self, id: Uuid) -> Option<ClientId> {
        let _ = id;
        None
    }
}

impl<T: HasPersonal> HasPersonal for &mut T {
    fn personal(&mut self) -> Vec<Named<'_>> {
        (**self).personal()
    }

    fn subject(&self, id: Uuid) -> Option<ClientId> {
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
        let Self { name, email, phone, notes, reference, metadata } = self;
        let optional = [
            named("email", email),
            named("phone", phone),
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
            Self::ClientErasureRequested(_) | Self::ClientErased(_) => Vec::new(),
        }
    }
}

impl HasPersonal for Client {
    fn personal(&mut self) -> Vec<Named<'_>> {
        match self {
            Self::Unregistered | Self::Erased { .. } => Vec::new(),
            Self::Registered(contact) => contact.personal(),
        }
    }

    fn subject(&self, id: Uuid) -> Option<ClientId> {
        Some(id.into())
    }
}

impl HasPersonal for Details {
    fn personal(&mut self) -> Vec<Named<'_>> {
        named("note", &mut self.note).into_iter().collect()
    }
}

impl HasPersonal for AppointmentEvent {
    fn personal(&mut self) -> Vec<Named<'_>> {
        match self {
            Self::AppointmentBooked(details) => details.personal(),
            Self::AppointmentHeld(held) => held.details.personal(),
            Self::AppointmentDescribed(described) => {
                named("note", &mut described.note).into_iter().collect()
            }
            Self::AppointmentConfirmed(_)
            | Self::AppointmentRescheduled(_)
            | Self::AppointmentCancelled(_)
            | Self::AppointmentHoldExpired(_)
            | Self::AppointmentCheckedIn(_)
            | Self::AppointmentCompleted(_)
            | Self::AppointmentMarkedNoShow(_)
            | Self::AppointmentTagged(_)
            | Self::AppointmentConflictAccepted(_)
            | Self::AppointmentReassigned(_) => Vec::new(),
        }
    }
}

impl HasPersonal for Appointment {
    fn personal(&mut self) -> Vec<Named<'_>> {
        match self {
            Self::Unmade => Vec::new(),
            Self::Made { details, .. } => details.personal(),
        }
    }

    fn subject(&self, _: Uuid) -> Option<ClientId> {
        self.details().map(|details| details.client_id)
    }
}

impl HasPersonal for ServiceTerms {}
impl HasPersonal for ResourceProfile {}
impl HasPersonal for Service {}
impl HasPersonal for ServiceEvent {}
impl HasPersonal for Resource {}
impl HasPersonal for ResourceEvent {}
impl HasPersonal for Session {}
impl HasPersonal for SessionEvent {}
impl HasPersonal for Series {}
impl HasPersonal for SeriesEvent {}
impl HasPersonal for WaitingEntry {}
impl HasPersonal for WaitingEvent {}
