//! What is on a calendar.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use daybook_domain::SessionId;
use daybook_domain::session::{Session, SessionScheduled, SessionStatus};
use daybook_domain::time::Interval;
use uuid::Uuid;

use crate::history::{AppointmentVersion, OnCalendar, SessionVersion};

/// Something that has its time on a calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// An appointment that has the resource itself.
    Appointment(Box<AppointmentVersion>),
    /// A session.
    Session {
        /// Which, and how often it has changed.
        session_id: SessionId,
        /// The number of its events.
        version: u64,
        /// All about it.
        plan: Box<SessionScheduled>,
        /// How many of its places were taken.
        taken: usize,
    },
}

impl Entry {
    /// The id of the appointment or the session.
    #[must_use]
    pub fn id(&self) -> Uuid {
        match self {
            Self::Appointment(version) => version.appointment.appointment_id.uuid(),
            Self::Session { session_id, .. } => session_id.uuid(),
        }
    }

    /// When it is, without buffers.
    #[must_use]
    pub fn during(&self) -> Interval {
        match self {
            Self::Appointment(version) => version.appointment.during,
            Self::Session { plan, .. } => plan.slot.during,
        }
    }

    fn of_session(version: SessionVersion, taken: usize) -> Option<Self> {
        let Session::Made { plan, status: SessionStatus::Scheduled, .. } = version.session else {
            return None;
        };
        let (session_id, version, plan) = (version.session_id, version.version, Box::new(plan));
        Some(Self::Session { session_id, version, plan, taken })
    }
}

/// What had its time in some part of the days, as it was to be seen at `now`, by start. Who is in a session
/// is counted there.
pub(super) fn entries(on: OnCalendar, days: Interval, now: DateTime<Utc>) -> Vec<Entry> {
    let standing = on.appointments.into_iter().filter(|version| version.stands(now));
    let (in_sessions, alone): (Vec<_>, Vec<_>) =
        standing.partition(|version| version.placed.session_id.is_some());
    let mut taken: HashMap<SessionId, usize> = HashMap::new();
    for id in in_sessions.iter().filter_map(|version| version.placed.session_id) {
        *taken.entry(id).or_default() += 1;
    }
    let sessions = on.sessions.into_iter().filter_map(|version| {
        let taken = taken.get(&version.session_id).copied().unwrap_or_default();
        Entry::of_session(version, taken)
    });
    let alone = alone.into_iter().map(|version| Entry::Appointment(Box::new(version)));
    let mut entries: Vec<Entry> = sessions.chain(alone).collect();
    entries.retain(|entry| entry.during().overlaps(&days));
    entries.sort_by_key(|entry| (entry.during().start(), entry.id()));
    entries
}
