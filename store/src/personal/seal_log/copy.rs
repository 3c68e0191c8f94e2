//! The copy: what is in clear is sealed, and all else stays byte for byte.

use chrono::{DateTime, Utc};
use cqrs_es::Aggregate as _;
use daybook_domain::client::Client;
use daybook_domain::resource::Resource;
use daybook_domain::session::Session;
use daybook_domain::{HasPersonal as _, PersonalJson, Subject, TenantId};
use serde_json::Value;
use sqlx::error::DatabaseError;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgPool, Row as _};
use uuid::Uuid;

use super::{BATCH, End, SealError};
use crate::json::not_understood;
use crate::log::chain::{Link, genesis};
use crate::log::{CommandKey, Position, StreamId, UnreadableEvent};
use crate::personal::{About, Keyring, KeyringError, Tokens};

/// An event of the log, in the texts that are stored.
pub(super) struct Stored {
    pub(super) position: i64,
    pub(super) aggregate_type: String,
    pub(super) aggregate_id: String,
    pub(super) sequence: i64,
    pub(super) event_type: String,
    pub(super) event_version: String,
    pub(super) payload: String,
    pub(super) metadata: String,
    pub(super) recorded_at: DateTime<Utc>,
}

impl FromRow<'_, PgRow> for Stored {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            position: row.try_get("position")?,
            aggregate_type: row.try_get("aggregate_type")?,
            aggregate_id: row.try_get("aggregate_id")?,
            sequence: row.try_get("sequence")?,
            event_type: row.try_get("event_type")?,
            event_version: row.try_get("event_version")?,
            payload: row.try_get("payload")?,
            metadata: row.try_get("metadata")?,
            recorded_at: row.try_get("recorded_at")?,
        })
    }
}

impl Stored {
    pub(super) fn position(&self) -> Position {
        Position::from_i64(self.position)
    }

    pub(super) fn id(&self) -> Result<Uuid, SealError> {
        let id = StreamId::uuid_of(&self.aggregate_id);
        Ok(id.ok_or_else(|| self.unreadable(format!("stream id {:?}", self.aggregate_id)))?)
    }

    /// One of its texts.
    pub(super) fn json(&self, text: &str) -> Result<Value, SealError> {
        Ok(serde_json::from_str(text).map_err(|error| self.unreadable(not_understood(&error)))?)
    }

    fn unreadable(&self, reason: String) -> UnreadableEvent {
        UnreadableEvent { position: self.position(), reason }
    }

    /// Its link of the chain, with these texts.
    pub(super) fn link<'a>(&'a self, payload: &'a str, metadata: &'a str) -> Link<'a> {
        Link {
            position: self.position(),
            aggregate_type: &self.aggregate_type,
            aggregate_id: &self.aggregate_id,
            sequence: self.sequence.cast_unsigned(),
            event_type: &self.event_type,
            event_version: &self.event_version,
            payload,
            metadata,
            recorded_at: self.recorded_at,
        }
    }
}

/// How far a tenant's copy has come.
pub(super) async fn end(pool: &PgPool, tenant: &TenantId) -> Result<End, sqlx::Error> {
    let last: Option<(i64, Vec<u8>)> = sqlx::query_as(
        "SELECT position, hash FROM events_being_sealed WHERE tenant_id = $1
          ORDER BY position DESC LIMIT 1",
    )
    .bind(tenant.as_str())
    .fetch_optional(pool)
    .await?;
    let start = || Ok(End { position: Position::START, hash: genesis(tenant) });
    last.map_or_else(start, End::of)
}

