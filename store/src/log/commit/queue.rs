//! What waits for a committer, and how submitters are answered.

use daybook_domain::TenantId;
use metrics::gauge;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::log::submission::{AppendError, Submission, Verdict};
use crate::metrics::SUBMISSIONS_WAITING;

type Reply = oneshot::Sender<Result<Verdict, AppendError>>;

/// A submission and who waits for its verdict. Nobody may wait any more: it is appended anyway.
pub(in crate::log) struct Pending {
    pub(in crate::log) submission: Submission,
    pub(in crate::log) reply: Reply,
    pub(in crate::log) since: Instant,
}

/// Submissions to the log of one tenant, in their order.
pub(super) struct Batch {
    pub(super) tenant: TenantId,
    pub(super) submissions: Vec<Submission>,
    pub(super) replies: Replies,
    /// When its first submission came.
    pub(super) since: Instant,
}

impl Batch {
    /// Each tenant's submissions in a batch.
    pub(super) fn by_tenant(pending: impl Iterator<Item = Pending>) -> Vec<Self> {
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
