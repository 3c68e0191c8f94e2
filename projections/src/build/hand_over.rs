//! Tables that are whole take the projection's name, and are read from then on.

use std::collections::HashMap;

use sqlx::PgConnection;

use super::state;
use super::{BuildError, Site, follow};
use crate::schema::run;
use crate::{Schema, analytics, checkpoint, schema};

/// Whoever holds a checkpoint commits in less.
const BEGIN: &str = "BEGIN; SET LOCAL lock_timeout = '5s'";

/// In one transaction: what a reader sees before and after is whole. If there are tables of that name,
/// they are replaced, and their checkpoints not set back.
pub(super) async fn hand_over(site: &Site) -> Result<(), BuildError> {
    let live = Schema::of(site.projection.id());
    let aside = Schema::beside(site.projection.id(), "replaced");
    let rows = state::tenants(site.log.pool(), &site.schema).await?;
    // What an earlier one could not drop, or was killed before it did.
    drop_replaced(site, &aside).await;
    let mut tx = site.log.pool().begin_with(BEGIN).await?;
    if state::noted_for_update(&mut tx, &site.schema).await?.is_none_or(|noted| noted.cancelled) {
        return Err(BuildError::CalledOff);
    }
    let replaces = schema::is_made(&mut tx, &live).await?;
    // The tables that are to be replaced go no further until this is committed.
    let read_to = checkpoint::positions_for_update(&mut tx, site.projection.id()).await?;
    let read_to: HashMap<_, _> = read_to.into_iter().collect();
    for rows in &rows {
        let from = rows.position.unwrap_or_default();
        let to = read_to.get(&rows.tenant).copied().unwrap_or_default().max(from);
        follow::catch_up(site, &mut tx, &rows.tenant, from, to).await?;
        state::advance(&mut tx, &site.schema, &rows.tenant, rows.position, to).await?;
    }
    if replaces {
        run(&mut tx, &format!("ALTER SCHEMA {live} RENAME TO {aside}")).await?;
    }
    run(&mut tx, &format!("ALTER SCHEMA {} RENAME TO {live}", site.schema)).await?;
    set_checkpoints(&mut tx, site).await?;
    state::remove(&mut tx, &site.schema).await?;
    tx.commit().await?;
    if replaces {
        drop_replaced(site, &aside).await;
    }
    Ok(())
}

async fn set_checkpoints(connection: &mut PgConnection, site: &Site) -> Result<(), sqlx::Error> {
    let id = site.projection.id();
    sqlx::query(
        "INSERT INTO checkpoints AS c (tenant_id, projection, version, position)
         SELECT tenant_id, $2, $3, coalesce(position, 0) FROM build_tenants WHERE schema_name = $1
         ON CONFLICT (tenant_id, projection, version) DO UPDATE
            SET position = excluded.position, failed_position = NULL, failure = NULL",
    )
    .bind(site.schema.to_string())
    .bind(id.name)
    .bind(id.version)
    .execute(connection)
    .await?;
    Ok(())
}

/// Readers that were at it finish first; if that takes too long, `prune` or the next build drops it.
async fn drop_replaced(site: &Site, aside: &Schema) {
    let drop = format!("SET lock_timeout = '2s'; DROP SCHEMA IF EXISTS {aside} CASCADE");
    for _ in 0..5 {
        if let Err(error) = analytics::follow_replaced(site.log.pool()).await {
            tracing::warn!(%error, "analysts still read what was replaced");
            continue;
        }
        let Ok(connection) = site.log.pool().acquire().await else { return };
        let mut connection = connection.detach();
        match run(&mut connection, &drop).await {
            Ok(()) => return,
            Err(error) => tracing::warn!(schema = %aside, %error, "not dropped yet"),
        }
    }
}
