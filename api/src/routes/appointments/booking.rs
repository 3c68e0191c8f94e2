//! What is to be booked: the body of one booking, alone or in a batch.

use daybook_domain::appointment::{AppointmentCommand, Booking, When};
use daybook_domain::time::{Duration, HoldLength};
use daybook_domain::{Category, ClientId, Note, Personal, ResourceIds, ServiceId, Tags, Title};
use serde::Deserialize;
use utoipa::ToSchema;

use super::overriding::{self, OverrideBody};
use crate::App;
use crate::http::instant::Instant;
use crate::http::{Book, Caller, Problem};

/// What is to be booked.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BookingBody {
    /// The service: it gives duration, buffers, and what else is left out here.
    #[schema(value_type = Uuid)]
    pub(in crate::routes) service_id: ServiceId,
    /// The resources, each once: all are booked, or none. Where the service needs roles filled, they
    /// fill some or all of them, and others are chosen for the rest.
    #[schema(value_type = Option<Vec<Uuid>>, min_items = 1, max_items = 16)]
    pub(in crate::routes) resource_ids: Option<ResourceIds>,
    /// Who books.
    #[schema(value_type = Uuid)]
    pub(in crate::routes) client_id: ClientId,
    /// When it starts: RFC 3339, with an offset.
    #[schema(value_type = DateTime<Utc>, example = "2026-12-01T10:00:00+01:00")]
    pub(in crate::routes) start: Instant,
    /// What it is called; else as the service. It is searched and shown: no personal data.
    #[schema(value_type = Option<String>, max_length = 300)]
    pub(in crate::routes) title: Option<Title>,
    /// Its category; else the service's.
    #[schema(value_type = Option<String>, max_length = 80)]
    pub(in crate::routes) category: Option<Category>,
    /// Its tags; else the service's.
    #[schema(value_type = Option<Vec<String>>, max_items = 20)]
    pub(in crate::routes) tags: Option<Tags>,
    /// Free text about the client.
    #[schema(value_type = Option<String>, max_length = 4000)]
    pub(in crate::routes) note: Option<Personal<Note>>,
    /// Hold the time for so many minutes, 1 to 60, instead of booking at once.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 60)]
    pub(in crate::routes) hold_minutes: Option<HoldLength>,
    /// How long it takes: one of the service's durations; else the service's own.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 44640)]
    pub(in crate::routes) duration_minutes: Option<Duration>,
    /// Book it although rules are against it: needs the scope `manage`.
    #[serde(rename = "override")]
    pub(in crate::routes) overriding: Option<OverrideBody>,
}

impl BookingBody {
    /// The command that it is, from a caller who may give it.
    pub(in crate::routes) fn command(
        self,
        app: &App,
        caller: &Caller<Book>,
    ) -> Result<AppointmentCommand, Problem> {
        let overriding = overriding::reason(caller, self.overriding)?;
        let start = self.start.0;
        let when = When::at(start, self.duration_minutes);
        let booking = Booking {
            service_id: self.service_id,
            resource_ids: self.resource_ids,
            client_id: self.client_id,
            when,
            title: self.title,
            category: self.category,
            tags: self.tags,
            note: self.note,
            overriding,
            series: None,
        };
        Ok(match self.hold_minutes {
            None => AppointmentCommand::BookAppointment(booking),
            Some(length) => {
                let expires_at = app.engine.clock().now() + length.delta();
                let holds_per_client = app.holds_per_client;
                AppointmentCommand::HoldAppointment { booking, expires_at, holds_per_client }
            }
        })
    }
}
