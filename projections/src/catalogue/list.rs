//! Pages of services, resources and clients.

use std::fmt;

use daybook_domain::TenantId;
use daybook_store::Position;
use sqlx::types::Json;
use sqlx::{PgPool, Postgres, QueryBuilder, Row};
use uuid::Uuid;

use super::kept::{Kept, Standing};
use super::table::standing as parse;
use crate::page::seal::{self, Fingerprint};
use crate::{CursorError, Limit, Page};

/// Something in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<I, D> {
    /// Which one.
    pub id: I,
    /// What is known of it.
    pub document: D,
    /// Whether it can be booked.
    pub standing: Standing,
    /// The number of its events.
    pub version: u64,
    /// Where its last event is in the log.
    pub position: Position,
}

/// Where the next page of a list starts: an opaque text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListCursor(String);

impl ListCursor {
    /// A cursor as a client sends it back; whether it is one is seen when it is used.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ListCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The cursor does not say where to go on.
    #[error(transparent)]
    Cursor(#[from] CursorError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Ids are UUIDv7, so their order is that of creation. Served by the primary key, or with a standing
/// by `services_status` and its like.
pub(super) async fn page<K: Kept>(
    pool: &PgPool,
    tenant: &TenantId,
    standing: Option<Standing>,
    cursor: Option<&ListCursor>,
    limit: Limit,
) -> Result<Page<Listed<K::Id, K::Document>, ListCursor>, ListError> {
    let status = standing.map(Standing::as_str);
    let list = Fingerprint::of(&[
        tenant.as_str().as_bytes(),
        K::TABLE.as_bytes(),
        status.unwrap_or_default().as_bytes(),
    ]);
    let after = cursor.map(|cursor| seal::open(list, &cursor.0)).transpose()?;
    let (table, id, document) = (K::TABLE, K::ID, K::DOCUMENT);
    let mut sql = QueryBuilder::<Postgres>::new(format!(
        "SELECT {id} AS id, {document} AS document, status, version, position
           FROM {table} WHERE tenant_id = "
    ));
    sql.push_bind(tenant.as_str());
    if let Some(after) = after {
        sql.push(format!(" AND {id} > ")).push_bind(Uuid::from_bytes(after));
    }
    if let Some(status) = status {
        sql.push(" AND status = ").push_bind(status);
    }
    let wanted = limit.items() + 1;
    sql.push(format!(" ORDER BY {id} LIMIT {wanted}"));
    let rows = sql.build().fetch_all(pool).await?;
    let mut ids: Vec<Uuid> = Vec::with_capacity(rows.len());
    let mut items = Vec::with_capacity(rows.len());
    for row in rows.iter().take(limit.items()) {
        ids.push(row.try_get("id")?);
        let Json(document) = row.try_get("document")?;
        items.push(Listed {
            id: K::Id::from(row.try_get("id")?),
            document,
            standing: parse(row.try_get("status")?),
            version: row.try_get::<i64, _>("version")?.cast_unsigned(),
            position: Position::from_i64(row.try_get("position")?),
        });
    }
    let more = rows.len() == wanted;
    let next = ids.last().filter(|_| more).map(|id| ListCursor(seal::seal(list, id.as_bytes())));
    Ok(Page { items, next })
}
