//! What a statement reads, as PostgreSQL explains it.

use serde_json::Value;
use sqlx::{PgConnection, PgPool, Postgres, QueryBuilder};

/// What comes before the text of a statement.
pub(crate) const EXPLAIN: &str = "EXPLAIN (ANALYZE, FORMAT JSON) ";

/// Runs it; its plan.
pub(crate) async fn explained(
    mut sql: QueryBuilder<'_, Postgres>,
    connection: &mut PgConnection,
) -> Value {
    let plan: Value = sql.build_query_scalar().fetch_one(connection).await.unwrap();
    plan[0]["Plan"].clone()
}

/// How many rows of tables a plan reads, those that a filter removed among them. It reads no table from end to end.
pub(crate) fn rows_read(plan: &Value) -> u64 {
    let number = |key: &str| plan[key].as_u64().unwrap_or_default();
    let rows = number("Actual Rows")
        + number("Rows Removed by Filter")
        + number("Rows Removed by Index Recheck");
    let own = match plan["Node Type"].as_str().unwrap() {
        "Seq Scan" => panic!("a sequential scan: {plan:#}"),
        "Index Scan" | "Index Only Scan" | "Bitmap Heap Scan" => rows * number("Actual Loops"),
        _ => 0,
    };
    own + plan["Plans"].as_array().into_iter().flatten().map(rows_read).sum::<u64>()
}

/// Fills tables, and counts what is in them.
pub(crate) async fn filled(pool: &PgPool, insert: &str, tables: &[String]) {
    sqlx::raw_sql(insert).execute(pool).await.unwrap();
    for table in tables {
        sqlx::raw_sql(&format!("VACUUM (ANALYZE) {table}")).execute(pool).await.unwrap();
    }
}
