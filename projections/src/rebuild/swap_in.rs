//! A shadow schema that is whole takes the projection's name, and is live from then on.

use std::collections::HashMap;

use daybook_domain::TenantId;
use daybook_store::Position;
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
    // What an earlier one could not drop, or was killed before it did.
    drop_replaced(target, &replaced).await;
    let mut tx = target.log.owners_pool().begin_with(BEGIN).await?;
    if state::record_for_update(&mut tx, &target.schema)
        .await?
        .is_none_or(|record| record.cancelled)
    {
        return Err(RebuildError::Cancelled);
    }
    let was_live = schema::is_made(&mut tx, &live).await?;
    // The tables that are to be replaced go no further until this is committed.
    checkpoint::hold_back_new(&mut tx, target.projection.id()).await?;
    let read_to = checkpoint::positions_for_update(&mut tx, target.projection.id()).await?;
    catch_up_to(target, &mut tx, read_to).await?;
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

/// Brings the rows to where those are that they replace, of tenants too that came when the rest was done.
async fn catch_up_to(
    target: &RebuildTarget,
    connection: &mut PgConnection,
    read_to: Vec<(TenantId, Position)>,
) -> Result<(), RebuildError> {
    let schema = &target.schema;
    let rows = state::tenants(&mut *connection, schema).await?.into_iter();
    let rows: HashMap<_, _> = rows.map(|rows| (rows.tenant, rows.position)).collect();
    for (tenant, to) in read_to {
        let from = rows.get(&tenant).copied().flatten();
        if to <= from.unwrap_or_default() {
            continue;
        }
        if !rows.contains_key(&tenant) {
            state::add_tenants(&mut *connection, schema, &[(tenant.clone(), to)], None).await?;
        }
        catch_up::catch_up(target, connection, &tenant, from.unwrap_or_default(), to).await?;
        state::advance(&mut *connection, schema, &tenant, from, to).await?;
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
    let drop = format!("DROP SCHEMA IF EXISTS {replaced} CASCADE");
    let pool = target.log.owners_pool();
    for _ in 0..5 {
        if let Err(error) = analytics::follow_replaced(pool).await {
            tracing::warn!(%error, "analysts still read what was replaced");
            continue;
        }
        let dropped = async {
            let mut tx = pool.begin_with("BEGIN; SET LOCAL lock_timeout = '2s'").await?;
            run(&mut tx, &drop).await?;
            tx.commit().await
        };
        match dropped.await {
            Ok(()) => return,
            Err(error) => tracing::warn!(schema = %replaced, %error, "not dropped yet"),
        }
    }
}
