//! What a stored event means to verification: whether it can be read, and what it claims.
//!
//! What it takes for readable is what whoever follows the log can read.

use chrono::{DateTime, Utc};
use cqrs_es::Aggregate;
use cqrs_es::persist::EventUpcaster;
use daybook_domain::appointment::{Appointment, AppointmentEvent};
use daybook_domain::claim::{Claim, Claims};
use daybook_domain::client::{Client, ClientEvent};
use daybook_domain::resource::{Resource, ResourceEvent};
use daybook_domain::series::{Series, SeriesEvent};
use daybook_domain::service::{Service, ServiceEvent};
use daybook_domain::session::{Session, SessionEvent};
use daybook_domain::waiting::{WaitingEntry, WaitingEvent};
use daybook_domain::{TenantId, upcasters};
use uuid::Uuid;

use super::chain::Stored;
use super::strings::Strings;
use crate::log::AnyEvent;
use crate::log::event::{StoredEvent, decode, parsed};

/// What an aggregate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Service,
    Resource,
    Client,
    Appointment,
    Session,
    Series,
    Waiting,
}

impl Kind {
    pub(super) const ALL: [Self; 7] = [
        Self::Service,
        Self::Resource,
        Self::Client,
        Self::Appointment,
        Self::Session,
        Self::Series,
        Self::Waiting,
    ];

    /// As in `events.aggregate_type`.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Service => Service::TYPE,
            Self::Resource => Resource::TYPE,
            Self::Client => Client::TYPE,
            Self::Appointment => Appointment::TYPE,
            Self::Session => Session::TYPE,
            Self::Series => Series::TYPE,
            Self::Waiting => WaitingEntry::TYPE,
        }
    }
}

/// What a stored event means.
pub(super) struct Happened {
    pub(super) kind: Kind,
    pub(super) id: Uuid,
    /// Whether an aggregate begins with it: whether it can happen to what was never made, and to
    /// nothing else.
    pub(super) makes: bool,
    /// All that the appointment claims after it; `None`: the same as before.
    pub(super) claims: Option<Vec<Claim>>,
}

/// Reads the events of one tenant.
pub(super) struct Reader {
    /// What a stream's id begins with.
    prefix: String,
    upcasters: Vec<Box<dyn EventUpcaster>>,
}

impl Reader {
    pub(super) fn of(tenant: &TenantId) -> Self {
        Self { prefix: format!("{tenant}/"), upcasters: upcasters() }
    }

    /// What the event means.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub(super) fn read(
        &self,
        event: &Stored<'_>,
        recorded_at: DateTime<Utc>,
    ) -> Result<Happened, String> {
        let kind = Kind::ALL.into_iter().find(|kind| kind.name() == event.kind);
        let kind = kind.ok_or_else(|| format!("aggregate type {:?}", event.kind))?;
        let id = event.id.strip_prefix(&self.prefix);
        let id = id.filter(|id| id.len() == 36).and_then(|id| Uuid::try_parse(id).ok());
        let id = id.ok_or_else(|| format!("stream id {:?}", event.id))?;
        parsed::<Strings>(event.metadata).map_err(|error| format!("metadata: {error}"))?;
        let stored = StoredEvent {
            aggregate_type: event.kind,
            aggregate_id: event.id,
            sequence: event.sequence,
            event_type: event.event_type,
            event_version: event.event_version,
            payload: event.payload,
        };
        let decoded = decode(event.position, recorded_at, &stored, &self.upcasters);
        let (makes, claims) = match decoded.map_err(|unreadable| unreadable.reason)?.event {
            AnyEvent::Service(_, event) => service(&event),
            AnyEvent::Resource(_, event) => resource(&event),
            AnyEvent::Client(_, event) => client(&event),
            AnyEvent::Appointment(_, event) => appointment(&event),
            AnyEvent::Session(_, event) => session(&event),
            AnyEvent::Series(_, event) => series(&event),
            AnyEvent::Waiting(_, event) => waiting(&event),
        };
        Ok(Happened { kind, id, makes, claims })
    }
}

/// Whether it makes the aggregate, and what that claims afterwards.
type Meaning = (bool, Option<Vec<Claim>>);

fn service(event: &ServiceEvent) -> Meaning {
    (matches!(event, ServiceEvent::ServiceDefined(_)), None)
}

fn resource(event: &ResourceEvent) -> Meaning {
    (matches!(event, ResourceEvent::ResourceRegistered(_)), None)
}

fn client(event: &ClientEvent) -> Meaning {
    (matches!(event, ClientEvent::ClientRegistered(_)), None)
}

fn series(event: &SeriesEvent) -> Meaning {
    (matches!(event, SeriesEvent::SeriesBooked(_)), None)
}

fn waiting(event: &WaitingEvent) -> Meaning {
    (matches!(event, WaitingEvent::WaitingListJoined(_)), None)
}

fn appointment(event: &AppointmentEvent) -> Meaning {
    use AppointmentEvent as E;
    (matches!(event, E::AppointmentHeld(_) | E::AppointmentBooked(_)), event.claims_after())
}

fn session(event: &SessionEvent) -> Meaning {
    (matches!(event, SessionEvent::SessionScheduled(_)), event.claims_after())
}
