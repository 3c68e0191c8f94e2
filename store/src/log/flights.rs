//! Batches that are being written beside each other.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use futures::FutureExt as _;
use futures::future::{BoxFuture, MaybeDone, maybe_done};
use sqlx::Postgres;
use sqlx::pool::PoolConnection;

use super::batch::{Head, bounded};
use super::lane::Batch;
use super::submission::Verdict;
use super::write::Rows;

/// A batch that is being written by what is remembered alone.
pub(super) struct Flight {
    pub(super) batch: Batch,
    /// Where the log ends after it.
    pub(super) new_head: Head,
    pub(super) verdicts: Vec<Verdict>,
}

/// How a flight ended, and its connection.
pub(super) type Written = (PoolConnection<Postgres>, Result<(), sqlx::Error>);

/// All that are under way, oldest first. Each goes on whenever anything is waited for here.
#[derive(Default)]
pub(super) struct Flights(VecDeque<(Flight, MaybeDone<BoxFuture<'static, Written>>)>);

impl Flights {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many submissions are in all of them.
    pub(super) fn submissions(&self) -> usize {
        self.0.iter().map(|(flight, _)| flight.batch.len()).sum()
    }

    /// Sends one off, after those before it.
    pub(super) async fn send(
        &mut self,
        flight: Flight,
        rows: Rows,
        mut connection: PoolConnection<Postgres>,
    ) {
        let written = async move {
            let written = bounded(rows.write(&mut connection)).await;
            (connection, written)
        };
        self.0.push_back((flight, maybe_done(written.boxed())));
        // It is sent now, whatever the lane does next.
        self.beside(async {}).await;
    }

    /// Waits until the oldest has ended; it has to be taken off then.
    pub(super) async fn first(&mut self) -> Written {
        poll_fn(|context| {
            self.go_on(context);
            let first = self.0.front_mut();
            let first = first.and_then(|(_, written)| Pin::new(written).take_output());
            first.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    /// Takes the oldest off.
    pub(super) fn take_first(&mut self) -> Option<Flight> {
        self.0.pop_front().map(|(flight, _)| flight)
    }

    /// Does something while they go on.
    pub(super) async fn beside<T>(&mut self, work: impl Future<Output = T>) -> T {
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
