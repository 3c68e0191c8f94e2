//! Where something lies, for whoever is limited to some of a tenant.

use crate::appointment::Details;
use crate::service::ServiceTerms;
use crate::{AppointmentId, Category, ClientId, Location, ResourceId, ResourceIds};

/// Where an appointment lies.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    pub id: AppointmentId,
    pub location: Option<&'a Location>,
    pub resource_ids: &'a ResourceIds,
    pub category: &'a Category,
    pub client_id: ClientId,
}

impl<'a> Place<'a> {
    #[must_use]
    pub const fn of(id: AppointmentId, details: &'a Details) -> Self {
        Self {
            id,
            location: details.location.as_ref(),
            resource_ids: &details.slot.resource_ids,
            category: &details.category,
            client_id: details.client_id,
        }
    }
}

/// Where an aggregate lies.
#[derive(Debug, Clone, Copy)]
pub enum Placed<'a> {
    /// It has not been made.
    Nowhere,
    At(Place<'a>),
    /// A client, who is of no place.
    Client(ClientId),
    Resource(ResourceId),
    Service(&'a ServiceTerms),
    /// A series of this client, which lies where its appointments do: [`Series::seen`](crate::series::Series::seen).
    Series(ClientId),
    /// Somebody who waits, for any of these resources where some are named; at its service's location:
    /// [`Limits::see_entry`](super::Limits::see_entry).
    Entry {
        client_id: ClientId,
        resource_ids: &'a [ResourceId],
    },
    /// It is of the whole tenant.
    Whole,
}
