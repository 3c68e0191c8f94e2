//! An entry as this projection has it.

use chrono::{DateTime, Utc};
use daybook_domain::waiting::{Joined, Offer, State, Status, Wishes};
use daybook_domain::{ClientId, WaitingEntryId};
use daybook_store::Position;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{FromRow, Row as _};
use uuid::Uuid;

/// An entry of the waiting list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Which one.
    pub entry_id: WaitingEntryId,
    /// Where it was joined in the log: its turn.
    pub turn: Position,
    /// Who waits, for what, and what has become of it.
    pub joined: Joined,
    /// The number of its events.
    pub version: u64,
    /// Where the last event is that it shows.
    pub position: Position,
    /// Whether its own stream does not say so yet.
    pub(super) due: bool,
}

impl Entry {
    /// When the last day that is wished for is over.
    pub(super) fn until(&self) -> DateTime<Utc> {
        let Joined { wishes, joined_at, .. } = &self.joined;
        wishes.days.bounds().map_or(*joined_at, |days| days.end())
    }

    /// As everybody must see it at `now`, whether it has been recorded or not.
    pub(super) fn at(mut self, now: DateTime<Utc>) -> Self {
        self.joined.state = match self.joined.state {
            State::Offered(offer) if offer.expires_at <= now => State::Lapsed(offer),
            State::Waiting if self.joined.wishes.have_passed(now) => State::Expired,
            state => state,
        };
        self
    }
}

/// The columns that an [`Entry`] is read from.
pub(super) const COLUMNS: &str = "entry_id, turn, client_id, wishes, joined_at, status, \
     appointment_id, start_at, offer_expires_at, due, version, position";

impl FromRow<'_, PgRow> for Entry {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let Json(wishes) = row.try_get::<Json<Wishes>, _>("wishes")?;
        Ok(Self {
            entry_id: row.try_get::<Uuid, _>("entry_id")?.into(),
            turn: Position::from_i64(row.try_get("turn")?),
            joined: Joined {
                client_id: ClientId::from(row.try_get::<Uuid, _>("client_id")?),
                wishes,
                joined_at: row.try_get("joined_at")?,
                state: state(row)?,
            },
            version: row.try_get::<i64, _>("version")?.cast_unsigned(),
            position: Position::from_i64(row.try_get("position")?),
            due: row.try_get("due")?,
        })
    }
}

fn state(row: &PgRow) -> Result<State, sqlx::Error> {
    let status: Status = row.try_get::<&str, _>("status")?.parse().map_err(
        |error: daybook_domain::waiting::UnknownStatus| sqlx::Error::Decode(error.into()),
    )?;
    let offer = || -> Result<Offer, sqlx::Error> {
        Ok(Offer {
            appointment_id: row.try_get::<Uuid, _>("appointment_id")?.into(),
            start: row.try_get("start_at")?,
            expires_at: row.try_get("offer_expires_at")?,
        })
    };
    Ok(match status {
        Status::Waiting => State::Waiting,
        Status::Offered => State::Offered(offer()?),
        Status::Taken => State::Taken(offer()?),
        Status::Lapsed => State::Lapsed(offer()?),
        Status::Left => State::Left,
        Status::Expired => State::Expired,
    })
}
