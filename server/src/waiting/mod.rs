//! The process manager of the waiting list: it offers places that have become available to the clients who
//! wait for them, in turn.
//!
//! It reacts to events of appointments, sessions, services and resources with commands to entries of the
//! waiting list, and keeps no state of its own that matters: each round goes by what is in the log and in the waiting-list projection; what is remembered from
//! round to round only saves looking again. Several programs may do so at once: an offer is one
//! submission to the log, which takes each place once and each entry once.

mod turn;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use daybook_domain::TenantId;
use daybook_projections::Progress;
use daybook_projections::sessions::Sessions;
use daybook_projections::waiting::WaitingList;
use daybook_store::Position;
use daybook_store::engine::OfferTerms;
use tokio::sync::Semaphore;
use tokio::task::{self, JoinError, JoinSet};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::parts::Parts;

/// How long to wait where nothing wakes it: a lost wake-up costs as much.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The least time between two rounds: many commits share one.
const MIN_POLL_INTERVAL: Duration = Duration::from_millis(50);

/// How often it is looked at whether something has come to pass by itself, where nothing happens. Holds
/// that lapse are recorded by the sweeper, and so are heard of sooner.
const LAPSE_CHECK_INTERVAL: Duration = Duration::from_secs(10);

/// How many tenants are worked on at once.
const MAX_TENANTS_AT_ONCE: usize = 4;

/// Promotes those who wait. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Promoter {
    parts: Parts,
    progress: Progress,
    terms: OfferTerms,
    list: WaitingList,
    sessions: Sessions,
    turns: Arc<Semaphore>,
}

/// What is remembered of a tenant.
#[derive(Clone, Copy)]
struct Remembered {
    /// Up to here, nothing has become available that was not offered to all who wait.
    read: Position,
    /// When all who wait were last looked at.
    looked: Instant,
    /// When it last had a turn.
    began: Instant,
}

/// The tenants that have a turn now, and what is remembered of the others.
#[derive(Default)]
struct Turns {
    running: JoinSet<anyhow::Result<Remembered>>,
    busy: HashMap<task::Id, TenantId>,
    remembered: HashMap<TenantId, Remembered>,
}

impl Promoter {
    pub(crate) fn new(parts: Parts, progress: Progress, terms: OfferTerms) -> Self {
        let (list, sessions) = (parts.waiting_list(), parts.sessions());
        Self {
            parts,
            progress,
            terms,
            list,
            sessions,
            turns: Arc::new(Semaphore::new(MAX_TENANTS_AT_ONCE)),
        }
    }

    pub(crate) async fn run(self, cancel: CancellationToken) {
        let mut woken = self.parts.log().wakeups();
        let mut turns = Turns::default();
        loop {
            if let Err(error) = self.begin(&mut turns).await {
                tracing::debug!(%error, "nobody is promoted; it will be tried again");
            }
            tokio::select! {
                () = cancel.cancelled() => return,
                () = sleep(MIN_POLL_INTERVAL) => {}
            }
            let something = async {
                tokio::select! {
                    _ = woken.changed() => {}
                    Some(ended) = turns.running.join_next_with_id() => turns.end(ended),
                }
            };
            tokio::select! {
                () = cancel.cancelled() => return,
                _ = timeout(POLL_INTERVAL, something) => {}
            }
        }
    }

    /// Gives a turn to every tenant of which something is new.
    async fn begin(&self, turns: &mut Turns) -> Result<(), sqlx::Error> {
        while let Some(ended) = turns.running.try_join_next_with_id() {
            turns.end(ended);
        }
        for (tenant, head) in self.parts.log().heads().await? {
            let before = turns.remembered.get(&tenant).copied();
            let rests = before
                .is_some_and(|it| it.read == head && it.began.elapsed() < LAPSE_CHECK_INTERVAL);
            if rests || turns.busy.values().any(|busy| *busy == tenant) {
                continue;
            }
            let (this, of) = (self.clone(), tenant.clone());
            let started = turns.running.spawn(async move {
                let after = this.in_order(&of, head, before).await;
                if after.is_err() {
                    sleep(POLL_INTERVAL).await;
                }
                after
            });
            turns.busy.insert(started.id(), tenant);
        }
        Ok(())
    }

    async fn in_order(
        &self,
        tenant: &TenantId,
        head: Position,
        before: Option<Remembered>,
    ) -> anyhow::Result<Remembered> {
        let _turn = self.turns.acquire().await?;
        self.turn(tenant, head, before).await
    }
}

impl Turns {
    fn end(&mut self, ended: Result<(task::Id, anyhow::Result<Remembered>), JoinError>) {
        let (id, after) = match ended {
            Ok((id, after)) => (id, after),
            Err(error) => (error.id(), Err(error.into())),
        };
        let Some(tenant) = self.busy.remove(&id) else { return };
        match after {
            Ok(after) => {
                self.remembered.insert(tenant, after);
            }
            // The next turn goes by what was remembered before.
            Err(error) => tracing::debug!(error = format!("{error:#}"), %tenant, "not promoted"),
        }
    }
}
