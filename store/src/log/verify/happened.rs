//! What a stored event means to verification: whether it can be read, and what it claims.
//!
//! Whatever it takes for readable, the engine can read: every payload becomes the domain's own
//! type. It only takes shorter ways where it can: no tree of JSON values is made on the way.

use chrono::{DateTime, Utc};
use cqrs_es::persist::{EventUpcaster, SerializedEvent};
use cqrs_es::{Aggregate, DomainEvent};
use daybook_domain::appointment::{
    Appointment, AppointmentConfirmed, AppointmentEvent, AppointmentHeld, AppointmentRescheduled,
    Details,
};
use daybook_domain::claim::{Claim, Claims};
use daybook_domain::client::{Client, ClientEvent};
use daybook_domain::resource::{Resource, ResourceEvent};
use daybook_domain::series::{Series, SeriesEvent};
use daybook_domain::service::{Service, ServiceEvent};
use daybook_domain::session::{Session, SessionEvent};
use daybook_domain::waiting::{WaitingEntry, WaitingEvent};
use daybook_domain::{TenantId, upcasters};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::chain::Stored;
use super::strings::Strings;
use crate::log::AnyEvent;
use crate::log::event::decode;

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
        let (event_type, version) = (event.event_type, event.event_version);
        let old = self.upcasters.iter().any(|upcaster| upcaster.can_upcast(event_type, version));
        let (makes, claims) =
            if old { self.upcast(event, recorded_at)? } else { present(kind, event)? };
        Ok(Happened { kind, id, makes, claims })
    }

    /// The long way, for events of an older form.
    fn upcast(&self, event: &Stored<'_>, recorded_at: DateTime<Utc>) -> Result<Meaning, String> {
        let stored = SerializedEvent {
            aggregate_id: event.id.to_owned(),
            sequence: usize::try_from(event.sequence).map_err(|error| error.to_string())?,
            aggregate_type: event.kind.to_owned(),
            event_type: event.event_type.to_owned(),
            event_version: event.event_version.to_owned(),
            payload: parsed(event.payload)?,
            metadata: parsed(event.metadata)?,
        };
        let decoded = decode(event.position, recorded_at, stored, &self.upcasters);
        Ok(match decoded.map_err(|unreadable| unreadable.reason)?.event {
            AnyEvent::Service(_, event) => service(&event),
            AnyEvent::Resource(_, event) => resource(&event),
            AnyEvent::Client(_, event) => client(&event),
            AnyEvent::Appointment(_, event) => appointment(&event),
            AnyEvent::Session(_, event) => session(&event),
            AnyEvent::Series(_, event) => series(&event),
            AnyEvent::Waiting(_, event) => waiting(&event),
        })
    }
}

/// Whether it makes the aggregate, and what that claims afterwards.
type Meaning = (bool, Option<Vec<Claim>>);

/// An event in its present form.
fn present(kind: Kind, event: &Stored<'_>) -> Result<Meaning, String> {
    Ok(match kind {
        Kind::Service => service(&typed(event)?),
        Kind::Resource => resource(&typed(event)?),
        Kind::Client => client(&typed(event)?),
        Kind::Appointment => appointment(&happened(event)?),
        Kind::Session => session(&typed(event)?),
        Kind::Series => series(&typed(event)?),
        Kind::Waiting => waiting(&typed(event)?),
    })
}

/// What happened to an appointment. An enum with a tag inside is read into a tree of values first,
/// and then into its type; where the tag is where it is written, the type can be had at once.
fn happened(event: &Stored<'_>) -> Result<AppointmentEvent, String> {
    use AppointmentEvent as E;
    let payload = event.payload;
    let tag = payload.strip_prefix(r#"{"type":""#).and_then(|rest| rest.split_once('"'));
    if tag.is_none_or(|(tag, _)| tag != event.event_type) {
        return typed(event);
    }
    Ok(match event.event_type {
        "AppointmentBooked" => E::AppointmentBooked(parsed::<Details>(payload)?),
        "AppointmentHeld" => {
            let Expiry { expires_at } = parsed(payload)?;
            E::AppointmentHeld(AppointmentHeld { details: parsed(payload)?, expires_at })
        }
        "AppointmentConfirmed" => E::AppointmentConfirmed(parsed::<AppointmentConfirmed>(payload)?),
        "AppointmentRescheduled" => {
            E::AppointmentRescheduled(parsed::<AppointmentRescheduled>(payload)?)
        }
        _ => return typed(event),
    })
}

/// What a hold has beside its details.
#[derive(Deserialize)]
struct Expiry {
    expires_at: DateTime<Utc>,
}

/// An event of its type, which is the one that its row names.
fn typed<E: DomainEvent + DeserializeOwned>(stored: &Stored<'_>) -> Result<E, String> {
    let event: E = parsed(stored.payload)?;
    let named = event.event_type();
    if named == stored.event_type {
        Ok(event)
    } else {
        Err(format!("event type {:?} with the payload of {named}", stored.event_type))
    }
}

fn parsed<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, String> {
    serde_json::from_str(json).map_err(|error| error.to_string())
}

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
