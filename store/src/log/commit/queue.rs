//! What waits for a committer, and how submitters are answered.

use daybook_domain::TenantId;
use metrics::gauge;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::log::submission::{AppendError, Submission, Verdict};
use crate::metrics::SUBMISSIONS_WAITING;

/// The most submissions in one transaction.
const MAX_BATCH: usize = 1_024;

type Reply = oneshot::Sender<Result<Verdict, AppendError>>;

/// A submission and who waits for its verdict. Nobody may wait any more: it is appended anyway.
pub(in crate::log) struct Pending {
    pub(in crate::log) submission: Submission,
    pub(in crate::log) reply: Reply,
    pub(in crate::log) since: Instant,
}

/// What was submitted to a committer and is in no batch yet, in its order.
pub(super) struct Queue {
    submitted: mpsc::Receiver<Pending>,
    waiting: Vec<Pending>,
}

impl Queue {
    pub(super) fn new(submitted: mpsc::Receiver<Pending>) -> Self {
        Self { submitted, waiting: Vec::with_capacity(MAX_BATCH) }
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether more can wait here; what is submitted beyond that stays in the channel, which is bounded.
    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() < MAX_BATCH
    }

    /// Waits until something is submitted; `false`: nobody can submit any more.
    pub(super) async fn wait(&mut self) -> bool {
        let room = MAX_BATCH - self.waiting.len();
        self.submitted.recv_many(&mut self.waiting, room).await > 0
    }

    /// Takes in what has been submitted by now.
    pub(super) fn take_in(&mut self) {
        while self.has_room()
            && let Ok(pending) = self.submitted.try_recv()
        {
            self.waiting.push(pending);
        }
    }

    /// The first so many, in a batch for each tenant.
    pub(super) fn batches(&mut self, size: usize) -> Vec<Batch> {
        Batch::by_tenant(self.waiting.drain(..size))
    }

    /// Adds to a batch whatever waits for its tenant by now; whether there was something.
    pub(super) fn fill(&mut self, batch: &mut Batch) -> bool {
        self.take_in();
        let room = MAX_BATCH.saturating_sub(batch.submissions.len());
        let mut added = 0;
        let of_tenant = self.waiting.extract_if(.., |pending| {
            let fits = added < room && pending.submission.tenant == batch.tenant;
            added += usize::from(fits);
            fits
        });
        for Pending { submission, reply, .. } in of_tenant {
            gauge!(SUBMISSIONS_WAITING).decrement(1);
            batch.submissions.push(submission);
            batch.replies.0.push(reply);
        }
        added > 0
    }
}

/// Submissions to the log of one tenant, in their order.
pub(super) struct Batch {
    pub(super) tenant: TenantId,
    pub(super) submissions: Vec<Submission>,
    pub(super) replies: Replies,
    /// From when on it is counted how long it is tried: when its first submission came, or something later.
    pub(super) since: Instant,
}

impl Batch {
    /// Each tenant's submissions in a batch.
    fn by_tenant(pending: impl Iterator<Item = Pending>) -> Vec<Self> {
        let mut batches: Vec<Self> = Vec::new();
        for Pending { submission, reply, since } in pending {
            gauge!(SUBMISSIONS_WAITING).decrement(1);
            match batches.iter_mut().find(|batch| batch.tenant == submission.tenant) {
                Some(batch) => {
                    batch.submissions.push(submission);
                    batch.replies.0.push(reply);
                }
                None => batches.push(Self {
                    tenant: submission.tenant.clone(),
                    submissions: vec![submission],
                    replies: Replies(vec![reply]),
                    since,
                }),
            }
        }
        batches
    }

    /// The two halves of it. Being tried in vain has cost them none of their time.
    pub(super) fn halves(mut self) -> (Self, Self) {
        let half = self.submissions.len() / 2;
        self.since = Instant::now();
        let other = Self {
            tenant: self.tenant.clone(),
            submissions: self.submissions.split_off(half),
            replies: Replies(self.replies.0.split_off(half)),
            since: self.since,
        };
        (self, other)
    }
}

/// Who waits for the verdicts of a batch.
pub(super) struct Replies(Vec<Reply>);

impl Replies {
    pub(super) fn answer(self, verdicts: Vec<Verdict>) {
        self.send(verdicts.into_iter().map(Ok));
    }

    /// Nobody gets a verdict.
    pub(super) fn fail(self, error: AppendError) {
        self.send(std::iter::repeat(Err(error)));
    }

    fn send(self, verdicts: impl Iterator<Item = Result<Verdict, AppendError>>) {
        for (reply, verdict) in self.0.into_iter().zip(verdicts) {
            // Whoever asked may have gone away.
            let _ = reply.send(verdict);
        }
    }
}
