//! Making the indexes, last of all: sorted in one go, for a fraction of what row by row costs.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::pace::Pace;
use super::state::{self, Part};
use super::{BuildError, Site};
use crate::schema::run;

/// A sort that fits into memory is faster; this much, for each that is made at once.
const BEGIN: &str =
    "BEGIN; SET LOCAL maintenance_work_mem = '256MB'; SET LOCAL synchronous_commit = off";

/// In `build_parts`: not of streams, but of statements.
const KIND: &str = "index";

/// Makes what is missing.
pub(super) async fn make(site: &Arc<Site>, pace: &mut Pace) -> Result<(), BuildError> {
    let mut making: JoinSet<Result<(), BuildError>> = JoinSet::new();
    for (n, statement) in statements(site.projection.indexes()).enumerate() {
        site.go_on().await?;
        let at_once = if pace.others_work() { 1 } else { site.workers };
        while making.len() >= at_once {
            let Some(made) = making.join_next().await else { break };
            made??;
        }
        making.spawn(make_one(Arc::clone(site), n, statement.to_owned()));
    }
    while let Some(made) = making.join_next().await {
        made??;
    }
    Ok(())
}

async fn make_one(site: Arc<Site>, n: usize, statement: String) -> Result<(), BuildError> {
    let mut tx = site.log.pool().begin_with(BEGIN).await?;
    let n = n.to_string();
    let part = Part { tenant: "", kind: KIND, after: &n, upto: &n, more: false, events: 0 };
    if state::add_part(&mut tx, &site.schema, &part).await? {
        run(&mut tx, &site.schema.sql(&statement)).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// The statements of a file, each with the comment above it. None has a semicolon at the end of a line
/// but the last one.
fn statements(file: &str) -> impl Iterator<Item = &str> {
    file.split_inclusive(";\n").filter(|statement| !statement.trim().is_empty())
}
