//! Pages of services, resources and clients.

use daybook_domain::TenantId;
use sqlx::{PgPool, Postgres, QueryBuilder};

use super::Catalogue;
use super::entity::{CatalogueEntity, CatalogueStatus, Listed};
use crate::kit::Table;
use crate::page::cursor::List;
use crate::page::keyset::Keyset;
use crate::{Cursor, Limit, Page, PageError, Schema};

/// Ids are UUIDv7, so their order is that of creation. Served by the primary key, or with a status
/// by `services_status` and its like.
pub(super) async fn page<E: CatalogueEntity>(
    table: &Table<Listed<E>>,
    pool: &PgPool,
    tenant: &TenantId,
    status: Option<CatalogueStatus>,
    cursor: Option<&Cursor>,
    limit: Limit,
) -> Result<Page<Listed<E>>, PageError> {
    let keyset = Keyset::new(List::of(tenant, E::TABLE, &status), cursor, limit)?;
    let schema = Schema::of(Catalogue::ID);
    let mut sql = QueryBuilder::<Postgres>::new(format!(
        "SELECT {} FROM {schema}.{} WHERE tenant_id = ",
        table.names(),
        E::TABLE
    ));
    sql.push_bind(tenant.as_str());
    keyset.push_after(&mut sql, E::ID);
    if let Some(status) = status {
        sql.push(" AND status = ").push_bind(status.as_str());
    }
    keyset.push_order(&mut sql, E::ID);
    let rows: Vec<Listed<E>> = sql.build_query_as().fetch_all(pool).await?;
    Ok(keyset.page(rows.into_iter().map(|row| (E::uuid(row.id), row)).collect()))
}
