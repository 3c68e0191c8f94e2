//! The events of all aggregates as one type.

use std::fmt::Debug;

use cqrs_es::{Aggregate, DomainEvent};
use daybook_domain::appointment::Appointment;
use daybook_domain::claim::{Claim, Claims, Held};
use daybook_domain::client::Client;
use daybook_domain::resource::Resource;
use daybook_domain::service::Service;
use daybook_domain::session::Session;
use daybook_domain::waiting::WaitingEntry;
use daybook_domain::{AggregateEvent as _, Decide, TenantId, aggregates};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::event::StoredEvent;
use super::{NewEvent, StreamId};
use crate::json::not_understood;

/// An aggregate whose events are in the log, as those of each of the domain's
/// [`aggregates`] are. What others would append, nobody could read.
pub trait PersistedAggregate:
    Decide<Command: Clone + Debug + Send + Sync> + Clone + 'static
{
}

macro_rules! any_event {
    ($($name:ident: $aggregate:ty, $id:ty, $refusal:ty;)+) => {
        /// What happened, to what.
        #[derive(Debug, Clone, PartialEq)]
        pub enum AnyEvent {
            $($name($id, <$aggregate as Aggregate>::Event),)+
        }

        impl AnyEvent {
            /// The event of an aggregate of that type.
            pub(super) fn read(
                stored: &StoredEvent<'_>,
                id: Uuid,
                payload: &str,
            ) -> Result<Self, String> {
                match stored.aggregate_type {
                    $(<$aggregate>::TYPE => Ok(Self::$name(id.into(), read(stored, payload)?)),)+
                    other => Err(format!("aggregate type {other:?}")),
                }
            }

            /// The type of the aggregate, as in `events.aggregate_type`.
            #[must_use]
            pub const fn aggregate_type(&self) -> &'static str {
                match self {
                    $(Self::$name(..) => <$aggregate>::TYPE,)+
                }
            }

            /// To what it happened.
            #[must_use]
            pub const fn aggregate_id(&self) -> Uuid {
                match self {
                    $(Self::$name(id, _) => id.uuid(),)+
                }
            }

            /// The stream that it is in.
            #[must_use]
            pub fn stream(&self, tenant: &TenantId) -> StreamId {
                match self {
                    $(Self::$name(id, _) => StreamId::of::<$aggregate>(tenant, id.uuid()),)+
                }
            }

            /// What is said to have happened, as in `events.event_type`.
            #[must_use]
            pub fn event_type(&self) -> String {
                match self {
                    $(Self::$name(_, event) => event.event_type(),)+
                }
            }

            /// Whether the aggregate begins with it.
            #[must_use]
            pub fn creates(&self) -> bool {
                match self {
                    $(Self::$name(_, event) => event.creates(),)+
                }
            }

            /// All that the aggregate claims after it. `None`: the same as before.
            #[must_use]
            pub fn claims_after(&self) -> Option<Vec<Claim>> {
                match self {
                    $(Self::$name(_, event) => event.claims_after(),)+
                }
            }

            /// All that the aggregate holds after it, its time and its reference, by the name that each is held by. What
            /// is not named is as before.
            #[must_use]
            pub fn held_after(&self) -> Vec<Held> {
                match self {
                    $(Self::$name(id, event) => event.held_after(id.uuid()),)+
                }
            }

            /// The event, to be appended.
            ///
            /// # Errors
            /// When it cannot be written as JSON.
            pub fn encode(&self) -> Result<NewEvent, serde_json::Error> {
                match self {
                    $(Self::$name(_, event) => NewEvent::of(event),)+
                }
            }
        }

        $(impl PersistedAggregate for $aggregate {})+
    };
}
aggregates!(any_event);

/// The types of the aggregates whose events claim something.
pub(crate) const CLAIMING: [&str; 6] = [
    Appointment::TYPE,
    Session::TYPE,
    WaitingEntry::TYPE,
    Service::TYPE,
    Resource::TYPE,
    Client::TYPE,
];

/// An event of its type, which is the one that its row names.
pub(super) fn read<E: DomainEvent + DeserializeOwned>(
    stored: &StoredEvent<'_>,
    payload: &str,
) -> Result<E, String> {
    let event: E = serde_json::from_str(payload).map_err(|error| not_understood(&error))?;
    let named = event.event_type();
    if named == stored.event_type {
        Ok(event)
    } else {
        Err(format!("event type {:?} with the payload of {named}", stored.event_type))
    }
}
