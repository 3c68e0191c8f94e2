//! Rows of a projection that are read, and replaced, many at a time.

use daybook_domain::TenantId;
use serde::Serialize;
use sqlx::FromRow;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::Tables;

/// The rows that a statement selects, of a tenant (`$1`) and of these ids (`$2`).
pub(crate) async fn stored<R>(
    tables: &mut Tables<'_>,
    tenant: &TenantId,
    ids: impl IntoIterator<Item = Uuid>,
    select: &str,
) -> Result<Vec<R>, sqlx::Error>
where
    R: for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    let ids: Vec<Uuid> = ids.into_iter().collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let select = tables.sql(select);
    let query = sqlx::query_as(&select).bind(tenant.as_str()).bind(ids);
    query.fetch_all(tables.connection()).await
}

/// What is set where there is such a row already: all columns but the first one, which is its key.
pub(crate) fn replaced(columns: &str) -> String {
    let others = columns.split(", ").skip(1);
    others.map(|column| format!("{column} = excluded.{column}")).collect::<Vec<_>>().join(", ")
}

/// A value as a column of type `json` has it.
pub(crate) fn document(of: &impl Serialize) -> Result<String, sqlx::Error> {
    serde_json::to_string(of).map_err(|error| sqlx::Error::Encode(error.into()))
}

#[cfg(test)]
mod tests {
    use super::replaced;

    #[test]
    fn all_but_the_key_is_replaced() {
        assert_eq!(
            replaced("id, start_at, marks"),
            "start_at = excluded.start_at, marks = excluded.marks"
        );
    }
}
