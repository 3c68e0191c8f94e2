//! The verdicts of a batch: a pure function of what was submitted and of the state of the log.

use std::collections::{BTreeSet, HashMap};

use daybook_domain::AppointmentId;
use daybook_domain::claim::{Claim, ClaimIndex, reference};

use crate::log::submission::{
    Append, CommandKey, Decision, FirstAnswer, OnConflict, Submission, Verdict,
};
use crate::log::{Position, StreamId};

/// What a batch is decided by: loaded under the lock of the tenant's head, or taken for granted.
#[derive(Debug, Default)]
pub(super) struct BatchState {
    /// The position of the log's last event.
    pub(super) head: Position,
    /// Each stream that a submission expects a version of, at its present version.
    pub(super) versions: HashMap<StreamId, u64>,
    /// The keys among the batch's that were seen before.
    pub(super) answers: HashMap<String, (CommandKey, FirstAnswer)>,
    /// The claims that could be in the batch's way.
    pub(super) claims: ClaimIndex,
}

/// What the batch comes to.
#[derive(Debug, Default)]
pub(super) struct Resolution<'a> {
    /// A verdict for each submission, in their order.
    pub(super) verdicts: Vec<Verdict>,
    /// What is appended, in order.
    pub(super) appends: Vec<&'a Append>,
    /// Appointments whose claims are removed before new ones are taken.
    pub(super) released: BTreeSet<AppointmentId>,
    /// Claims that are taken.
    pub(super) taken: Vec<(AppointmentId, Claim)>,
    /// Keys that have their answer now.
    pub(super) answered: Vec<(&'a CommandKey, FirstAnswer)>,
}

impl Resolution<'_> {
    /// Whether there is nothing to write.
    pub(super) fn changes_nothing(&self) -> bool {
        self.appends.is_empty() && self.answered.is_empty()
    }
}

/// Goes through the submissions in order, each as if those before it were in the log already.
/// A loser leaves no trace, so it cannot fail its neighbours. Also gives the state afterwards.
pub(super) fn resolve(
    submissions: &[Submission],
    state: BatchState,
) -> (Resolution<'_>, BatchState) {
    let mut resolver =
        Resolver { state, resolution: Resolution::default(), holders: BTreeSet::new() };
    for submission in submissions {
        let verdict = resolver.judge(submission);
        resolver.resolution.verdicts.push(verdict);
    }
    resolver.finish()
}

struct Resolver<'a> {
    state: BatchState,
    resolution: Resolution<'a>,
    /// Every appointment whose claims change.
    holders: BTreeSet<AppointmentId>,
}

impl<'a> Resolver<'a> {
    fn judge(&mut self, submission: &'a Submission) -> Verdict {
        if let Some(key) = &submission.key
            && let Some((first, answer)) = self.state.answers.get(&key.key)
        {
            return if first.fingerprint == key.fingerprint {
                Verdict::Answered(answer.clone())
            } else if key.is_of_same_caller(first) {
                Verdict::KeyReused
            } else {
                Verdict::KeyOfAnother
            };
        }
        match &submission.decision {
            Decision::Answer(answer) => {
                self.answer(submission, answer.clone());
                Verdict::AnswerKept
            }
            Decision::Accept { appends, claims, on_conflict, .. } => {
                let stale = self.stale(&submission.decision);
                if !stale.is_empty() {
                    return Verdict::Stale(stale);
                }
                match self.state.claims.replace_all(claims, submission.decided_at) {
                    Ok(lapsed) => self.resolution.released.extend(lapsed),
                    Err(conflict) => {
                        if *on_conflict == OnConflict::Refuse {
                            self.answer(submission, FirstAnswer::Refused(conflict.into()));
                        }
                        return Verdict::SlotTaken(conflict);
                    }
                }
                self.note_holders(claims, appends);
                self.append(submission, appends)
            }
        }
    }

    fn stale(&self, decision: &Decision) -> Vec<StreamId> {
        let version = |stream: &StreamId| self.state.versions.get(stream).copied().unwrap_or(0);
        let moved = decision.expected_versions().filter(|(stream, seen)| version(stream) != *seen);
        moved.map(|(stream, _)| stream.clone()).collect()
    }

    fn note_holders(&mut self, claims: &[(AppointmentId, Vec<Claim>)], appends: &[Append]) {
        for (holder, _) in claims {
            self.holders.insert(*holder);
            let of_reference = reference::holder(holder.uuid());
            let ids = [holder.uuid(), of_reference.uuid()];
            let new = |append: &Append| append.after == 0 && ids.contains(&append.stream.uuid());
            if !appends.iter().any(new) {
                self.resolution.released.insert(*holder);
            }
        }
    }

    fn append(&mut self, submission: &'a Submission, appends: &'a [Append]) -> Verdict {
        for append in appends {
            self.state.head = self.state.head.plus(append.events.len() as u64);
            self.state.versions.insert(append.stream.clone(), append.version());
            self.resolution.appends.push(append);
        }
        let position = self.state.head;
        if let Some(target) = appends.first() {
            let (id, version) = (target.stream.uuid(), target.version());
            self.answer(submission, FirstAnswer::Accepted { id, version, position });
        }
        Verdict::Appended(position)
    }

    fn answer(&mut self, submission: &'a Submission, answer: FirstAnswer) {
        if let Some(key) = &submission.key {
            self.state.answers.insert(key.key.clone(), (key.clone(), answer.clone()));
            self.resolution.answered.push((key, answer));
        }
    }

    fn finish(mut self) -> (Resolution<'a>, BatchState) {
        for holder in self.holders {
            let claims = self.state.claims.claims_of(holder);
            self.resolution.taken.extend(claims.iter().map(|claim| (holder, *claim)));
        }
        // Neighbours in the index are inserted one after the other.
        self.resolution.taken.sort_by_key(|(_, claim)| (claim.resource, claim.during.start()));
        // Two programs that were sent the same keys wait for each other in one order only.
        self.resolution.answered.sort_unstable_by(|(one, _), (other, _)| one.key.cmp(&other.key));
        (self.resolution, self.state)
    }
}

#[cfg(test)]
mod tests;
