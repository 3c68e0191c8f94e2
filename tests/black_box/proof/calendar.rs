//! A calendar as anybody would expect it: one thing after the other.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// From when to when.
pub(super) type Times = (DateTime<Utc>, DateTime<Utc>);

/// The calendar of one resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Calendar(BTreeMap<Uuid, Appointment>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Appointment {
    times: Times,
    version: i64,
    booked: bool,
}

/// What is asked of a calendar.
#[derive(Clone, Debug)]
pub(super) enum Ask {
    /// The number is the asker's own: nobody knows the id of a booking without an answer.
    Book(u128, Times),
    Reschedule(Uuid, Times),
    Cancel(Uuid),
    Read(Uuid),
}

/// What a calendar answers.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reply {
    Booked(Uuid),
    /// The appointment's version now.
    Done(i64),
    /// The time of the appointment that conflicts.
    Taken(Times),
    Cancelled,
    Seen {
        version: i64,
        booked: bool,
        start: DateTime<Utc>,
    },
}

impl Calendar {
    /// What others have at that time.
    fn in_the_way(&self, who: Uuid, times: Times) -> impl Iterator<Item = Times> + '_ {
        let others = self.0.iter().filter(move |(id, other)| **id != who && other.booked);
        let taken = others.map(|(_, other)| other.times);
        taken.filter(move |other| other.0 < times.1 && times.0 < other.1)
    }

    fn put(&mut self, id: Uuid, times: Times) -> Reply {
        if let Some(taken) = self.in_the_way(id, times).next() {
            return Reply::Taken(taken);
        }
        let appointment =
            self.0.entry(id).or_insert(Appointment { times, version: 0, booked: true });
        appointment.version += 1;
        appointment.times = times;
        Reply::Done(appointment.version)
    }

    fn is_booked(&self, id: Uuid) -> bool {
        self.0.get(&id).is_some_and(|appointment| appointment.booked)
    }

    /// Does what is asked.
    pub(super) fn act(&mut self, ask: &Ask) -> Reply {
        match *ask {
            Ask::Book(number, times) => match self.put(Uuid::from_u128(number), times) {
                Reply::Done(_) => Reply::Booked(Uuid::from_u128(number)),
                refused => refused,
            },
            Ask::Reschedule(id, times) if self.is_booked(id) => self.put(id, times),
            Ask::Cancel(id) if self.is_booked(id) => {
                let appointment = self.0.get_mut(&id).unwrap();
                appointment.booked = false;
                appointment.version += 1;
                Reply::Done(appointment.version)
            }
            Ask::Reschedule(..) | Ask::Cancel(_) => Reply::Cancelled,
            Ask::Read(id) => match &self.0.get(&id) {
                Some(Appointment { times, version, booked }) => {
                    Reply::Seen { version: *version, booked: *booked, start: times.0 }
                }
                None => Reply::Cancelled,
            },
        }
    }

    /// Does what is asked, if it can answer so. Of several that conflict, any may be named; and the calendar
    /// chooses the id.
    pub(super) fn answers(&mut self, ask: &Ask, reply: &Reply) -> bool {
        match (ask, reply) {
            (Ask::Book(_, times), Reply::Booked(id)) => {
                !self.0.contains_key(id) && self.put(*id, *times) == Reply::Done(1)
            }
            (Ask::Book(number, times), Reply::Taken(by)) => {
                self.in_the_way(Uuid::from_u128(*number), *times).any(|other| other == *by)
            }
            (Ask::Reschedule(id, times), Reply::Taken(by)) => {
                self.is_booked(*id) && self.in_the_way(*id, *times).any(|other| other == *by)
            }
            (Ask::Reschedule(id, _) | Ask::Cancel(id) | Ask::Read(id), _)
                if !self.0.contains_key(id) =>
            {
                false
            }
            _ => self.act(ask) == *reply,
        }
    }
}
