//! What a batch writes: one call of `append_batch` (`migrations/repeatable/append_batch.sql`).

use daybook_domain::claim::Claim;
use daybook_domain::{AppointmentId, TenantId};
use sqlx::error::BoxDynError;
use sqlx::postgres::PgArguments;
use sqlx::postgres::types::{PgRange, PgRecordEncoder};
use sqlx::{Arguments as _, PgConnection};

use super::composite::{Composite, JsonText, Row};
use super::resolve::Resolution;
use crate::log::chain::Hash;
use crate::log::head::Head;
use crate::log::submission::{CommandKey, FirstAnswer, NewEvent};
use crate::log::{Position, StreamId};

const APPEND_BATCH: &str = "SELECT append_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

/// A batch in the form in which it is sent: nothing of it is borrowed.
pub(super) struct Rows(PgArguments);

impl Rows {
    /// Everything that a resolution comes to, from the log's end at `old` to its end at `new`.
    pub(super) fn of(
        tenant: &TenantId,
        old: &Head,
        new: &Head,
        hashes: &[Hash],
        resolution: &Resolution<'_>,
        lock_timeout: Option<&str>,
    ) -> Result<Self, sqlx::Error> {
        let encoded = || -> Result<PgArguments, BoxDynError> {
            let mut arguments = PgArguments::default();
            arguments.add(tenant.as_str())?;
            arguments.add(old.position.as_i64())?;
            arguments.add(old.hash.as_slice())?;
            arguments.add(old.recorded_at)?;
            arguments.add(new.position.as_i64())?;
            arguments.add(new.hash.as_slice())?;
            arguments.add(new.recorded_at)?;
            arguments.add(resolution.released.iter().map(|id| id.uuid()).collect::<Vec<_>>())?;
            arguments.add(claims(resolution))?;
            arguments.add(answers(resolution))?;
            arguments.add(events(old.position, hashes, resolution))?;
            arguments.add(lock_timeout)?;
            Ok(arguments)
        };
        encoded().map(Self).map_err(sqlx::Error::Encode)
    }

    /// Writes the batch; by itself, or as part of the connection's transaction.
    pub(super) async fn write(self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        sqlx::query_with(APPEND_BATCH, self.0).execute(connection).await.map(|_| ())
    }
}

struct NewClaim<'a> {
    holder: AppointmentId,
    claim: &'a Claim,
}

impl Composite for NewClaim<'_> {
    const TYPE: &'static str = "new_claim";

    fn attributes(&self, row: &mut PgRecordEncoder<'_>) -> Result<(), BoxDynError> {
        let Claim { resource, seat, during, expires_at } = self.claim;
        row.encode(self.holder.uuid())?
            .encode(resource.uuid())?
            .encode(seat.cast_signed())?
            .encode(PgRange::from(during.start()..during.end()))?
            .encode(*expires_at)?;
        Ok(())
    }
}

fn claims<'a>(resolution: &'a Resolution<'_>) -> Vec<Row<NewClaim<'a>>> {
    let taken = resolution.taken.iter();
    taken.map(|(holder, claim)| Row(NewClaim { holder: *holder, claim })).collect()
}

struct NewAnswer<'a> {
    key: &'a CommandKey,
    answer: &'a FirstAnswer,
}

impl Composite for NewAnswer<'_> {
    const TYPE: &'static str = "new_answer";

    fn attributes(&self, row: &mut PgRecordEncoder<'_>) -> Result<(), BoxDynError> {
        row.encode(self.key.key.as_str())?.encode(self.key.fingerprint.as_slice())?;
        match self.answer {
            FirstAnswer::Accepted { id, version, position } => row
                .encode(*id)?
                .encode(version.cast_signed())?
                .encode(position.as_i64())?
                .encode(None::<JsonText<'_>>)?,
            FirstAnswer::Refused(refusal) => row
                .encode(None::<uuid::Uuid>)?
                .encode(None::<i64>)?
                .encode(None::<i64>)?
                .encode(JsonText(&serde_json::to_string(refusal)?))?,
        };
        Ok(())
    }
}

fn answers<'a>(resolution: &'a Resolution<'_>) -> Vec<Row<NewAnswer<'a>>> {
    let answered = resolution.answered.iter();
    answered.map(|(key, answer)| Row(NewAnswer { key, answer })).collect()
}

struct EventRow<'a> {
    position: Position,
    stream: &'a StreamId,
    sequence: u64,
    event: &'a NewEvent,
    hash: &'a Hash,
}

impl Composite for EventRow<'_> {
    const TYPE: &'static str = "new_event";

    fn attributes(&self, row: &mut PgRecordEncoder<'_>) -> Result<(), BoxDynError> {
        let NewEvent { event_type, event_version, payload, metadata } = self.event;
        row.encode(self.position.as_i64())?
            .encode(self.stream.kind())?
            .encode(self.stream.id())?
            .encode(self.sequence.cast_signed())?
            .encode(event_type.as_str())?
            .encode(event_version.as_str())?
            .encode(JsonText(payload))?
            .encode(JsonText(metadata))?
            .encode(self.hash.as_slice())?;
        Ok(())
    }
}

/// The events after the one at `old`, each with its hash.
fn events<'a>(
    old: Position,
    hashes: &'a [Hash],
    resolution: &'a Resolution<'_>,
) -> Vec<Row<EventRow<'a>>> {
    let events = resolution.appends.iter().flat_map(|append| {
        let numbered = append.events.iter().zip(append.after + 1..);
        numbered.map(|(event, sequence)| (&append.stream, event, sequence))
    });
    (1..)
        .zip(events.zip(hashes))
        .map(|(n, ((stream, event, sequence), hash))| {
            Row(EventRow { position: old.plus(n), stream, sequence, event, hash })
        })
        .collect()
}
