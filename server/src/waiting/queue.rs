//! Which tenants are to have a turn, and when.
//!
//! Whose projections are behind has none until they are not (`behind`).
//!
//! A turn takes a short time; whoever has not come to an end is begun again after a pause, behind the others, that is
//! longer than what it has taken. So a tenant with thousands who wait keeps no other from its turn, and no processor
//! busy.

use std::collections::HashMap;
use std::time::Duration;

use daybook_domain::TenantId;
use daybook_projections::waiting::AnybodyWaits;
use daybook_store::Position;
use tokio::task::{self, JoinError, JoinSet};
use tokio::time::Instant;

use super::Promoter;
use super::behind::Behind;
use super::turn::{After, Turn};

/// How many have a turn at once.
const AT_ONCE: usize = 2;

/// How long it is asked whether anybody waits, while the list has not been read as far as the log has come. After
/// that the sweep finds it.
const ASKED: Duration = Duration::from_secs(10);

/// How long a tenant is left alone with which something went wrong, or which another program has.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Default)]
pub(super) struct Queue {
    /// Whose logs have grown up to there, and since when that is known.
    grown: HashMap<TenantId, (Position, Instant)>,
    /// Who is to have a turn.
    ready: HashMap<TenantId, Ready>,
    running: JoinSet<anyhow::Result<After>>,
    busy: HashMap<task::Id, TenantId>,
    /// How far this program knows tenants to be.
    known: HashMap<TenantId, Position>,
    /// Whose projections are behind.
    behind: HashMap<TenantId, Behind>,
}

struct Ready {
    not_before: Instant,
    turn: Turn,
}

impl Queue {
    /// These logs have grown.
    pub(super) fn heard(&mut self, tenants: HashMap<TenantId, Position>) {
        let now = Instant::now();
        self.grown.extend(tenants.into_iter().map(|(tenant, at)| (tenant, (at, now))));
    }

    /// A tenant is to have a turn, and it is to be recorded how far it is.
    pub(super) fn add_to_record(&mut self, tenant: TenantId) {
        self.add(tenant).turn.record = true;
    }

    fn add(&mut self, tenant: TenantId) -> &mut Ready {
        let turn = Turn { known: self.known.get(&tenant).copied(), ..Turn::default() };
        self.ready.entry(tenant).or_insert_with(|| Ready { not_before: Instant::now(), turn })
    }

    /// Of whom it is not known whether anybody waits.
    pub(super) fn to_ask(&self) -> Vec<TenantId> {
        self.grown.keys().cloned().collect()
    }

    pub(super) fn answered(&mut self, answers: Vec<AnybodyWaits>) {
        for AnybodyWaits { tenant, waits, read } in answers {
            let Some((at, since)) = self.grown.get(&tenant).copied() else { continue };
            if waits {
                self.grown.remove(&tenant);
                self.add(tenant);
            } else if read >= at || since.elapsed() > ASKED {
                self.grown.remove(&tenant);
                self.known.remove(&tenant);
            }
        }
    }

    /// When there is something to do again, if nothing is heard.
    pub(super) fn next(&self) -> Option<Instant> {
        let asks = (!self.grown.is_empty()).then(Instant::now);
        let has_room = self.running.len() < AT_ONCE;
        let ready = self.ready.iter().filter(|(tenant, _)| has_room && !self.is_busy(tenant));
        ready.map(|(_, ready)| ready.not_before).chain(asks).min()
    }

    /// Waits until a turn has ended.
    pub(super) async fn ended(&mut self) {
        match self.running.join_next_with_id().await {
            Some(ended) => self.end(ended),
            None => std::future::pending().await,
        }
    }

    fn is_busy(&self, tenant: &TenantId) -> bool {
        self.busy.values().any(|busy| busy == tenant)
    }

    /// Begins the turns of those who have waited longest.
    pub(super) fn begin(&mut self, promoter: &Promoter) {
        let now = Instant::now();
        while self.running.len() < AT_ONCE {
            let ready = self.ready.iter().filter(|(tenant, _)| !self.is_busy(tenant));
            let next = ready.min_by_key(|(_, ready)| ready.not_before);
            let Some((tenant, _)) = next.filter(|(_, ready)| ready.not_before <= now) else {
                return;
            };
            let tenant = tenant.clone();
            let Some(Ready { turn, .. }) = self.ready.remove(&tenant) else { return };
            let (promoter, of) = (promoter.clone(), tenant.clone());
            let started = self.running.spawn(async move { promoter.turn(&of, turn).await });
            self.busy.insert(started.id(), tenant);
        }
    }

    fn end(&mut self, ended: Result<(task::Id, anyhow::Result<After>), JoinError>) {
        let (id, after) = match ended {
            Ok((id, after)) => (id, after),
            Err(error) => (error.id(), Err(error.into())),
        };
        let Some(tenant) = self.busy.remove(&id) else { return };
        if !matches!(after, Ok(After::Behind(_))) {
            self.behind.remove(&tenant);
        }
        let now = Instant::now();
        let (pause, walk) = match after {
            Ok(After::Done(read)) => {
                self.known.insert(tenant, read);
                return;
            }
            Ok(After::Later { pause, walk }) => (pause, Some(walk)),
            Ok(After::Behind(walk)) => {
                let behind = self.behind.entry(tenant.clone());
                let behind = behind.or_insert_with(|| Behind::since(now));
                (behind.pause(&tenant, now), walk)
            }
            Ok(After::Others) => (PAUSE, None),
            Err(error) => {
                tracing::debug!(error = format!("{error:#}"), %tenant, "not promoted");
                (PAUSE, None)
            }
        };
        // How far it is, is what the database says.
        self.known.remove(&tenant);
        let ready = self.add(tenant);
        ready.not_before = now + pause;
        ready.turn.walk = walk;
    }

    /// Breaks off the turns that are under way, and returns when they have ended.
    pub(super) async fn stop(&mut self) {
        self.running.shutdown().await;
    }
}
