//! A shadow schema that is whole takes the projection's name, and is live from then on.

use std::collections::HashMap;

use sqlx::PgConnection;

use super::state;
use super::{RebuildError, RebuildTarget, catch_up};
use crate::schema::run;
use crate::{Schema, analytics, checkpoint, schema};

/// Whoever holds a checkpoint commits in less.
const BEGIN: &str = "BEGIN; SET LOCAL lock_timeout = '5s'";

/// In one transaction: what a reader sees before and after is whole. If there is a live schema, it is
/// replaced, and its checkpoints are not set back.
pub(super) async fn swap_in(target: &RebuildTarget) -> Result<(), RebuildError> {
    let live = Schema::of(target.projection.id());
    let replaced = Schema::shadow(target.projection.id(), "replaced");
    let rows = state::tenants(target.log.pool(), &target.schema).await?;
    // What an earlier one could not drop, or was killed before it did.
    drop_replaced(target, &replaced).await;
    let mut tx = target.log.pool().begin_with(BEGIN).await?;
    if state::record_for_update(&mut tx, &target.schema)
        .await?
        .is_none_or(|record| record.cancelled)
    {
        return Err(RebuildError::Cancelled);
    }
    let was_live = schema::is_made(&mut tx, &live).await?;
    // The tables that are to be replaced go no further until this is committed.
    let read_to = checkpoint::positions_for_update(&mut tx, target.projection.id()).await?;
    let read_to: HashMap<_, _> = read_to.into_iter().collect();
    for rows in &rows {
        let from = rows.position.unwrap_or_default();
        let to = read_to.get(&rows.tenant).copied().unwrap_or_default().max(from);
        catch_up::catch_up(target, &mut tx, &rows.tenant, from, to).await?;
        state::advance(&mut tx, &target.schema, &rows.tenant, rows.position, to).await?;
    }
    if was_live {
        run(&mut tx, &format!("ALTER SCHEMA {live} RENAME TO {replaced}")).await?;
    }
    run(&mut tx, &format!("ALTER SCHEMA {} RENAME TO {live}", target.schema)).await?;
    set_checkpoints(&mut tx, target).await?;
    state::remove(&mut tx, &target.schema).await?;
    tx.commit().await?;
    if was_live {
        drop_replaced(target, &replaced).await;
    }
    Ok(())
}

async fn set_checkpoints(
    connection: &mut PgConnection,
    target: &RebuildTarget,
) -> Result<(), sqlx::Error> {
    let id = target.projection.id();
    sqlx::query(
        "INSERT INTO checkpoints AS c (tenant_id, projection, version, position)
         SELECT tenant_id, $2, $3, coalesce(position, 0) FROM build_tenants WHERE schema_name = $1
         ON CONFLICT (tenant_id, projection, version) DO UPDATE
            SET position = excluded.position, failed_position = NULL, failure = NULL",
    )
    .bind(target.schema.to_string())
    .bind(id.name)
    .bind(id.version)
    .execute(connection)
    .await?;
    Ok(())
}

/// Readers that were at it finish first; if that takes too long, `prune` or the next rebuild drops it.
async fn drop_replaced(target: &RebuildTarget, replaced: &Schema) {
    let drop = format!("SET lock_timeout = '2s'; DROP SCHEMA IF EXISTS {replaced} CASCADE");
    for _ in 0..5 {
        if let Err(error) = analytics::follow_replaced(target.log.pool()).await {
            tracing::warn!(%error, "analysts still read what was replaced");
            continue;
        }
        let Ok(connection) = target.log.pool().acquire().await else { return };
        let mut connection = connection.detach();
        match run(&mut connection, &drop).await {
            Ok(()) => return,
            Err(error) => tracing::warn!(schema = %replaced, %error, "not dropped yet"),
        }
    }
}
