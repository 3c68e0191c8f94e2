//! An entry as this projection has it.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use daybook_domain::WaitingEntryId;
use daybook_domain::waiting::{EntryState, Joined, Offer, Status};
use daybook_store::Position;
use sqlx::FromRow;
use sqlx::postgres::PgRow;

use crate::kit::{Column, Json, Table, column};

/// An entry of the waiting list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
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

    fn offer(&self) -> Option<Offer> {
        self.joined.state.offer()
    }

    /// As everybody must see it at `now`, whether it has been recorded or not.
    pub(super) fn at(mut self, now: DateTime<Utc>) -> Self {
        self.joined.state = match self.joined.state {
            EntryState::Offered(offer) if offer.expires_at <= now => EntryState::Lapsed(offer),
            EntryState::Waiting if self.joined.wishes.have_passed(now) => EntryState::Expired,
            state => state,
        };
        self
    }
}

pub(super) static ENTRIES: LazyLock<Table<Entry>> = LazyLock::new(|| {
    Table::new(
        "entries",
        [
            Column::field("entry_id", |row: &Entry| &row.entry_id).key(),
            Column::field("turn", |row| &row.turn),
            Column::field("service_id", |row| &row.joined.wishes.service_id),
            Column::field("client_id", |row| &row.joined.client_id),
            Column::json("wishes", |row| &row.joined.wishes),
            Column::field("joined_at", |row| &row.joined.joined_at),
            Column::value("until_at", Entry::until),
            Column::value("status", |row| row.joined.state.status()),
            Column::value("appointment_id", |row| row.offer().map(|offer| offer.appointment_id)),
            Column::value("start_at", |row| row.offer().map(|offer| offer.start)),
            Column::value("offer_expires_at", |row| row.offer().map(|offer| offer.expires_at)),
            Column::field("due", |row| &row.due),
            Column::field("version", |row| &row.version),
            Column::field("position", |row| &row.position),
        ],
    )
});

impl FromRow<'_, PgRow> for Entry {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let Json(wishes) = column(row, "wishes")?;
        Ok(Self {
            entry_id: column(row, "entry_id")?,
            turn: column(row, "turn")?,
            joined: Joined {
                client_id: column(row, "client_id")?,
                wishes,
                joined_at: column(row, "joined_at")?,
                state: state(row)?,
            },
            version: column(row, "version")?,
            position: column(row, "position")?,
            due: column(row, "due")?,
        })
    }
}

fn state(row: &PgRow) -> Result<EntryState, sqlx::Error> {
    let offer = || -> Result<Offer, sqlx::Error> {
        Ok(Offer {
            appointment_id: column(row, "appointment_id")?,
            start: column(row, "start_at")?,
            expires_at: column(row, "offer_expires_at")?,
        })
    };
    Ok(match column::<Status>(row, "status")? {
        Status::Waiting => EntryState::Waiting,
        Status::Offered => EntryState::Offered(offer()?),
        Status::Taken => EntryState::Taken(offer()?),
        Status::Lapsed => EntryState::Lapsed(offer()?),
        Status::Left => EntryState::Left,
        Status::Expired => EntryState::Expired,
    })
}
