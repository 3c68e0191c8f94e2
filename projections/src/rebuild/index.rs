//! What is made of all rows together, last of all: totals, and indexes, each sorted in one go and not
//! grown row by row.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::pace::Pace;
use super::state::{self, Part};
use super::{RebuildError, RebuildTarget};
use crate::schema::run;
use crate::{Backfill, Projection};

/// Memory for the sorts of all indexes that are made at once.
const SORT_MEGABYTES: usize = 512;

/// In `build_parts`: not of streams, but of statements.
const KIND: &str = "index";

/// Makes what is missing.
pub(super) async fn make(target: &Arc<RebuildTarget>, pace: &mut Pace) -> Result<(), RebuildError> {
    let mut making: JoinSet<Result<(), RebuildError>> = JoinSet::new();
    let mut statements = to_make(target.projection.as_ref()).peekable();
    // Whoever had to wait for a connection would give up before an index is made.
    let connections = target.log.owners_pool().options().get_max_connections() as usize;
    let workers = target.workers.min(connections).max(1);
    while let Some(statement) = statements.next() {
        target.ensure_wanted().await?;
        // The last one may need what the others make.
        let alone = statements.peek().is_none() || pace.others_work();
        let at_once = if alone { 1 } else { workers };
        while making.len() >= at_once {
            let Some(made) = making.join_next().await else { break };
            made??;
        }
        making.spawn(make_one(Arc::clone(target), statement.trim().to_owned()));
    }
    while let Some(made) = making.join_next().await {
        made??;
    }
    Ok(())
}

/// Totals first: they read the table while the longest index is made.
fn to_make(projection: &dyn Projection) -> impl Iterator<Item = &str> {
    let totals = match projection.backfill() {
        Backfill::Copy(bulk) => bulk.totals(),
        Backfill::InOrder | Backfill::ByStream(_) => None,
    };
    totals.into_iter().chain(statements(projection.indexes()))
}

async fn make_one(target: Arc<RebuildTarget>, statement: String) -> Result<(), RebuildError> {
    // Each processor has an index of its own to make: to divide one among several, its rows would have to
    // go through files.
    let begin = format!(
        "BEGIN; SET LOCAL synchronous_commit = off;
         SET LOCAL maintenance_work_mem = '{}MB'; SET LOCAL max_parallel_maintenance_workers = 0",
        SORT_MEGABYTES / target.workers
    );
    let mut tx = target.log.owners_pool().begin_with(begin).await?;
    let part = Part { tenant: "", kind: KIND, after: &statement, upto: "", more: false, events: 0 };
    if state::record_part(&mut tx, &target.schema, &part).await? {
        run(&mut tx, &target.schema.sql(&statement)).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// The statements of a file, each with the comment above it. None has a semicolon at the end of a line
/// but the last one.
fn statements(file: &str) -> impl Iterator<Item = &str> {
    file.split_inclusive(";\n").filter(|statement| !statement.trim().is_empty())
}
