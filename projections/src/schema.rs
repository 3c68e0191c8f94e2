//! Makes the tables of the projections that this program was compiled with.

use std::sync::Arc;

use futures::future::BoxFuture;
use futures::{FutureExt as _, TryFutureExt as _};
use sqlx::{Executor as _, PgConnection, PgPool};

use crate::{Projection, ProjectionId, Schema};

/// Any number that nothing else in the database locks.
const LOCK: i64 = 0x6461_7962_6f6f_6b01;

/// Makes whatever tables are missing, as long as there is nothing to fill them with: else they are for a
/// [`Rebuilder`](crate::Rebuilder) to make. Programs that start at once take turns.
///
/// # Errors
/// When the database fails.
pub async fn prepare(
    pool: &PgPool,
    projections: &[Arc<dyn Projection>],
) -> Result<(), sqlx::Error> {
    for projection in projections {
        // A schema is made whole, with its tables, in one transaction. To look first keeps a program that
        // starts from queueing up, for the lock of an index that is there, behind whoever writes.
        let live = Schema::of(projection.id());
        if !is_made(&mut *pool.acquire().await?, &live).await? {
            create(pool, projection.as_ref(), &live).await?;
        }
    }
    Ok(())
}

async fn create(
    pool: &PgPool,
    projection: &dyn Projection,
    live: &Schema,
) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin().await?;
    // `IF NOT EXISTS` does not make DDL safe to run twice at once: the second fails on the
    // catalogue's unique index. A table's row would have to be read before the DDL, and this is no
    // matter of one tenant, so the lock is an advisory one; it goes with the transaction.
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *tx).await?;
    // Another program may have made it meanwhile. This look is needed: without it the server
    // would still go by what it knew before it waited.
    let to_fill = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM log_heads WHERE position > 0)
             OR EXISTS (SELECT FROM builds WHERE projection = $1 AND version = $2)",
    )
    .bind(projection.id().name)
    .bind(projection.id().version);
    if !to_fill.fetch_one(&mut *tx).await? && !is_made(&mut tx, live).await? {
        make_tables(&mut tx, projection, live).await?;
        run(&mut tx, &live.sql(projection.indexes())).await?;
    }
    tx.commit().await
}

/// Makes the schema, and the tables without their indexes.
pub(crate) async fn make_tables(
    connection: &mut PgConnection,
    projection: &dyn Projection,
    schema: &Schema,
) -> Result<(), sqlx::Error> {
    run(&mut *connection, &format!("CREATE SCHEMA {schema}")).await?;
    run(connection, &schema.sql(projection.ddl())).await?;
    Ok(())
}

/// From the catalogue's table, not `to_regnamespace`, which answers from the server's cache.
pub(crate) async fn is_made(
    connection: &mut PgConnection,
    schema: &Schema,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)")
        .bind(schema.to_string())
        .fetch_one(connection)
        .await
}

/// The names of its tables.
pub(crate) async fn tables_of(
    connection: &mut PgConnection,
    schema: &Schema,
) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar("SELECT tablename::text FROM pg_tables WHERE schemaname = $1 ORDER BY 1")
        .bind(schema.to_string())
        .fetch_all(connection)
        .await
}

/// Those of these projections whose tables are whole.
pub(crate) async fn whole(
    pool: &PgPool,
    projections: &[ProjectionId],
) -> Result<Vec<ProjectionId>, sqlx::Error> {
    let mut connection = pool.acquire().await?;
    whole_on(&mut connection, projections).await
}

/// The same, on a connection.
pub(crate) async fn whole_on(
    connection: &mut PgConnection,
    projections: &[ProjectionId],
) -> Result<Vec<ProjectionId>, sqlx::Error> {
    let names: Vec<String> = projections.iter().map(ToString::to_string).collect();
    let made: Vec<String> =
        sqlx::query_scalar("SELECT nspname::text FROM pg_namespace WHERE nspname = ANY($1)")
            .bind(&names)
            .fetch_all(connection)
            .await?;
    Ok(projections.iter().copied().filter(|id| made.contains(&id.to_string())).collect())
}

/// Runs statements that change what tables there are.
pub(crate) fn run<'a>(
    connection: &'a mut PgConnection,
    statements: &'a str,
) -> BoxFuture<'a, Result<(), sqlx::Error>> {
    // `RawSql::execute` is not known to be `Send` for every lifetime of a text; this is.
    connection.execute(sqlx::raw_sql(statements)).map_ok(|_| ()).boxed()
}
