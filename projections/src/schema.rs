//! Makes the tables of the projections that this program was compiled with.

use std::sync::Arc;

use sqlx::{Executor as _, PgConnection, PgPool};

use crate::{Projection, ProjectionId, Schema};

/// Any number that nothing else in the database locks.
const LOCK: i64 = 0x6461_7962_6f6f_6b01;

/// Makes whatever tables are missing. Programs that start at once take turns.
///
/// # Errors
/// When the database fails.
pub async fn prepare(
    pool: &PgPool,
    projections: &[Arc<dyn Projection>],
) -> Result<(), sqlx::Error> {
    for projection in projections {
        if !exists(pool, projection.id()).await? {
            create(pool, projection.as_ref()).await?;
        }
    }
    Ok(())
}

/// A schema is made whole, with its tables, in one transaction. To look first keeps a program that
/// starts from queueing up, for the lock of an index that is there, behind whoever writes.
async fn exists(pool: &PgPool, projection: ProjectionId) -> Result<bool, sqlx::Error> {
    is_made(&mut *pool.acquire().await?, projection).await
}

async fn create(pool: &PgPool, projection: &dyn Projection) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin().await?;
    // `IF NOT EXISTS` does not make DDL safe to run twice at once: the second fails on the
    // catalogue's unique index. A table's row would have to be read before the DDL, and this is no
    // matter of one tenant, so the lock is an advisory one; it goes with the transaction.
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *tx).await?;
    // Another program may have made it meanwhile. This look is needed: without it the server
    // would still go by what it knew before it waited.
    if !is_made(&mut tx, projection.id()).await? {
        make_tables(&mut tx, projection, &Schema::of(projection.id())).await?;
        tx.execute(projection.indexes()).await?;
    }
    tx.commit().await
}

/// Makes the schema, and the tables without their indexes.
async fn make_tables(
    connection: &mut PgConnection,
    projection: &dyn Projection,
    schema: &Schema,
) -> Result<(), sqlx::Error> {
    connection.execute(format!("CREATE SCHEMA {schema}").as_str()).await?;
    connection.execute(schema.sql(projection.ddl()).as_ref()).await?;
    Ok(())
}

/// From the catalogue's table, not `to_regnamespace`, which answers from the server's cache.
async fn is_made(
    connection: &mut PgConnection,
    projection: ProjectionId,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)")
        .bind(projection.to_string())
        .fetch_one(connection)
        .await
}
