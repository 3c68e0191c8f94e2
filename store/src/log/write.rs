//! What a batch writes: one call of `append_batch` (its migration says what it does).

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use sqlx::postgres::PgArguments;
use sqlx::{Arguments as _, PgConnection};

use super::batch::Head;
use super::chain::Hash;
use super::resolve::Resolution;
use super::submission::FirstAnswer;

const APPEND_BATCH: &str = "SELECT append_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
    $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29)";

/// A batch in the form in which it is sent: nothing of it is borrowed.
pub(super) struct Rows(PgArguments);

impl Rows {
    /// Everything that a resolution comes to, from the log's end at `old` to its end at `new`.
    pub(super) fn of(
        patience: Option<&str>,
        tenant: &TenantId,
        old: &Head,
        new: &Head,
        hashes: &[Hash],
        resolution: &Resolution<'_>,
    ) -> Result<Self, sqlx::Error> {
        let encoded = || -> Result<PgArguments, sqlx::error::BoxDynError> {
            let mut arguments = PgArguments::default();
            arguments.add(patience)?;
            arguments.add(tenant.as_str())?;
            arguments.add(old.position.as_i64())?;
            arguments.add(old.hash.as_slice())?;
            arguments.add(old.recorded_at)?;
            arguments.add(new.position.as_i64())?;
            arguments.add(new.hash.as_slice())?;
            arguments.add(new.recorded_at)?;
            claims(&mut arguments, resolution)?;
            answers(&mut arguments, resolution)?;
            events(&mut arguments, hashes, resolution)?;
            Ok(arguments)
        };
        encoded().map(Self).map_err(sqlx::Error::Encode)
    }

    /// Writes the batch; by itself, or as part of the connection's transaction.
    pub(super) async fn write(self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        sqlx::query_with(APPEND_BATCH, self.0).execute(connection).await.map(|_| ())
    }
}

type Encoded = Result<(), sqlx::error::BoxDynError>;

fn claims(arguments: &mut PgArguments, resolution: &Resolution<'_>) -> Encoded {
    let Resolution { released, taken, .. } = resolution;
    arguments.add(released.iter().map(|holder| holder.uuid()).collect::<Vec<_>>())?;
    arguments.add(taken.iter().map(|(holder, _)| holder.uuid()).collect::<Vec<_>>())?;
    arguments.add(taken.iter().map(|(_, claim)| claim.resource.uuid()).collect::<Vec<_>>())?;
    arguments.add(taken.iter().map(|(_, claim)| claim.seat.cast_signed()).collect::<Vec<_>>())?;
    arguments.add(taken.iter().map(|(_, claim)| claim.during.start()).collect::<Vec<_>>())?;
    arguments.add(taken.iter().map(|(_, claim)| claim.during.end()).collect::<Vec<_>>())?;
    arguments.add(
        taken.iter().map(|(_, claim)| claim.expires_at).collect::<Vec<Option<DateTime<Utc>>>>(),
    )
}

fn answers(arguments: &mut PgArguments, resolution: &Resolution<'_>) -> Encoded {
    let Resolution { answered, .. } = resolution;
    let accepted = || {
        answered.iter().map(|(_, answer)| match answer {
            FirstAnswer::Accepted { id, version, position } => Some((*id, *version, *position)),
            FirstAnswer::Refused(_) => None,
        })
    };
    let refusals = answered.iter().map(|(_, answer)| match answer {
        FirstAnswer::Refused(refusal) => serde_json::to_string(refusal).map(Some),
        FirstAnswer::Accepted { .. } => Ok(None),
    });
    arguments.add(answered.iter().map(|(key, _)| key.key.as_str()).collect::<Vec<_>>())?;
    arguments
        .add(answered.iter().map(|(key, _)| key.fingerprint.as_slice()).collect::<Vec<_>>())?;
    arguments.add(accepted().map(|answer| answer.map(|(id, ..)| id)).collect::<Vec<_>>())?;
    arguments.add(
        accepted()
            .map(|answer| answer.map(|(_, version, _)| version.cast_signed()))
            .collect::<Vec<_>>(),
    )?;
    arguments
        .add(accepted().map(|answer| answer.map(|(_, _, at)| at.as_i64())).collect::<Vec<_>>())?;
    arguments.add(refusals.collect::<Result<Vec<_>, _>>()?)
}

fn events(arguments: &mut PgArguments, hashes: &[Hash], resolution: &Resolution<'_>) -> Encoded {
    let events = || {
        resolution.appends.iter().flat_map(|append| {
            append.events.iter().zip(append.after + 1..).map(move |(e, n)| (&append.stream, e, n))
        })
    };
    arguments.add(events().map(|(stream, ..)| stream.kind()).collect::<Vec<_>>())?;
    arguments.add(events().map(|(stream, ..)| stream.id()).collect::<Vec<_>>())?;
    arguments.add(events().map(|(_, _, sequence)| sequence.cast_signed()).collect::<Vec<_>>())?;
    arguments.add(events().map(|(_, event, _)| event.event_type.as_str()).collect::<Vec<_>>())?;
    arguments
        .add(events().map(|(_, event, _)| event.event_version.as_str()).collect::<Vec<_>>())?;
    arguments.add(events().map(|(_, event, _)| event.payload.as_str()).collect::<Vec<_>>())?;
    arguments.add(events().map(|(_, event, _)| event.metadata.as_str()).collect::<Vec<_>>())?;
    arguments.add(hashes.iter().map(Hash::as_slice).collect::<Vec<_>>())
}
