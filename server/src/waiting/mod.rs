//! The process manager of the waiting list: it offers places that have become available to the clients who
//! wait for them, in turn.
//!
//! It reacts to events of appointments, sessions, services and resources with commands to entries of the
//! waiting list. How far it has come with a tenant is kept in the database, and only to spare looking again: an offer
//! is one submission to the log, which takes each place once and each entry once. Several programs may do so; a tenant
//! is one's at a time.
//!
//! Whoever waits for nothing that has become available is not looked at, and a tenant of whom nobody waits costs a
//! look-up when its log grows. `queue`: who has a turn when; `behind`: who has to wait for the projections; `turn`: a tenant's
//! turn; `walk`: through those who wait.

mod behind;
mod queue;
mod turn;
mod walk;

use std::sync::Arc;
use std::time::Duration;

use daybook_domain::TenantId;
use daybook_projections::Progress;
use daybook_projections::sessions::Sessions;
use daybook_projections::waiting::WaitingList;
use daybook_store::promotions::Promotions;
use daybook_store::{AppendedTo, Repeated};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::parts::Parts;
use queue::Queue;
use turn::is_another_quarter;

/// The least time between two rounds: many commits share one.
const MIN_ROUND: Duration = Duration::from_millis(100);

/// The longest, where something is to be looked at again.
const MAX_ROUND: Duration = Duration::from_secs(1);

/// All who wait are gone through so often, whatever was heard: that makes up for hints that were lost, and brings
/// the days that come within horizons.
const SWEEP_INTERVAL: Duration = Duration::from_secs(15);

/// So many tenants of them in each round.
const SWEEP_PAGE: u32 = 500;

/// How long it may take to give tenants back.
const GIVE_BACK_TIMEOUT: Duration = Duration::from_secs(2);

static PROMOTE: Repeated = Repeated::new("offer places to those who wait");

/// Promotes those who wait. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Promoter {
    parts: Parts,
    progress: Progress,
    list: WaitingList,
    sessions: Sessions,
    promotions: Promotions,
    /// What has become of holds is to be recorded of entries.
    sweep: Arc<Notify>,
}

/// Where the walk over all who wait is.
enum Sweep {
    After(Option<TenantId>),
    RestsUntil(Instant),
}

impl Promoter {
    pub(crate) fn new(parts: Parts, progress: Progress, sweep: Arc<Notify>) -> Self {
        let (list, sessions) = (parts.waiting_list(), parts.sessions());
        let promotions = Promotions::new(parts.log().pool().clone());
        Self { parts, progress, list, sessions, promotions, sweep }
    }

    /// Promotes until cancelled; then other programs have its tenants at once.
    pub(crate) async fn run(self, cancel: CancellationToken) {
        let mut queue = Queue::default();
        let _ = cancel.run_until_cancelled(self.work(&mut queue)).await;
        queue.stop().await;
        match timeout(GIVE_BACK_TIMEOUT, self.promotions.give_all_back()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the tenants who wait are left to be taken"),
            Err(_) => tracing::warn!("the tenants who wait are left to be taken"),
        }
    }

    async fn work(&self, queue: &mut Queue) {
        let mut appended = self.parts.log().appends();
        let mut sweep = Sweep::After(None);
        // Anybody may have something new: all are asked once more, when all have been.
        let mut once_more = false;
        loop {
            if once_more && matches!(sweep, Sweep::RestsUntil(_)) {
                (once_more, sweep) = (false, Sweep::After(None));
            }
            let round = self.round(queue, &mut sweep).await;
            PROMOTE.note(&round);
            sleep(if round.is_ok() { MIN_ROUND } else { MAX_ROUND }).await;
            // In a while anyhow, and at once when there is something to do.
            loop {
                let next = match &sweep {
                    Sweep::After(_) => Instant::now(),
                    Sweep::RestsUntil(next) => queue.next().map_or(*next, |turn| turn.min(*next)),
                };
                tokio::select! {
                    grown = appended.next() => match grown {
                        AppendedTo::Tenants(tenants) => queue.heard(tenants),
                        AppendedTo::Any => once_more = true,
                    },
                    () = queue.ended() => {
                        queue.begin(self);
                        continue;
                    }
                    () = sleep_until(next) => {}
                }
                break;
            }
        }
    }

    /// Finds out who is to have a turn, and begins those that can be begun.
    async fn round(&self, queue: &mut Queue, sweep: &mut Sweep) -> Result<(), sqlx::Error> {
        if let Sweep::RestsUntil(until) = sweep
            && *until <= Instant::now()
        {
            *sweep = Sweep::After(None);
        }
        if let Sweep::After(after) = sweep {
            let now = self.parts.clock.now();
            let waiting = self.list.tenants(after.as_ref(), SWEEP_PAGE).await?;
            let more = waiting.len() >= SWEEP_PAGE as usize;
            let last = waiting.last().map(|of| of.tenant.clone());
            for of in waiting {
                let quarter = of.passed.is_none_or(|passed| is_another_quarter(passed, now));
                if of.promoted != Some(of.head) || quarter {
                    queue.add_to_record(of.tenant);
                }
            }
            *sweep = match last.filter(|_| more) {
                Some(last) => Sweep::After(Some(last)),
                None => Sweep::RestsUntil(Instant::now() + SWEEP_INTERVAL),
            };
        }
        let asked = queue.to_ask();
        if !asked.is_empty() {
            let answers = self.list.whether_anybody_waits(&asked).await?;
            queue.answered(answers);
        }
        queue.begin(self);
        Ok(())
    }
}
