//! What can be asked of an appointment.

use chrono::{DateTime, Utc};

use super::{CancelledBy, MovedBy};
use crate::patch::{Change, Replace, patch};
use crate::series::InSeries;
use crate::service::HoldLimit;
use crate::session::SessionScheduled;
use crate::time::{Duration, Interval};
use crate::{
    Category, ClientId, FreeTitle, Location, Metadata, MetadataPatch, Note, Personal, Reason,
    Reference, ResourceId, ResourceIds, ServiceId, SessionId, Tags, Title,
};

/// What can be asked of an appointment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AppointmentCommand {
    /// Keep the time free until it is confirmed, but no longer than `expires_at`.
    HoldAppointment {
        /// What is to be booked.
        booking: Booking,
        /// When the hold lapses by itself.
        expires_at: DateTime<Utc>,
        /// The most that the client can hold at once, this one among them.
        holds_per_client: HoldLimit,
    },
    /// Turn a hold into a booking.
    ConfirmAppointment,
    /// Book at once.
    BookAppointment(Booking),
    /// Move to another time, other resources or both; the length stays.
    RescheduleAppointment {
        start: DateTime<Utc>,
        /// The new resources. `None`: the same as before.
        resource_ids: Option<NewResources>,
        by: MovedBy,
        /// Why it may break rules. `None`: it may not.
        overriding: Option<Personal<Reason>>,
    },
    /// Cancel it; the time is free again.
    CancelAppointment {
        /// Why, in the words of who cancels.
        reason: Option<Personal<Reason>>,
        by: CancelledBy,
        /// Why it may break rules. `None`: it may not.
        overriding: Option<Personal<Reason>>,
    },
    /// Give up a hold; the time is free again.
    ReleaseHold,
    /// Record that a hold has lapsed.
    ExpireHold,
    /// The client is here.
    CheckInAppointment,
    /// The service was provided.
    CompleteAppointment,
    /// The client did not come; the time is free again.
    MarkNoShow,
    /// Replace category, tags or both.
    TagAppointment {
        /// The new category. `None`: the same as before.
        category: Option<Category>,
        /// All the new tags. `None`: the same as before.
        tags: Option<Tags>,
    },
    /// Use another resource instead of one; the time stays.
    ReassignAppointment {
        /// The resource that it is not to use any longer.
        from: ResourceId,
        /// The one that it is to use instead.
        to: ResourceId,
        reason: Option<Personal<Reason>>,
    },
    /// Go where it has gone in the calendar that it was copied from.
    FollowCalendar {
        copied: Copied,
        /// The new resources. `None`: the same as before.
        resource_ids: Option<ResourceIds>,
        /// Why it may be where they are closed. `None`: it may not.
        overriding: Option<Personal<Reason>>,
    },
    /// Change what is said about it.
    DescribeAppointment(Description),
    /// Go where the session goes that it is in.
    FollowSession {
        /// Where the session is from now on.
        plan: Box<SessionScheduled>,
    },
    /// Keep it where it is, although resources can no longer be had then.
    AcceptConflict { reason: Personal<Reason> },
}

/// The resources of an appointment that moves to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewResources {
    /// These; where they are fewer than the service has roles for, the others are chosen.
    Named(ResourceIds),
    /// All are chosen, as for a booking that names none.
    Chosen,
}

impl NewResources {
    pub(super) const fn named(&self) -> Option<&ResourceIds> {
        match self {
            Self::Named(named) => Some(named),
            Self::Chosen => None,
        }
    }
}

impl From<ResourceIds> for NewResources {
    fn from(named: ResourceIds) -> Self {
        Self::Named(named)
    }
}

/// What changes of what is said about an appointment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Description {
    pub title: Replace<FreeTitle>,
    pub note: Change<Personal<Note>>,
    pub private: Replace<bool>,
    /// Removed: where its service takes place.
    pub location: Change<Location>,
    pub reference: Change<Reference>,
    pub metadata: Change<MetadataPatch>,
}

patch! {
    /// What changes of an appointment, whatever its status. When and where it is are commands of their own.
    AppointmentPatch {
        title: Replace<Title>,
        note: Change<Personal<Note>>,
        category: Replace<Category>,
        tags: Change<Tags>,
        location: Change<Location>,
        reference: Change<Reference>,
        metadata: Change<MetadataPatch>,
    }
}

