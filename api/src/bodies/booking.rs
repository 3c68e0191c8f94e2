//! What is to be booked or held: one appointment, a place in a session, or a series.
//!
//! What these bodies share is declared once. It is not a struct that they flatten: serde would then
//! read each body into memory first, and could no longer say where in it an error is.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use daybook_domain::appointment::{AppointmentCommand, Booking, When};
use daybook_domain::series::{Exdates, Mode, Recurrence};
use daybook_domain::time::{Duration, HoldLength, LocalDateTime};
use daybook_domain::{
    Category, ClientId, Location, Metadata, Note, Personal, Reference, ResourceIds, RuleText,
    ServiceId, SessionId, Tags, TenantId, Title,
};
use daybook_store::engine::SeriesBooking;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::overriding::{self, OverrideBody};
use crate::App;
use crate::http::instant::Instant;
use crate::http::{Book, Caller, Problem, Within};

/// Declares a body that books: its own fields, and those that all have. One that is not for a session,
/// which has a service and resources already, names them (`of a service`). One for several appointments has no
/// reference, which names one.
macro_rules! booking_body {
    ($(#[$meta:meta])* $name:ident of a service { $($own:tt)* }) => {
        booking_body! { @of_a_service [] $(#[$meta])* $name { $($own)* } }
    };
    ($(#[$meta:meta])* $name:ident of a service without a reference { $($own:tt)* }) => {
        booking_body! { @of_a_service [#[serde(skip)]] $(#[$meta])* $name { $($own)* } }
    };
    ($(#[$meta:meta])* $name:ident { $($own:tt)* }) => {
        booking_body! { @all [] $(#[$meta])* $name { $($own)* } }
    };
    (@of_a_service [$($reference:tt)*] $(#[$meta:meta])* $name:ident { $($own:tt)* }) => {
        booking_body! {
            @all [$($reference)*]
            $(#[$meta])*
            $name {
                /// The service: it gives duration, buffers, and what else is left out here.
                service_id: ServiceId,
                /// The resources, each once: all are taken, or none. Where the service needs roles
                /// filled, they fill some or all of them, and others are chosen for the rest.
                #[schema(min_items = 1, max_items = 16)]
                resource_ids: Option<ResourceIds>,
                /// How long it takes: one of the service's durations; else the service's own.
                #[schema(minimum = 1, maximum = 44640)]
                duration_minutes: Option<Duration>,
                $($own)*
            }
        }

        impl $name {
            /// What is to be booked, with everything but when it is.
            fn booking<S>(
                mut self,
                caller: &Caller<S>,
                start: DateTime<Utc>,
            ) -> Result<Booking, Problem> {
                let when = When::at(start, self.duration_minutes);
                let (service_id, resource_ids) = (self.service_id, self.resource_ids.take());
                self.shared(caller, service_id, resource_ids, when)
            }
        }
    };
    (@all [$($reference:tt)*] $(#[$meta:meta])* $name:ident { $($own:tt)* }) => {
        $(#[$meta])*
        #[derive(Deserialize, Serialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $name {
            $($own)*
            /// Who books.
            client_id: ClientId,
            /// What it is called; else as the service or session. It is searched and shown: no personal
            /// data.
            #[schema(max_length = 300)]
            title: Option<Title>,
            /// Its category; else the service's or session's.
            #[schema(max_length = 80)]
            category: Option<Category>,
            /// Its tags; else the service's or session's.
            #[schema(max_items = 20)]
            tags: Option<Tags>,
            /// Free text about the client.
            #[schema(max_length = 16000)]
            note: Option<Personal<Note>>,
            /// Where it takes place, or the address of an online meeting; else where the service does. It is shown and
            /// exported: no personal data.
            #[schema(max_length = 500)]
            location: Option<Location>,
            /// What your own system calls it; found by `reference`. No two appointments have the same. No personal data.
            #[schema(max_length = 200, example = "A-1041")]
            $($reference)*
            reference: Option<Reference>,
            /// What you keep with it: at most 50 pairs, keys of at most 40 characters and values of at most 500,
            /// together 8 KiB; found by `metadata[key]=value`. No personal data.
            #[serde(default, skip_serializing_if = "Metadata::is_empty")]
            metadata: Metadata,
            /// Do it although rules are against it: needs the scope `manage`. It makes no room.
            #[serde(rename = "override")]
            overriding: Option<OverrideBody>,
        }

        impl $name {
            fn shared<S>(
                self,
                caller: &Caller<S>,
                service_id: ServiceId,
                resource_ids: Option<ResourceIds>,
                when: When,
            ) -> Result<Booking, Problem> {
                Ok(Booking {
                    service_id,
                    resource_ids,
                    client_id: self.client_id,
                    when,
                    title: self.title.map(Into::into),
                    category: self.category,
                    tags: self.tags,
                    note: self.note,
                    location: self.location,
                    reference: self.reference,
                    metadata: self.metadata,
                    private: false,
                    overriding: overriding::reason(caller, self.overriding)?,
                    series: None,
                })
            }
        }
    };
}

booking_body! {
    /// What is to be booked.
    BookingBody of a service {
        /// When it starts: RFC 3339, with an offset.
        #[schema(example = "2026-12-01T10:00:00+01:00")]
        start_at: Instant,
    }
}

booking_body! {
    /// What is to be held.
    HoldBody of a service {
        /// When it starts: RFC 3339, with an offset.
        #[schema(example = "2026-12-01T10:00:00+01:00")]
        start_at: Instant,
        /// For how many minutes the time is kept free: 1 to 60.
        #[serde(default)]
        #[schema(minimum = 1, maximum = 60, default = 10)]
        ttl_minutes: HoldLength,
    }
}

booking_body! {
    /// Who wants a place in a session.
    PlaceBody {}
}

booking_body! {
    /// For whom a place in a session is to be held.
    PlaceHoldBody {
        /// For how many minutes the place is kept free: 1 to 60.
        #[serde(default)]
        #[schema(minimum = 1, maximum = 60, default = 10)]
        ttl_minutes: HoldLength,
    }
}

booking_body! {
    /// What is to be booked, and when it recurs. What is said of it is said of every occurrence; others are
    /// chosen for each by itself.
    SeriesBody of a service without a reference {
        /// When the first occurrence starts: a local time, which the rule must allow.
        #[schema(format = "local-date-time", example = "2027-01-04T09:00")]
        dtstart: LocalDateTime,
        /// The IANA zone in which times are local; else the tenant's.
        #[schema(format = "time-zone", example = "Europe/Oslo")]
        time_zone: Option<Tz>,
        /// The value of an RRULE (RFC 5545) with COUNT or UNTIL. At most 366 occurrences.
        #[schema(format = "rrule", max_length = 500, example = "FREQ=WEEKLY;BYDAY=MO;COUNT=10")]
        rrule: RuleText,
        /// What is left out: occurrences by their local start, or whole days.
        #[serde(default)]
        #[schema(max_items = 366, example = json!(["2027-02-22T09:00", "2027-04-05"]))]
        exdates: Exdates,
        /// Whether all must be booked: `all-or-nothing` where it is left out.
        #[serde(default)]
        mode: Mode,
    }
}

impl BookingBody {
    /// Who books.
    pub(crate) const fn client_id(&self) -> ClientId {
        self.client_id
    }

    /// The command that it is, from a caller who may give it.
    pub(crate) fn command<S>(self, caller: &Caller<S>) -> Result<AppointmentCommand, Problem> {
        let start = self.start_at.0;
        self.booking(caller, start).map(AppointmentCommand::BookAppointment)
    }
}

impl HoldBody {
    /// Who books.
    pub(crate) const fn client_id(&self) -> ClientId {
        self.client_id
    }

    /// The command that it is, from a caller who may give it.
    pub(crate) async fn command<S>(
        self,
        app: &App,
        caller: &Caller<S>,
    ) -> Result<AppointmentCommand, Problem> {
        let (start, length) = (self.start_at.0, self.ttl_minutes);
        app.hold(&caller.tenant, self.booking(caller, start)?, length).await
    }
}

impl PlaceBody {
    /// Who books.
    pub(crate) const fn client_id(&self) -> ClientId {
        self.client_id
    }

    /// The command that it is for this session of a service, from a caller who may give it.
    pub(crate) fn command(
        self,
        caller: &Caller<Within<Book>>,
        (session, service): (SessionId, ServiceId),
    ) -> Result<AppointmentCommand, Problem> {
        let booking = self.shared(caller, service, None, When::InSession(session));
        booking.map(AppointmentCommand::BookAppointment)
    }
}

impl PlaceHoldBody {
    /// Who books.
    pub(crate) const fn client_id(&self) -> ClientId {
        self.client_id
    }

    /// The command that it is for this session of a service, from a caller who may give it.
    pub(crate) async fn command(
        self,
        app: &App,
        caller: &Caller<Within<Book>>,
        (session, service): (SessionId, ServiceId),
    ) -> Result<AppointmentCommand, Problem> {
        let length = self.ttl_minutes;
        let booking = self.shared(caller, service, None, When::InSession(session))?;
        app.hold(&caller.tenant, booking, length).await
    }
}

impl SeriesBody {
    /// Who books.
    pub(crate) const fn client_id(&self) -> ClientId {
        self.client_id
    }

    /// The bookings that it is, from a caller who may make them.
    pub(crate) fn bookings(
        self,
        tenants_zone: Tz,
        caller: &Caller<Within<Book>>,
    ) -> Result<SeriesBooking, Problem> {
        let recurrence = Recurrence {
            rrule: self.rrule.clone(),
            dtstart: self.dtstart,
            time_zone: self.time_zone.unwrap_or(tenants_zone),
            exdates: self.exdates.clone(),
        };
        let mode = self.mode;
        // Each occurrence has its own start.
        let booking = self.booking(caller, DateTime::UNIX_EPOCH)?;
        Ok(SeriesBooking { recurrence, mode, booking })
    }
}

impl App {
    /// The command to hold what would be booked, from now on.
    async fn hold(
        &self,
        tenant: &TenantId,
        booking: Booking,
        length: HoldLength,
    ) -> Result<AppointmentCommand, Problem> {
        let holds_per_client = self.tenant(tenant).await?.settings.holds_per_client;
        let expires_at = self.engine.clock().now() + length.delta();
        Ok(AppointmentCommand::HoldAppointment { booking, expires_at, holds_per_client })
    }
}
