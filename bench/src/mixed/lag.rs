//! How long after a command was answered its effect can be found.
//!
//! Every command is measured. One task waits for the oldest that is not visible yet, then looks how
//! far the projection has come by now, and so learns of a whole batch with two small queries.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use daybook_projections::Progress;
use daybook_projections::appointments::Appointments;
use daybook_store::Position;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::JoinHandle;

use crate::daybook::{Daybook, Projections};
use crate::load::Window;
use crate::samples::Samples;

/// A lag that is longer ends the run.
const PATIENCE: Duration = Duration::from_mins(1);

/// Where a command ended in the log, and when it was answered.
type Committed = (Position, Instant);

/// When a command was answered, and when it was visible.
type Seen = (Instant, Instant);

/// Hears of commands.
#[derive(Clone)]
pub(super) struct Lag(UnboundedSender<Committed>);

impl Lag {
    pub(super) fn committed(&self, position: Position) {
        // Where the watch has failed, it says so at the end.
        let _ = self.0.send((position, Instant::now()));
    }
}

/// Watches the projection of searches.
pub(super) struct Watch(JoinHandle<anyhow::Result<Vec<Seen>>>);

impl Watch {
    pub(super) fn start(daybook: &Arc<Daybook>, projections: &Projections) -> (Self, Lag) {
        let (sender, committed) = mpsc::unbounded_channel();
        let (daybook, progress) = (Arc::clone(daybook), projections.progress.clone());
        (Self(tokio::spawn(watch(daybook, progress, committed))), Lag(sender))
    }

    /// Waits until everything is visible that was committed.
    pub(super) async fn finish(
        self,
        case: &'static str,
        window: Window,
    ) -> anyhow::Result<Samples> {
        let mut samples = Samples::new(window.timing().measured);
        for (answered, visible) in self.0.await?? {
            if window.counts(answered) {
                let lag = visible.saturating_duration_since(answered);
                samples.add(case, u32::try_from(lag.as_micros()).unwrap_or(u32::MAX))?;
            }
        }
        Ok(samples)
    }
}

async fn watch(
    daybook: Arc<Daybook>,
    progress: Progress,
    mut committed: UnboundedReceiver<Committed>,
) -> anyhow::Result<Vec<Seen>> {
    let (mut waiting, mut seen) = (Vec::new(), Vec::new());
    loop {
        if waiting.is_empty() {
            let Some(first) = committed.recv().await else { return Ok(seen) };
            waiting.push(first);
        }
        while let Ok(another) = committed.try_recv() {
            waiting.push(another);
        }
        let oldest = waiting.iter().map(|(position, _)| *position).min().unwrap_or_default();
        let deadline = tokio::time::Instant::now() + PATIENCE;
        progress
            .wait_until(&daybook.tenant, Appointments::ID, oldest, deadline)
            .await
            .context("the projection does not follow")?;
        let visible = position(&daybook).await?.max(oldest);
        let visible_at = Instant::now();
        // What was committed since is looked at in the next round.
        waiting.retain(|(position, answered)| {
            let is_visible = *position <= visible;
            if is_visible {
                seen.push((*answered, visible_at));
            }
            !is_visible
        });
    }
}

/// How far the projection has come. Served by the primary key.
async fn position(daybook: &Daybook) -> anyhow::Result<Position> {
    let position: i64 = sqlx::query_scalar(
        "SELECT position FROM checkpoints
          WHERE tenant_id = $1 AND projection = $2 AND version = $3",
    )
    .bind(daybook.tenant.as_str())
    .bind(Appointments::ID.name)
    .bind(Appointments::ID.version)
    .fetch_one(daybook.log().pool())
    .await?;
    Ok(Position::from_i64(position))
}