impl AppointmentPatch {
    /// The commands that make the change, one for each thing that can happen to an appointment.
    #[must_use]
    pub fn commands(self) -> Vec<AppointmentCommand> {
        let Self { title, note, category: Replace(category), tags, location, reference, metadata } =
            self;
        let private = Replace::default();
        let title = title.map(FreeTitle::from);
        let description = Description { title, note, private, location, reference, metadata };
        let described = (description != Description::default())
            .then_some(AppointmentCommand::DescribeAppointment(description));
        let tags = match tags {
            Change::Keep => None,
            Change::Remove => Some(Tags::default()),
            Change::To(tags) => Some(tags),
        };
        let tagged = (category.is_some() || tags.is_some())
            .then_some(AppointmentCommand::TagAppointment { category, tags });
        described.into_iter().chain(tagged).collect()
    }
}

/// What is to be booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booking {
    /// The service; it gives duration and buffers.
    pub service_id: ServiceId,
    /// The resources; all are claimed, or none. `None`, or fewer than the service has roles for: the
    /// others are chosen.
    pub resource_ids: Option<ResourceIds>,
    pub client_id: ClientId,
    pub when: When,
    /// What it is called. `None`: as the service.
    pub title: Option<FreeTitle>,
    /// Its category. `None`: the service's.
    pub category: Option<Category>,
    /// Its tags. `None`: the service's.
    pub tags: Option<Tags>,
    /// Free text about the client.
    pub note: Option<Personal<Note>>,
    /// Where it takes place. `None`: where the service does.
    pub location: Option<Location>,
    /// What the caller's own system calls it.
    pub reference: Option<Reference>,
    /// What the caller keeps with it.
    pub metadata: Metadata,
    /// Whether its text is for those who may book, and not for whoever may only read.
    pub private: bool,
    /// Why it may break the service's rules and opening hours. `None`: it may not.
    pub overriding: Option<Personal<Reason>>,
    /// Of which series it is an occurrence.
    pub series: Option<InSeries>,
}

impl Booking {
    /// With all that can be left out left out.
    #[must_use]
    pub fn new(service_id: ServiceId, client_id: ClientId, when: When) -> Self {
        Self {
            service_id,
            resource_ids: None,
            client_id,
            when,
            title: None,
            category: None,
            tags: None,
            note: None,
            location: None,
            reference: None,
            metadata: Metadata::default(),
            private: false,
            overriding: None,
            series: None,
        }
    }

    /// The same as an occurrence of a series that starts then.
    #[must_use]
    pub fn as_occurrence(&self, start: DateTime<Utc>, series: InSeries) -> Self {
        let when = match self.when {
            When::From(_) => When::From(start),
            When::Lasting { duration, .. } => When::Lasting { start, duration },
            When::InSession(session_id) => When::InSession(session_id),
            When::Imported(copied) => {
                When::Imported(Copied { during: copied.during.moved_to(start), ..copied })
            }
        };
        Self { when, series: Some(series), ..self.clone() }
    }
}

/// When a booking is, which depends on how it came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// It is made now: it starts then, not in the past, and is as long as its service takes.
    From(DateTime<Utc>),
    /// It is made now, not in the past, and is as long as was chosen.
    Lasting {
        start: DateTime<Utc>,
        /// How long it takes: one of the service's durations.
        duration: Duration,
    },
    /// It is a place in a session, and is when that is.
    InSession(SessionId),
    /// It was made elsewhere and is copied: it may lie in the past, and is as long as it was.
    Imported(Copied),
}

/// When something is in another calendar, and how it takes that time here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    pub during: Interval,
    pub takes: Takes,
}

impl Copied {
    /// It takes its time as a booking does.
    #[must_use]
    pub const fn exclusive(during: Interval) -> Self {
        Self { during, takes: Takes::Place }
    }
}

/// How what was copied takes the time of its resources.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Takes {
    /// A place of each, as a booking does.
    #[default]
    Place,
    /// A place of each, and where all are taken one more: calendars let one event lie over another.
    PlaceOrMore,
    /// None (TRANSP of RFC 5545): it keeps nobody away.
    Nothing,
}

impl When {
    /// It is made now: as long as was chosen, or as its service takes.
    #[must_use]
    pub const fn at(start: DateTime<Utc>, duration: Option<Duration>) -> Self {
        match duration {
            None => Self::From(start),
            Some(duration) => Self::Lasting { start, duration },
        }
    }
}
