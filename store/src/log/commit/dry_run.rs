//! The verdict that a submission would get now, and nothing else: no lock is taken, and nothing is written.

use std::slice;

use super::fault::append_error;
use super::head_cache::HeadCache;
use super::load;
use super::resolve::resolve;
use crate::log::submission::{AppendError, Submission, Verdict};
use crate::log::{Log, reader};

impl Log {
    /// What [`append`](Self::append) would say of a submission now. It is not appended, and what is said may be
    /// out of date a moment later.
    ///
    /// # Errors
    /// When there is no verdict: there is no such tenant, or the database is not to be reached.
    pub(crate) async fn dry_run(&self, submission: &Submission) -> Result<Verdict, AppendError> {
        let tenant = &submission.tenant;
        let head = reader::head(self.pool(), tenant).await.map_err(|error| append_error(&error))?;
        let head = head.ok_or(AppendError::UnknownTenant)?;
        let submissions = slice::from_ref(submission);
        // A connection of those on which the statement is always run by its indexes.
        let connection = self.claims_pool().acquire().await;
        let mut connection = connection.map_err(|error| append_error(&error))?;
        let mut nothing_known = HeadCache::default();
        let state = load::state(&mut connection, tenant, head, submissions, &mut nothing_known);
        let state = state.await.map_err(|error| append_error(&error))?;
        let (mut resolution, _) = resolve(submissions, state);
        resolution.verdicts.pop().ok_or(AppendError::Unavailable)
    }
}
