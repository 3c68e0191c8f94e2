//! Pages of services, resources and clients.

use daybook_domain::TenantId;
use daybook_store::Position;
use sqlx::{FromRow as _, PgPool, Postgres, QueryBuilder, Row as _};
use uuid::Uuid;

use super::Catalogue;
use super::entity::{CatalogueEntity, CatalogueStatus, Listed};
use crate::kit::Table;
use crate::page::cursor::List;
use crate::page::keyset::Keyset;
use crate::{Cursor, Limit, Page, PageError, Schema};

/// How large the documents of a page are, as they are stored: one that begins after so many bytes is on the next
/// page. A resource can have thousands of exceptions.
const MAX_BYTES: u32 = 1024 * 1024;

/// Ids are UUIDv7, so their order is that of creation. Served by the primary key, or with a status
/// by `services_status` and its like.
pub(super) async fn page<E: CatalogueEntity>(
    table: &Table<Listed<E>>,
    pool: &PgPool,
    tenant: &TenantId,
    status: Option<CatalogueStatus>,
    (cursor, limit): (Option<&Cursor>, Limit),
) -> Result<Page<Listed<E>>, PageError> {
    let keyset = Keyset::new(List::of(tenant, E::TABLE, &status), cursor, limit)?;
    let schema = Schema::of(Catalogue::ID);
    let (names, document) = (table.names(), E::DOCUMENT);
    // How many there are up to the limit is counted before they are cut.
    let mut sql = QueryBuilder::<Postgres>::new(format!(
        "SELECT * FROM (
            SELECT *, count(*) OVER () AS found,
                   sum(bytes) OVER (ORDER BY {}) - bytes AS bytes_before FROM (
            SELECT {names}, pg_column_size({document}) AS bytes FROM {schema}.{} WHERE tenant_id = ",
        E::ID,
        E::TABLE
    ));
    sql.push_bind(tenant.as_str());
    keyset.push_after(&mut sql, E::ID);
    if let Some(status) = status {
        sql.push(" AND status = ").push_bind(status.as_str());
    }
    keyset.push_order(&mut sql, E::ID);
    sql.push(format!(") AS page) AS sized WHERE bytes_before < {MAX_BYTES} ORDER BY {}", E::ID));
    let rows = sql.build().fetch_all(pool).await?;
    let found: i64 = rows.first().map(|row| row.try_get("found")).transpose()?.unwrap_or_default();
    let is_cut = i64::try_from(rows.len()).is_ok_and(|read| read < found);
    let listed = rows.iter().map(|row| {
        let listed = Listed::<E>::from_row(row)?;
        Ok::<_, sqlx::Error>((E::uuid(listed.id), listed))
    });
    Ok(keyset.page_of(listed.collect::<Result<_, _>>()?, is_cut))
}

/// Served by the primary key.
pub(super) async fn ids<E: CatalogueEntity>(
    pool: &PgPool,
    tenant: &TenantId,
    status: Option<CatalogueStatus>,
    at: Position,
    (cursor, limit): (Option<&Cursor>, Limit),
) -> Result<Page<Uuid>, PageError> {
    let list = List::of(tenant, E::TABLE, &status).at(at.get());
    let keyset = Keyset::new(list, cursor, limit)?;
    let (schema, id) = (Schema::of(Catalogue::ID), E::ID);
    let mut sql = QueryBuilder::<Postgres>::new(format!(
        "SELECT {id} FROM {schema}.{} WHERE tenant_id = ",
        E::TABLE
    ));
    sql.push_bind(tenant.as_str());
    keyset.push_after(&mut sql, id);
    keyset.push_order(&mut sql, id);
    let ids: Vec<Uuid> = sql.build_query_scalar().fetch_all(pool).await?;
    Ok(keyset.page(ids.into_iter().map(|id| (id, id)).collect()))
}