/// Copies some events after this end, up to a position; `None`: there are none left.
pub(super) async fn some(
    keyring: &Keyring,
    tenant: &TenantId,
    end: End,
    to: Position,
) -> Result<Option<End>, SealError> {
    // By events_tenant_id_position_key.
    let rows: Vec<Stored> = sqlx::query_as(
        "SELECT position, aggregate_type, aggregate_id, sequence, event_type, event_version,
                payload::text AS payload, metadata::text AS metadata, recorded_at
           FROM events WHERE tenant_id = $1 AND position > $2 AND position <= $3
          ORDER BY position LIMIT $4",
    )
    .bind(tenant.as_str())
    .bind(end.position.as_i64())
    .bind(to.as_i64())
    .bind(BATCH)
    .fetch_all(&keyring.pool)
    .await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let tokens = keyring.tokens(tenant, "idempotency").await?;
    let payloads = sealed(keyring, tenant, &rows).await?;
    let (mut next, mut metadata, mut hashes) = (end, Vec::new(), Vec::new());
    for (row, payload) in rows.iter().zip(&payloads) {
        let kept = kept_metadata(row, &tokens)?.unwrap_or_else(|| row.metadata.clone());
        let hash = row.link(payload, &kept).hash(&next.hash);
        next = End { position: row.position(), hash };
        metadata.push(kept);
        hashes.push(hash.to_vec());
    }
    let positions: Vec<i64> = rows.iter().map(|row| row.position).collect();
    let written = sqlx::query(
        "INSERT INTO events_being_sealed (tenant_id, position, payload, metadata, hash)
         SELECT $1, n.position, n.payload::json, n.metadata::json, n.hash
           FROM unnest($2::bigint[], $3::text[], $4::text[], $5::bytea[])
                AS n (position, payload, metadata, hash)",
    )
    .bind(tenant.as_str())
    .bind(positions)
    .bind(payloads)
    .bind(metadata)
    .bind(hashes)
    .execute(&keyring.pool)
    .await;
    match written {
        Ok(_) => Ok(Some(next)),
        Err(error) if error.as_database_error().is_some_and(DatabaseError::is_unique_violation) => {
            Err(SealError::WentOn(tenant.clone()))
        }
        Err(error) => Err(error.into()),
    }
}

/// The payloads, in which nothing is in clear.
async fn sealed(
    keyring: &Keyring,
    tenant: &TenantId,
    rows: &[Stored],
) -> Result<Vec<String>, SealError> {
    let (mut payloads, mut taken) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in rows {
        let mut payload = row.json(&row.payload)?;
        let kind = &*row.aggregate_type;
        let personal = PersonalJson::take(kind, &mut payload);
        let personal = personal.map_err(|error| row.unreadable(not_understood(&error)))?;
        payloads.push(payload);
        taken.push((About { tenant, kind, id: row.id()? }, personal));
    }
    keyring.tell_subjects(&mut taken).await?;
    let mut sealed = Vec::with_capacity(rows.len());
    for (row, (mut payload, (about, mut personal))) in
        rows.iter().zip(payloads.into_iter().zip(taken))
    {
        if !personal.has_clear() {
            sealed.push(row.payload.clone());
            continue;
        }
        let subject = subject(&about, &personal);
        let subject = subject.ok_or(SealError::AboutNobody { position: row.position() })?;
        match keyring.seal(&about, subject, std::slice::from_mut(&mut personal), true).await {
            Ok(_) => {}
            // What was written of them in clear goes with this.
            Err(KeyringError::Destroyed(_)) => {
                for (_, member) in personal.personal() {
                    if member.is_clear() {
                        member.erase();
                    }
                }
            }
            Err(error) => return Err(error.into()),
        }
        personal
            .put_back_as_stored(&mut payload)
            .map_err(|error| row.unreadable(not_understood(&error)))?;
        sealed.push(payload.to_string());
    }
    Ok(sealed)
}

fn subject(about: &About<'_>, personal: &PersonalJson) -> Option<Subject> {
    match about.kind {
        kind if kind == Client::TYPE => Some(Subject::Client(about.id.into())),
        kind if [Resource::TYPE, Session::TYPE].contains(&kind) => Some(Subject::Itself(about.id)),
        _ => personal.subject(about.id),
    }
}

/// What is kept of an event whose idempotency key is in clear; `None`: it is not.
pub(super) fn kept_metadata(row: &Stored, tokens: &Tokens) -> Result<Option<String>, SealError> {
    let mut metadata = row.json(&row.metadata)?;
    let Some(Value::String(key)) = metadata.get_mut("idempotency_key") else { return Ok(None) };
    if CommandKey::is_kept_name(key) {
        return Ok(None);
    }
    *key = CommandKey::kept_name(&tokens.digest("name", key.as_bytes()));
    Ok(Some(metadata.to_string()))
}
