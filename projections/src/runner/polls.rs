//! The polls that are running, and the leases that they have left behind.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::poll::{Outcome, Poll};
use super::queue::Queue;
use super::{Runner, RunnerSettings};
use crate::ProjectionId;
use crate::checkpoint::Subscription;

/// So many leases are remembered before those that have lapsed are forgotten.
const REMEMBERED: usize = 1_024;

#[derive(Default)]
pub(super) struct Polls {
    pub(super) tasks: JoinSet<Outcome>,
    subscriptions: HashMap<Id, Subscription>,
    /// Until when this program leads, at least about; by its own clock.
    leases: HashMap<Subscription, Instant>,
}

/// A poll that has ended.
pub(super) struct Ended {
    pub(super) subscription: Subscription,
    pub(super) outcome: Outcome,
}

impl Polls {
    pub(super) fn has_room(&self, settings: &RunnerSettings) -> bool {
        self.tasks.len() < settings.concurrent_polls
    }

    pub(super) fn start(
        &mut self,
        queue: &mut Queue,
        runner: &Runner,
        is_mine: impl Fn(&Subscription) -> bool,
        cancel: &CancellationToken,
    ) {
        // One place is kept for those that follow their logs, and those that are waited for.
        let backlog_room = runner.settings.concurrent_polls.saturating_sub(1).max(1);
        while self.has_room(&runner.settings)
            && let Some(subscription) = queue.pop(Instant::now(), backlog_room)
        {
            let mut known = runner.projections.iter();
            let Some(projection) = known.find(|known| known.id() == subscription.projection) else {
                continue;
            };
            let poll = Poll {
                projection: Arc::clone(projection),
                log: runner.log.clone(),
                settings: runner.settings,
                progress: runner.progress.clone(),
                me: runner.me,
                keeps_lease: is_mine(&subscription),
                cancel: cancel.clone(),
                subscription: subscription.clone(),
            };
            let task = self.tasks.spawn(poll.run());
            self.subscriptions.insert(task.id(), subscription);
        }
    }

    pub(super) fn end(
        &mut self,
        queue: &mut Queue,
        ended: Result<(Id, Outcome), JoinError>,
        settings: &RunnerSettings,
    ) -> Option<Ended> {
        let (id, outcome) = ended.unwrap_or_else(|error| {
            tracing::error!(%error, "a poll was broken off");
            (error.id(), Outcome::Failed)
        });
        let (subscription, now) = (self.subscriptions.remove(&id)?, Instant::now());
        match outcome {
            Outcome::NotLeading | Outcome::Released => drop(self.leases.remove(&subscription)),
            _ => drop(self.leases.insert(subscription.clone(), now + settings.lease)),
        }
        if self.leases.len() >= REMEMBERED {
            self.leases.retain(|_, until| *until > now);
        }
        queue.ended(subscription.clone(), outcome, now, settings.retry_stalled);
        Some(Ended { subscription, outcome })
    }

    /// Whether this program has polled it so lately that nobody else leads.
    pub(super) fn leads(&self, subscription: &Subscription) -> bool {
        self.leases.get(subscription).is_some_and(|until| *until > Instant::now())
    }

    /// How many subscriptions of a projection this program leads.
    pub(super) fn led(&self, projection: ProjectionId) -> u64 {
        let now = Instant::now();
        let led = self
            .leases
            .iter()
            .filter(|(subscription, until)| subscription.projection == projection && **until > now);
        led.count() as u64
    }

    /// The leases that may last yet of what is not being polled.
    pub(super) fn idle_leases(&self) -> Vec<Subscription> {
        let now = Instant::now();
        let lasting = self.leases.iter().filter(|(_, until)| **until > now);
        let lasting = lasting.map(|(subscription, _)| subscription);
        let polled = |it: &&Subscription| self.subscriptions.values().any(|other| other == *it);
        lasting.filter(|it| !polled(it)).cloned().collect()
    }
}
