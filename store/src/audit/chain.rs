//! The chain of a tenant's entries: each has the hash of the one before it, so that none is changed, taken out or moved unseen.

use std::collections::{BTreeMap, HashMap};

use daybook_domain::TenantId;
use sha2::{Digest as _, Sha256};
use sqlx::{PgConnection, Row as _};

use super::AuditEntry;

/// What stands before the first entry.
pub(super) const BEGINNING: [u8; 32] = [0; 32];

/// Whose chain it is: a tenant's, or of whoever runs daybook.
pub type Owner = Option<TenantId>;

/// What stands in the column.
pub(super) fn column(owner: Option<&TenantId>) -> &str {
    owner.map_or("", TenantId::as_str)
}

/// The hash of an entry in its place.
pub(super) fn hash(owner: &str, seq: i64, previous: &[u8], entry: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"daybook audit 1\n");
    for part in [owner.as_bytes(), &seq.to_be_bytes(), previous, entry.as_bytes()] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// Appends entries to the chains of their owners, each in the order given, in the transaction of what they are about.
///
/// # Errors
/// When the database fails.
pub async fn append(
    tx: &mut PgConnection,
    entries: &[(Owner, AuditEntry)],
) -> Result<(), sqlx::Error> {
    // By owner, so that whoever else appends to several waits in the same order.
    let mut by_owner: BTreeMap<&str, Vec<&AuditEntry>> = BTreeMap::new();
    for (owner, entry) in entries {
        by_owner.entry(column(owner.as_ref())).or_default().push(entry);
    }
    let mut heads = lock(tx, &by_owner.keys().copied().collect::<Vec<_>>()).await?;
    let mut rows = Rows::default();
    for (owner, entries) in &by_owner {
        let head = heads.get_mut(*owner).ok_or(sqlx::Error::RowNotFound)?;
        for entry in entries {
            rows.push(owner, head, entry)?;
        }
    }
    rows.insert(tx).await?;
    move_heads(tx, &heads).await
}

/// Where a chain ends.
struct Head {
    seq: i64,
    hash: Vec<u8>,
}

async fn lock(
    tx: &mut PgConnection,
    owners: &[&str],
) -> Result<HashMap<String, Head>, sqlx::Error> {
    let rows = sqlx::query(
        "INSERT INTO audit_heads (tenant_id, seq, hash)
         SELECT owner, 0, $2 FROM unnest($1::text[]) AS owner ORDER BY owner
             ON CONFLICT (tenant_id) DO UPDATE SET seq = audit_heads.seq
         RETURNING tenant_id, seq, hash",
    )
    .bind(owners)
    .bind(BEGINNING.as_slice())
    .fetch_all(tx)
    .await?;
    let head = |row: &sqlx::postgres::PgRow| {
        let head = Head { seq: row.try_get("seq")?, hash: row.try_get("hash")? };
        Ok((row.try_get("tenant_id")?, head))
    };
    rows.iter().map(head).collect()
}

/// What is to be inserted, by column.
#[derive(Default)]
struct Rows {
    owners: Vec<String>,
    seqs: Vec<i64>,
    ats: Vec<chrono::DateTime<chrono::Utc>>,
    actors: Vec<String>,
    kinds: Vec<&'static str>,
    entries: Vec<String>,
    previous: Vec<Vec<u8>>,
    hashes: Vec<Vec<u8>>,
}

impl Rows {
    fn push(
        &mut self,
        owner: &str,
        head: &mut Head,
        entry: &AuditEntry,
    ) -> Result<(), sqlx::Error> {
        let text =
            serde_json::to_string(entry).map_err(|error| sqlx::Error::Encode(error.into()))?;
        let seq = head.seq + 1;
        let hash = hash(owner, seq, &head.hash, &text).to_vec();
        self.owners.push(owner.to_owned());
        self.seqs.push(seq);
        self.ats.push(entry.at);
        self.actors.push(entry.actor.clone());
        self.kinds.push(entry.kind.as_str());
        self.entries.push(text);
        self.previous.push(std::mem::replace(&mut head.hash, hash.clone()));
        self.hashes.push(hash);
        head.seq = seq;
        Ok(())
    }

    async fn insert(self, tx: &mut PgConnection) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO audit_entries
                 (tenant_id, seq, at, actor, kind, subjects, entry, previous, hash)
             SELECT n.tenant_id, n.seq, n.at, n.actor, n.kind,
                    ARRAY (SELECT jsonb_array_elements_text(n.entry::jsonb -> 'subjects')::uuid),
                    n.entry, n.previous, n.hash
               FROM unnest($1::text[], $2::bigint[], $3::timestamptz[], $4::text[], $5::text[],
                           $6::text[], $7::bytea[], $8::bytea[])
                    AS n (tenant_id, seq, at, actor, kind, entry, previous, hash)",
        )
        .bind(self.owners)
        .bind(self.seqs)
        .bind(self.ats)
        .bind(self.actors)
        .bind(self.kinds)
        .bind(self.entries)
        .bind(self.previous)
        .bind(self.hashes)
        .execute(tx)
        .await?;
        Ok(())
    }
}

async fn move_heads(
    tx: &mut PgConnection,
    heads: &HashMap<String, Head>,
) -> Result<(), sqlx::Error> {
    let (mut owners, mut seqs, mut hashes) = (Vec::new(), Vec::new(), Vec::new());
    for (owner, head) in heads {
        owners.push(owner.as_str());
        seqs.push(head.seq);
        hashes.push(head.hash.as_slice());
    }
    sqlx::query(
        "UPDATE audit_heads h SET seq = n.seq, hash = n.hash
           FROM unnest($1::text[], $2::bigint[], $3::bytea[]) AS n (tenant_id, seq, hash)
          WHERE h.tenant_id = n.tenant_id",
    )
    .bind(owners)
    .bind(seqs)
    .bind(hashes)
    .execute(tx)
    .await?;
    Ok(())
}
