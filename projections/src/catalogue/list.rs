//! Pages of services, resources and clients.

use daybook_domain::TenantId;
use daybook_store::Position;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{PgPool, Postgres, QueryBuilder, Row};
use uuid::Uuid;

use super::kept::{Kept, Standing};
use super::table::standing as parse;
use crate::page::cursor::List;
use crate::page::keyset::Keyset;
use crate::{Cursor, Limit, Page, PageError};

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

type ListedOf<K> = Listed<<K as Kept>::Id, <K as Kept>::Document>;

/// Ids are UUIDv7, so their order is that of creation. Served by the primary key, or with a standing
/// by `services_status` and its like.
pub(super) async fn page<K: Kept>(
    pool: &PgPool,
    tenant: &TenantId,
    standing: Option<Standing>,
    cursor: Option<&Cursor>,
    limit: Limit,
) -> Result<Page<ListedOf<K>>, PageError> {
    let (table, id, document) = (K::TABLE, K::ID, K::DOCUMENT);
    let keyset = Keyset::<Uuid>::new(List::of(tenant, table, &standing), cursor, limit)?;
    let mut sql = QueryBuilder::<Postgres>::new(format!(
        "SELECT {id} AS id, {document} AS document, status, version, position
           FROM {table} WHERE tenant_id = "
    ));
    sql.push_bind(tenant.as_str());
    keyset.push_after(&mut sql, id);
    if let Some(standing) = standing {
        sql.push(" AND status = ").push_bind(standing.as_str());
    }
    keyset.push_order(&mut sql, id);
    let rows = sql.build().fetch_all(pool).await?;
    let rows = rows.iter().map(listed::<K>).collect::<Result<_, _>>()?;
    Ok(keyset.page(rows))
}

fn listed<K: Kept>(row: &PgRow) -> Result<(Uuid, ListedOf<K>), sqlx::Error> {
    let id: Uuid = row.try_get("id")?;
    let Json(document) = row.try_get("document")?;
    let listed = Listed {
        id: K::Id::from(id),
        document,
        standing: parse(row.try_get("status")?),
        version: row.try_get::<i64, _>("version")?.cast_unsigned(),
        position: Position::from_i64(row.try_get("position")?),
    };
    Ok((id, listed))
}
