//! Applying events in the order of the log to tables that nobody reads yet.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use daybook_domain::TenantId;
use daybook_store::{Position, RecordedEvent};
use sqlx::PgConnection;

use super::pace::Pace;
use super::state;
use super::{RebuildError, RebuildTarget, begun_logs};
use crate::runner::batch::{Batch, Commit, apply_longest_prefix};
use crate::{ApplyError, Tables};

/// Events in one transaction.
const BATCH_EVENTS: u32 = 2_000;

/// With so few events left over all tenants, the rest is done when the schema is swapped in.
const LITTLE: u64 = 2_000;

const BEGIN: &str = "BEGIN; SET LOCAL synchronous_commit = off";

/// Brings all tenants' rows near the ends of their logs. Where an event cannot be applied, the tenant's
/// rows stay before it.
pub(super) async fn catch_up_all(
    target: &RebuildTarget,
    pace: &mut Pace,
) -> Result<(), RebuildError> {
    let mut stuck = HashSet::new();
    let mut heads = begun_logs(&target.log).await?;
    loop {
        let mut connection = target.log.pool().acquire().await?;
        state::add_tenants(&mut connection, &target.schema, &heads, Some(Position::START)).await?;
        drop(connection);
        let ends: HashMap<TenantId, Position> = heads.into_iter().collect();
        let mut reached = HashMap::new();
        for rows in state::tenants(target.log.pool(), &target.schema).await? {
            if stuck.contains(&rows.tenant) {
                continue;
            }
            let (mut at, end) = (rows.position.unwrap_or_default(), ends.get(&rows.tenant));
            let end = end.copied().unwrap_or_default();
            while at < end {
                target.ensure_wanted().await?;
                let begun = Instant::now();
                match batch(target, &rows.tenant, at).await? {
                    Some(to) if to > at => at = to,
                    Some(_) => break,
                    None => {
                        stuck.insert(rows.tenant.clone());
                        break;
                    }
                }
                pace.rest(begun.elapsed()).await;
            }
            reached.insert(rows.tenant, at);
        }
        heads = begun_logs(&target.log).await?;
        let left =
            heads.iter().filter(|(tenant, _)| !stuck.contains(tenant)).map(|(tenant, head)| {
                head.get().saturating_sub(reached.get(tenant).copied().unwrap_or_default().get())
            });
        if left.sum::<u64>() <= LITTLE {
            return Ok(());
        }
    }
}

/// Applies a batch. `None`: its first event cannot be applied.
async fn batch(
    target: &RebuildTarget,
    tenant: &TenantId,
    from: Position,
) -> Result<Option<Position>, RebuildError> {
    let read = target.log.read(tenant, from, BATCH_EVENTS).await?;
    if read.is_empty() {
        return Ok(Some(from));
    }
    match apply_longest_prefix(&Following { target, tenant }, from, read).await? {
        Batch::Applied(to) => Ok(Some(to)),
        Batch::Stalled { reason } => {
            let (schema, position) = (&target.schema, from.plus(1));
            tracing::error!(%tenant, %schema, %position, reason, "an event cannot be applied");
            Ok(None)
        }
        Batch::LostLease => Err(RebuildError::TakenOver),
    }
}

struct Following<'a> {
    target: &'a RebuildTarget,
    tenant: &'a TenantId,
}

impl Commit for Following<'_> {
    async fn commit(
        &self,
        from: Position,
        to: Position,
        events: &[RecordedEvent],
    ) -> Result<bool, ApplyError> {
        let mut tx = self.target.log.pool().begin_with(BEGIN).await?;
        let schema = &self.target.schema;
        if !state::advance(&mut tx, schema, self.tenant, Some(from), to).await? {
            return Ok(false);
        }
        let mut tables = Tables::new(&mut tx, schema);
        self.target.projection.apply(&mut tables, self.tenant, events).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// Applies what is between these positions, in a transaction that is open.
pub(crate) async fn catch_up(
    target: &RebuildTarget,
    connection: &mut PgConnection,
    tenant: &TenantId,
    from: Position,
    to: Position,
) -> Result<(), RebuildError> {
    let mut at = from;
    while at < to {
        let left = u32::try_from(to.get() - at.get()).unwrap_or(u32::MAX);
        let read = target.log.read(tenant, at, left.min(BATCH_EVENTS)).await?;
        let events = read.into_iter().collect::<Result<Vec<_>, _>>().map_err(ApplyError::from)?;
        if events.is_empty() {
            return Err(RebuildError::LogEnds { tenant: tenant.clone(), position: at });
        }
        let mut tables = Tables::new(&mut *connection, &target.schema);
        target.projection.apply(&mut tables, tenant, &events).await?;
        at = at.plus(events.len() as u64);
    }
    Ok(())
}
