//! An appointment as it was from one event of it to the next: a row.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use daybook_domain::appointment::{AppointmentEvent, CancelledBy, Slot, Status};
use daybook_domain::claim::Claim;
use daybook_domain::time::Interval;
use daybook_domain::{AppointmentId, ResourceId, SessionId};
use daybook_store::Position;
use sqlx::FromRow;
use sqlx::postgres::PgRow;

use crate::ApplyError;
use crate::change::{AppointmentChange, AppointmentStream};
use crate::kit::read::decode;
use crate::kit::{Column, Table, column};
use crate::search::FoundAppointment;
use crate::search::signature::Signature;
use crate::search::terms::TermsOf;
use crate::search::words::Words;

/// An appointment as it was for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppointmentVersion {
    /// As it was. Its position is that of the event that made it so.
    pub appointment: FoundAppointment,
    /// Where it had its place.
    pub placed: Placed,
    /// What had become of it.
    pub outcome: Outcome,
    /// When that was recorded.
    pub recorded_at: DateTime<Utc>,
    /// Since when it is otherwise; `None`: it is so now.
    pub until: Option<Until>,
}

/// Where an appointment has its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Its time with its buffers.
    pub busy: Interval,
    /// Its place of each of its resources, in their order.
    pub seats: Vec<u16>,
    /// The session that it is in, and that has the resources.
    pub session_id: Option<SessionId>,
}

/// What has become of an appointment: what its events come to, and not what it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcome {
    /// When it was booked, or its hold confirmed. `None`: it never was.
    pub booked_at: Option<DateTime<Utc>>,
    /// How often it was moved.
    pub times_moved: u32,
    /// How and when it was cancelled, where it was.
    pub cancelled: Option<Cancelled>,
}

/// How and when an appointment was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cancelled {
    /// On whose side.
    pub by: CancelledBy,
    /// When.
    pub at: DateTime<Utc>,
    /// Whether the client's side did so although the window for that had closed.
    pub late: bool,
}

/// An event that ended what was so before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Until {
    /// Where it is in the log.
    pub position: Position,
    /// When it was recorded.
    pub at: DateTime<Utc>,
}

/// What a batch makes of an appointment.
#[derive(Debug, Default)]
pub(super) struct Versions {
    /// The version that was the latest before the batch, and is ended by it.
    pub(super) ended: Option<AppointmentVersion>,
    /// New ones.
    pub(super) made: Vec<AppointmentVersion>,
}

impl Versions {
    pub(super) fn of(stream: &AppointmentStream<'_>) -> Result<Self, ApplyError> {
        let mut outcome = Outcome::default();
        for change in &stream.earlier {
            outcome.evolve(change);
        }
        let last = stream.earlier.last();
        let mut ended = last.map(|last| AppointmentVersion::of(last, outcome)).transpose()?;
        let mut made: Vec<AppointmentVersion> = Vec::with_capacity(stream.new.len());
        for change in &stream.new {
            let until = Until { position: change.position, at: change.recorded_at };
            if let Some(before) = made.last_mut().or(ended.as_mut()) {
                before.until = Some(until);
            }
            outcome.evolve(change);
            made.push(AppointmentVersion::of(change, outcome)?);
        }
        Ok(Self { ended, made })
    }
}

impl Outcome {
    fn evolve(&mut self, change: &AppointmentChange<'_>) {
        let at = change.recorded_at;
        if change.event.details().is_some() {
            *self = Self::default();
        }
        let is_booked = change.after.status() == Some(Status::Booked);
        if is_booked && self.booked_at.is_none() {
            self.booked_at = Some(at);
        }
        if matches!(change.event, AppointmentEvent::AppointmentRescheduled(_)) {
            self.times_moved += 1;
        }
        if change.before.cancellation().is_none()
            && let Some(cancellation) = change.after.cancellation()
        {
            let late = cancellation.is_late();
            self.cancelled = Some(Cancelled { by: cancellation.by, at, late });
        }
    }
}

/// What stands for the place of one that takes no time: no resource has so many.
pub(crate) const NO_PLACE: u16 = 32_767;

impl Placed {
    fn in_slot(slot: &Slot) -> Self {
        let seat = |n| if slot.transparent { NO_PLACE } else { slot.seats.of(n) };
        let seats = (0..slot.resource_ids.count()).map(seat).collect();
        Self { busy: slot.claimed(), seats, session_id: slot.session_id }
    }
}

impl AppointmentVersion {
    fn of(change: &AppointmentChange<'_>, outcome: Outcome) -> Result<Self, ApplyError> {
        let (details, _) = change.made()?;
        Ok(Self {
            appointment: FoundAppointment::after(change)?,
            placed: Placed::in_slot(&details.slot),
            outcome,
            recorded_at: change.recorded_at,
            until: None,
        })
    }

    /// Whether it had its time, as it was to be seen at `now`: it was not cancelled, its hold had not
    /// lapsed, and the client had not failed to come.
    #[must_use]
    pub fn stands(&self, now: DateTime<Utc>) -> bool {
        let lapsed = self.appointment.hold_expires_at.is_some_and(|lapses| lapses <= now);
        !lapsed && !matches!(self.appointment.status, Status::Cancelled | Status::NoShow)
    }

    /// What it claimed of a resource.
    pub(crate) fn claim(&self, resource: ResourceId, now: DateTime<Utc>) -> Option<Claim> {
        if self.placed.session_id.is_some() || !self.stands(now) {
            return None;
        }
        let n = self.appointment.resource_ids.iter().position(|id| id == resource)?;
        let seat = self.placed.seats.get(n).copied().unwrap_or_default();
        if seat == NO_PLACE {
            return None;
        }
        let expires_at = self.appointment.hold_expires_at;
        Some(Claim { resource, seat, during: self.placed.busy, expires_at })
    }
}

