//! What is seen of batches: a span of each, linked to its submissions, and figures.

use std::time::Instant;

use daybook_domain::TenantId;
use metrics::{counter, histogram};
use tracing::{Span, field};

use crate::log::submission::{Decision, Submission};
use crate::metrics::{BATCH_FAILURES, BATCH_SECONDS, BATCH_SIZE};
use crate::trace_context::{self, TraceContext};

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

/// A batch that is sent now.
pub(super) struct Sending {
    path: Path,
    began: Instant,
    span: Span,
}

impl Sending {
    /// Its span belongs to no request: it is of all that are in it.
    pub(super) fn new(path: Path, tenant: &TenantId) -> Self {
        let span = tracing::debug_span!(
            parent: None, "batch", %tenant, path = path.name(), submissions = field::Empty
        );
        Self { path, began: Instant::now(), span }
    }

    pub(super) fn span(&self) -> Span {
        self.span.clone()
    }

    /// These are in it.
    pub(super) fn link(&self, submissions: &[Submission]) {
        self.span.record("submissions", submissions.len());
        trace_context::link_all(&self.span, submissions.iter().filter_map(trace));
    }

    /// It has ended, with so many in it.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a histogram is of floats, and a batch is small"
    )]
    pub(super) fn ended<T, E>(self, submissions: usize, outcome: &Result<T, E>) {
        let path = self.path.name();
        histogram!(BATCH_SECONDS, "path" => path).record(self.began.elapsed());
        histogram!(BATCH_SIZE, "path" => path).record(submissions as f64);
        if outcome.is_err() {
            counter!(BATCH_FAILURES, "path" => path).increment(1);
        }
    }
}

/// The trace that its events say.
fn trace(submission: &Submission) -> Option<TraceContext> {
    let Decision::Accept { appends, .. } = &submission.decision else { return None };
    trace_context::of_metadata(&appends.first()?.events.first()?.metadata)
}
