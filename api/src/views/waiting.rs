//! An entry of the waiting list, as clients see it.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use daybook_domain::time::{Duration, WeeklyHours};
use daybook_domain::waiting::{Joined, Offer, Status as WaitingStatus, WaitingEntry, Wishes};
use daybook_domain::{ClientId, ResourceIds, ServiceId};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Viewed;
use super::times::local;

/// An entry of the waiting list.
#[derive(Serialize, ToSchema)]
pub(crate) struct WaitingView {
    id: Uuid,
    status: WaitingStatus,
    /// Its version: how many events it has had.
    version: u64,
    service_id: ServiceId,
    client_id: ClientId,
    /// How long it is to take; else as long as the service takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_minutes: Option<Duration>,
    from: NaiveDate,
    to: NaiveDate,
    /// The zone of `from`, `to` and `times`.
    #[schema(example = "Europe/Oslo")]
    time_zone: Tz,
    /// The times of the week in which all of the appointment is to lie; none at all: at any time.
    times: WeeklyHours,
    /// Any of these would do; else whoever the service needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_ids: Option<ResourceIds>,
    joined_at: DateTime<Utc>,
    /// Of those who wait for the service, its number by time of joining, from 1. Lists leave it out, and so do answers of the past and to keys that are limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) queue_position: Option<u64>,
    /// The place that is, or was, offered.
    #[serde(skip_serializing_if = "Option::is_none")]
    offer: Option<OfferView>,
}

/// A place that is held for the client.
#[derive(Serialize, ToSchema)]
pub(crate) struct OfferView {
    /// The hold. It is taken by `POST /v1/holds/{id}/confirm`.
    appointment_id: Uuid,
    start_at: DateTime<Utc>,
    /// The start as clocks show it in the zone that is asked for, with their offset; else it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, example = "2027-03-28T09:00:00+02:00")]
    local_start_at: Option<String>,
    /// Until when it can be taken.
    expires_at: DateTime<Utc>,
}

impl WaitingView {
    pub(crate) const fn status(&self) -> WaitingStatus {
        self.status
    }

    pub(crate) const fn version(&self) -> u64 {
        self.version
    }

    /// The same, with the local time of the offer where a zone is asked for.
    pub(crate) fn shown_in(mut self, zone: Option<Tz>) -> Self {
        if let (Some(zone), Some(offer)) = (zone, &mut self.offer) {
            offer.local_start_at = Some(local(zone, offer.start_at));
        }
        self
    }

    pub(crate) fn new(id: Uuid, version: u64, joined: Joined) -> Self {
        let Joined { client_id, wishes, joined_at, state } = joined;
        let Wishes { service_id, duration, days, times, resource_ids } = wishes;
        let offer = state.offer().map(|Offer { appointment_id, start, expires_at }| OfferView {
            appointment_id: appointment_id.uuid(),
            start_at: start,
            local_start_at: None,
            expires_at,
        });
        Self {
            id,
            status: state.status(),
            version,
            service_id,
            client_id,
            duration_minutes: duration,
            from: days.first().date(),
            to: days.last().date(),
            time_zone: days.time_zone(),
            times,
            resource_ids,
            joined_at,
            queue_position: None,
            offer,
        }
    }
}

impl Viewed for WaitingEntry {
    type View = WaitingView;

    const PATH: &'static str = "/v1/waiting-list";

    fn view(self, id: Uuid, version: u64) -> Option<WaitingView> {
        match self {
            Self::Unjoined => None,
            Self::Joined(joined) => Some(WaitingView::new(id, version, joined)),
        }
    }
}