/// A version, and what it can be found by.
pub(crate) struct VersionRow {
    version: AppointmentVersion,
    terms: Vec<i64>,
    words: Words,
    word_tokens: Vec<i64>,
    signature: Signature,
}

impl VersionRow {
    /// With what stands for the words of its title, where that is personal.
    pub(super) fn of(
        version: AppointmentVersion,
        word_tokens: Vec<i64>,
        terms_of: &TermsOf,
    ) -> Self {
        let words = Words::of(&version.appointment);
        let (terms, signature) = terms_of.row(&version, &words, &word_tokens);
        Self { version, terms, words, word_tokens, signature }
    }
}

pub(crate) static APPOINTMENTS: LazyLock<Table<VersionRow>> = LazyLock::new(|| {
    Table::new(
        "appointments",
        [
            Column::field("appointment_id", |row: &VersionRow| {
                &row.version.appointment.appointment_id
            })
            .key(),
            Column::field("position", |row: &VersionRow| &row.version.appointment.position).key(),
            Column::field("recorded_at", |row| &row.version.recorded_at),
            Column::field("created_at", |row| &row.version.appointment.created_at),
            Column::value("until_position", |row| row.version.until.map(|it| it.position)),
            Column::value("until_at", |row| row.version.until.map(|it| it.at)),
            Column::value("start_at", |row| row.version.appointment.during.start()),
            Column::value("end_at", |row| row.version.appointment.during.end()),
            Column::field("status", |row| &row.version.appointment.status),
            Column::field("hold_expires_at", |row| &row.version.appointment.hold_expires_at),
            Column::field("category", |row| &row.version.appointment.category),
            Column::field("tags", |row| &row.version.appointment.tags),
            Column::field("service_id", |row| &row.version.appointment.service_id),
            Column::field("resource_ids", |row| &row.version.appointment.resource_ids),
            Column::field("client_id", |row| &row.version.appointment.client_id),
            Column::json("title", |row| &row.version.appointment.title),
            Column::field("location", |row| &row.version.appointment.location),
            Column::field("reference", |row| &row.version.appointment.reference),
            Column::json("metadata", |row| &row.version.appointment.metadata),
            Column::field("version", |row| &row.version.appointment.version),
            Column::value("busy_from", |row| row.version.placed.busy.start()),
            Column::value("busy_until", |row| row.version.placed.busy.end()),
            Column::field("seats", |row| &row.version.placed.seats),
            Column::field("session_id", |row| &row.version.placed.session_id),
            Column::field("booked_at", |row| &row.version.outcome.booked_at),
            Column::field("times_moved", |row| &row.version.outcome.times_moved),
            Column::value("cancelled_by", |row| row.version.outcome.cancelled.map(|it| it.by)),
            Column::value("cancelled_at", |row| row.version.outcome.cancelled.map(|it| it.at)),
            Column::value("cancelled_late", |row| {
                row.version.outcome.cancelled.is_some_and(|it| it.late)
            }),
            Column::field("terms", |row| &row.terms),
            Column::field("folded_category", |row| &row.words.category),
            Column::field("folded_tags", |row| &row.words.tags),
            Column::value("words", |row| row.words.line()),
            Column::field("word_tokens", |row| &row.word_tokens),
            Column::value("signature", |row| row.signature.columns()[0]),
            Column::value("low_word_signature", |row| row.signature.columns()[1]),
            Column::value("high_word_signature", |row| row.signature.columns()[2]),
        ],
    )
});

/// A version that has ended.
pub(super) struct EndedVersion {
    pub(super) appointment_id: AppointmentId,
    pub(super) position: Position,
    pub(super) until: Option<Until>,
}

/// The columns of an [`EndedVersion`], of the same table.
pub(super) static ENDED: LazyLock<Table<EndedVersion>> = LazyLock::new(|| {
    Table::new(
        "appointments",
        [
            Column::field("appointment_id", |row: &EndedVersion| &row.appointment_id).key(),
            Column::field("position", |row: &EndedVersion| &row.position).key(),
            Column::value("until_position", |row| row.until.map(|it| it.position)),
            Column::value("until_at", |row| row.until.map(|it| it.at)),
        ],
    )
});

impl FromRow<'_, PgRow> for AppointmentVersion {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            appointment: FoundAppointment::from_row(row)?,
            placed: Placed {
                busy: Interval::new(column(row, "busy_from")?, column(row, "busy_until")?)
                    .map_err(decode)?,
                seats: column(row, "seats")?,
                session_id: column(row, "session_id")?,
            },
            outcome: Outcome::from_row(row)?,
            recorded_at: column(row, "recorded_at")?,
            until: until(row)?,
        })
    }
}

impl FromRow<'_, PgRow> for Outcome {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let by: Option<CancelledBy> = column(row, "cancelled_by")?;
        let at: Option<DateTime<Utc>> = column(row, "cancelled_at")?;
        let late = column(row, "cancelled_late")?;
        Ok(Self {
            booked_at: column(row, "booked_at")?,
            times_moved: column(row, "times_moved")?,
            cancelled: by.zip(at).map(|(by, at)| Cancelled { by, at, late }),
        })
    }
}

pub(super) fn until(row: &PgRow) -> Result<Option<Until>, sqlx::Error> {
    let position: Option<Position> = column(row, "until_position")?;
    let at: Option<DateTime<Utc>> = column(row, "until_at")?;
    Ok(position.zip(at).map(|(position, at)| Until { position, at }))
}
