//! What is measured of batches.

use std::time::Instant;

use metrics::{counter, histogram};

use crate::metrics::{BATCH_FAILURES, BATCH_SECONDS, BATCH_SIZE};

/// How a batch is sent.
#[derive(Debug, Clone, Copy)]
pub(super) enum Path {
    Optimistic,
    Serial,
}

impl Path {
    const fn name(self) -> &'static str {
        match self {
            Self::Optimistic => "optimistic",
            Self::Serial => "serial",
        }
    }
}

/// Runs what commits a batch of so many submissions, and measures it.
pub(super) async fn measured<T, E>(
    path: Path,
    submissions: usize,
    commit: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let began = Instant::now();
    let outcome = commit.await;
    record(path, began, submissions, &outcome);
    outcome
}

/// Takes note of a batch that began then and has ended.
#[expect(clippy::cast_precision_loss, reason = "a histogram is of floats, and a batch is small")]
pub(super) fn record<T, E>(path: Path, began: Instant, submissions: usize, outcome: &Result<T, E>) {
    histogram!(BATCH_SECONDS, "path" => path.name()).record(began.elapsed());
    histogram!(BATCH_SIZE, "path" => path.name()).record(submissions as f64);
    if outcome.is_err() {
        counter!(BATCH_FAILURES, "path" => path.name()).increment(1);
    }
}
