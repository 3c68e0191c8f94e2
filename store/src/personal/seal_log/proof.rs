//! The proof: the copy says what the log says, member by member, and nothing of it in clear.

use std::collections::BTreeMap;

use daybook_domain::claim::Claim;
use daybook_domain::{PersonalJson, ResourceId, TenantId, upcasters};
use sqlx::postgres::PgRow;
use sqlx::{FromRow, Row as _};

use super::copy::{Stored, kept_metadata};
use super::{BATCH, End, SealError};
use crate::json::not_understood;
use crate::log::chain::{Hash, genesis};
use crate::log::event::{StoredEvent, decode};
use crate::log::{AnyEvent, Position};
use crate::personal::{About, Keyring, KeyringError};

/// What was proved, and what is claimed otherwise by the copy.
pub(super) struct Proof {
    pub(super) hash: Hash,
    /// How many members are sealed that were in clear.
    pub(super) members: u64,
    /// Places of references in clear, and what stands for them.
    pub(super) places: BTreeMap<ResourceId, ResourceId>,
}

/// An event, and its copy.
struct Pair {
    stored: Stored,
    sealed_payload: Option<String>,
    sealed_metadata: Option<String>,
    hash: Option<Vec<u8>>,
}

impl FromRow<'_, PgRow> for Pair {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            stored: Stored::from_row(row)?,
            sealed_payload: row.try_get("sealed_payload")?,
            sealed_metadata: row.try_get("sealed_metadata")?,
            hash: row.try_get("hash")?,
        })
    }
}

pub(super) async fn prove(
    keyring: &Keyring,
    tenant: &TenantId,
    head: End,
    told: impl Fn(u64),
) -> Result<Proof, SealError> {
    let mut at = Position::START;
    let mut proof = Proof { hash: genesis(tenant), members: 0, places: BTreeMap::new() };
    while at < head.position {
        // By events_tenant_id_position_key, and the primary key of the copy.
        let pairs: Vec<Pair> = sqlx::query_as(
            "SELECT e.position, e.aggregate_type, e.aggregate_id, e.sequence, e.event_type, e.event_version,
                    e.payload::text AS payload, e.metadata::text AS metadata, e.recorded_at,
                    s.payload::text AS sealed_payload, s.metadata::text AS sealed_metadata, s.hash
               FROM events e
               LEFT JOIN events_being_sealed s
                 ON s.tenant_id = e.tenant_id AND s.position = e.position
              WHERE e.tenant_id = $1 AND e.position > $2 AND e.position <= $3
              ORDER BY e.position LIMIT $4",
        )
        .bind(tenant.as_str())
        .bind(at.as_i64())
        .bind(head.position.as_i64())
        .bind(BATCH)
        .fetch_all(&keyring.pool)
        .await?;
        if pairs.is_empty() {
            return Err(SealError::Differs { position: at.plus(1), why: "there is no event" });
        }
        for pair in &pairs {
            proof.follow(keyring, tenant, &mut at, pair).await?;
        }
        told(at.get());
    }
    Ok(proof)
}

impl Proof {
    async fn follow(
        &mut self,
        keyring: &Keyring,
        tenant: &TenantId,
        at: &mut Position,
        Pair { stored: row, sealed_payload, sealed_metadata, hash }: &Pair,
    ) -> Result<(), SealError> {
        let position = at.plus(1);
        let differs = |why| Err(SealError::Differs { position, why });
        if row.position() != position {
            return differs("the log has no such event");
        }
        let (Some(payload), Some(metadata), Some(hash)) = (sealed_payload, sealed_metadata, hash)
        else {
            return differs("the copy has no such event");
        };
        let link = row.link(payload, metadata).hash(&self.hash);
        if link[..] != hash[..] {
            return differs("the chain of the copy is broken");
        }
        let tokens = keyring.tokens(tenant, "idempotency").await?;
        let kept = kept_metadata(row, &tokens)?;
        if kept.as_deref().unwrap_or(&row.metadata) != metadata {
            return differs("the metadata of the copy are others");
        }
        let about = About { tenant, kind: &row.aggregate_type, id: row.id()? };
        self.members += sealed_members(row, payload)?
            .ok_or(SealError::Differs { position, why: "something of the copy is in clear" })?;
        let (mut before, mut after) = (row.json(&row.payload)?, row.json(payload)?);
        keyring.open_json(vec![(about, &mut before), (about, &mut after)]).await?;
        if before != after {
            return differs("the copy says something else");
        }
        self.claimed(&typed(row, &row.payload)?, &typed(row, payload)?);
        (self.hash, *at) = (link, position);
        Ok(())
    }

    /// Takes note of what is claimed by another place in the copy.
    fn claimed(&mut self, before: &AnyEvent, after: &AnyEvent) {
        let claims = |event: &AnyEvent| -> Vec<Claim> {
            event.held_after().into_iter().flat_map(|(_, claims)| claims).collect()
        };
        for (before, after) in claims(before).into_iter().zip(claims(after)) {
            if before.resource != after.resource {
                self.places.insert(before.resource, after.resource);
            }
        }
    }
}

/// How many members of an event are sealed that were in clear; `None`: one is in clear still.
fn sealed_members(row: &Stored, payload: &str) -> Result<Option<u64>, SealError> {
    let clear = |text| {
        let mut event = row.json(text)?;
        let personal = PersonalJson::take(&row.aggregate_type, &mut event);
        let mut personal =
            personal.map_err(|error| KeyringError::NotUnderstood(not_understood(&error)))?;
        Ok::<_, SealError>(personal.clear_members())
    };
    Ok((clear(payload)? == 0).then_some(clear(&row.payload)?))
}

/// It as this program reads it.
fn typed(row: &Stored, payload: &str) -> Result<AnyEvent, SealError> {
    let stored = StoredEvent {
        aggregate_type: &row.aggregate_type,
        aggregate_id: &row.aggregate_id,
        sequence: row.sequence.cast_unsigned(),
        event_type: &row.event_type,
        event_version: &row.event_version,
        payload,
    };
    Ok(decode(row.position(), row.recorded_at, &stored, &upcasters())?.event)
}
