//! `daybook replay`: events as they happened, or what would have become of them by other rules.

mod event_stream;
mod what_if;

use crate::cli::Replay;
use crate::database::Database;

/// Replays.
pub(crate) async fn run(database: &Database, options: &Replay) -> anyhow::Result<()> {
    match &options.what_if {
        None => event_stream::run(database, options).await,
        Some(policy) => what_if::run(database, options, policy).await,
    }
}
