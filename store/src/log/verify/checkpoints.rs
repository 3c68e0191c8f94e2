//! No projection has read what is not there.

use daybook_domain::TenantId;
use sqlx::{PgConnection, Row};

use super::finding::{Finding, Problem};
use crate::log::Position;

/// Compares the checkpoints with the end of the log; how many there are. Served by
/// `checkpoints_pkey`.
pub(super) async fn compare(
    connection: &mut PgConnection,
    tenant: &TenantId,
    end: Position,
) -> Result<Result<u64, Finding>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT projection, version, position FROM checkpoints WHERE tenant_id = $1
          ORDER BY projection, version",
    )
    .bind(tenant.as_str())
    .fetch_all(connection)
    .await?;
    for row in &rows {
        let read = Position::from_i64(row.try_get("position")?);
        if read > end {
            let (projection, version) = (row.try_get("projection")?, row.try_get("version")?);
            let problem = Problem::ReadAfterTheEnd { projection, version, read };
            return Ok(Err(problem.at(end.plus(1))));
        }
    }
    Ok(Ok(rows.len() as u64))
}
