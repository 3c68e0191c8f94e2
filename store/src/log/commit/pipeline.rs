//! Optimistic batches in flight: sent and not yet committed.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use futures::FutureExt as _;
use futures::future::{BoxFuture, MaybeDone, maybe_done};
use tracing::Instrument as _;

use super::connections::{CONNECTIONS, CommitConnection, bounded};
use super::measure::{Path, Sending};
use super::queue::Batch;
use super::rows::Rows;
use crate::log::head::Head;
use crate::log::submission::Verdict;

/// A batch that was sent.
pub(super) struct InFlightBatch {
    pub(super) batch: Batch,
    /// Where the log ends after it.
    pub(super) new_head: Head,
    pub(super) verdicts: Vec<Verdict>,
}

/// How a batch ended, and its connection.
pub(super) type Written = (CommitConnection, Result<(), sqlx::Error>);

/// All that are in flight, oldest first. They go on whenever anything is waited for here: the runtime might
/// run tasks of their own in another order, and the later one would find another end of the log.
#[derive(Default)]
pub(super) struct Pipeline(VecDeque<(InFlightBatch, MaybeDone<BoxFuture<'static, Written>>)>);

impl Pipeline {
    /// The most that can be in flight.
    pub(super) const DEPTH: usize = CONNECTIONS as usize;

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many submissions are in all of them.
    pub(super) fn submissions(&self) -> usize {
        self.0.iter().map(|(in_flight, _)| in_flight.batch.submissions.len()).sum()
    }

    /// Sends a batch, after those before it.
    pub(super) async fn send(
        &mut self,
        batch: InFlightBatch,
        rows: Rows,
        mut connection: CommitConnection,
    ) {
        let Batch { tenant, submissions, .. } = &batch.batch;
        let (sending, count) = (Sending::new(Path::Optimistic, tenant), submissions.len());
        sending.link(submissions);
        let written = async move {
            let write = bounded(rows.write(&mut connection)).instrument(sending.span());
            let written = write.await;
            sending.ended(count, &written);
            (connection, written)
        };
        self.0.push_back((batch, maybe_done(written.boxed())));
        // It is sent now, whatever the committer does next.
        self.drive(async {}).await;
    }

    /// Waits until the oldest has ended, and takes it off.
    pub(super) async fn next(&mut self) -> (InFlightBatch, Written) {
        poll_fn(|context| {
            self.go_on(context);
            let oldest = self.0.front_mut();
            let written = oldest.and_then(|(_, written)| Pin::new(written).take_output());
            match written.and_then(|written| Some((self.0.pop_front()?.0, written))) {
                Some(ended) => Poll::Ready(ended),
                None => Poll::Pending,
            }
        })
        .await
    }

    /// Does something while they go on.
    pub(super) async fn drive<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|context| {
            self.go_on(context);
            work.as_mut().poll(context)
        })
        .await
    }

    fn go_on(&mut self, context: &mut Context<'_>) {
        for (_, written) in &mut self.0 {
            let _ = written.poll_unpin(context);
        }
    }
}
