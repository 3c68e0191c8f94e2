//! What is polled when: the queue, and what fills it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use daybook_domain::TenantId;
use daybook_store::{AppendedTo, Position, Repeated};
use tokio::sync::{Notify, watch};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::look::{self, Behind, Look};
use super::poll::Outcome;
use super::polls::Polls;
use super::queue::{Kind, Queue};
use super::shares::Shares;
use super::sweep::Sweep;
use super::{Runner, comparison, rest};
use crate::checkpoint::Subscription;
use crate::lag::Lag;
use crate::progress::Awaited;
use crate::{ProjectionId, schema};

/// What another program is to poll, and has not for so many seconds, this one polls.
const PATIENCE: f64 = 0.4;

/// A log of at most so many events is of a tenant that is being set up, unless it has been followed for so long.
const SHORT: Position = Position::from_i64(100);
const FOLLOWED: Duration = Duration::from_secs(30);

/// What has happened in so many seconds is followed; whoever is further behind catches up.
const RECENT: f64 = 10.0;

/// So many tenants are known at most; then all are forgotten, and learnt again.
const MAX_KNOWN: usize = 65_536;

/// After so long without a look, others may have done anything.
const LONG_AGO: Duration = Duration::from_secs(30);

/// How often it is tried to clear what rests, where that has failed: others may stand in the way.
const REST_EVERY: Duration = Duration::from_secs(2);

/// A look at a database that says nothing for so long has failed; no other begins before.
const LOOK_TIMEOUT: Duration = Duration::from_secs(10);

/// Between two pages of a sweep that find nothing to do.
const PAGE_PAUSE: Duration = Duration::from_millis(50);

pub(super) struct Schedule {
    queue: Queue,
    pub(super) polls: Polls,
    shares: Shares,
    /// Those of the projections whose tables are whole.
    whole: watch::Sender<Vec<ProjectionId>>,
    /// At most one.
    pub(super) looks: JoinSet<Result<Looked, sqlx::Error>>,
    look_fails: Repeated,
    sweep: Sweep,
    started: Instant,
    next_look: Instant,
    looked_at: Instant,
    /// When nothing could be cleared that rests.
    no_rest_at: Option<Instant>,
    /// Since when a tenant's log has been followed to its end.
    followed: HashMap<TenantId, Instant>,
    compare: Arc<Notify>,
    comparison: AbortOnDropHandle<()>,
    comparison_ends: Repeated,
}

/// What a look has brought.
pub(super) struct Looked {
    whole: Vec<ProjectionId>,
    look: Look,
    /// How many logs have come to rest; `None`: it was not tried.
    cleared: Option<u64>,
}

impl Schedule {
    pub(super) fn new(runner: &Runner) -> Self {
        let (whole, compare) = (watch::Sender::default(), Arc::new(Notify::new()));
        let comparison = start_comparison(runner, &whole, &compare);
        let now = Instant::now();
        Self {
            queue: Queue::new(runner.settings.poll_interval),
            polls: Polls::default(),
            shares: Shares::new(runner.me, runner.heard.clone()),
            whole,
            looks: JoinSet::new(),
            look_fails: Repeated::new("look for what is behind"),
            sweep: Sweep::new(&runner.ids),
            started: now,
            next_look: now,
            looked_at: now,
            no_rest_at: None,
            followed: HashMap::new(),
            compare,
            comparison,
            comparison_ends: Repeated::new("go on comparing all logs with the projections"),
        }
    }

    pub(super) fn start_polls(&mut self, runner: &Runner, cancel: &CancellationToken) {
        let shares = &self.shares;
        let is_mine = |subscription: &Subscription| shares.is_mine(&subscription.tenant);
        self.polls.start(&mut self.queue, runner, is_mine, cancel);
    }

    /// When one may be polled that waits for it, where there is room.
    pub(super) fn next_poll(&self, runner: &Runner) -> Option<Instant> {
        self.queue.next_poll().filter(|_| self.polls.has_room(&runner.settings))
    }

    pub(super) const fn next_look(&self) -> Instant {
        self.next_look
    }

    fn look_within(&mut self, time: Duration) {
        self.next_look = self.next_look.min(Instant::now() + time);
    }

    /// The leases of what is not being polled.
    pub(super) fn idle_leases(&self) -> Vec<Subscription> {
        self.polls.idle_leases()
    }

    /// A poll has ended; of which projection.
    pub(super) fn poll_ended(
        &mut self,
        runner: &Runner,
        ended: Result<(Id, Outcome), JoinError>,
    ) -> Option<ProjectionId> {
        let ended = self.polls.end(&mut self.queue, ended, &runner.settings)?;
        let Subscription { tenant, projection } = ended.subscription;
        if matches!(ended.outcome, Outcome::CaughtUp | Outcome::Released) {
            if self.followed.len() >= MAX_KNOWN {
                self.followed.clear();
            }
            self.followed.entry(tenant).or_insert_with(Instant::now);
        }
        Some(projection)
    }

    /// Somebody has appended.
    pub(super) fn heard(&mut self, runner: &Runner, grown: AppendedTo) {
        let AppendedTo::Tenants(tenants) = grown else {
            self.compare.notify_one();
            if !self.sweep.has_more() {
                self.look_within(Duration::ZERO);
            }
            return self.sweep.once_more();
        };
        let (now, whole) = (Instant::now(), self.whole.borrow().clone());
        for (tenant, position) in tenants {
            let followed =
                self.followed.get(&tenant).is_some_and(|since| since.elapsed() > FOLLOWED);
            let kind = if followed || position > SHORT { Kind::Live } else { Kind::Backlog };
            let is_mine = self.shares.is_mine(&tenant);
            for &projection in &whole {
                let subscription = Subscription { tenant: tenant.clone(), projection };
                if is_mine || self.polls.leads(&subscription) {
                    self.queue.push(subscription, kind, now);
                }
            }
            if !is_mine {
                // Whether the one whose it is has taken it.
                self.look_within(runner.settings.tick);
            }
        }
    }

    /// Somebody waits for it. Whoever waits for one that is far behind waits for its turns, unless nobody takes them.
    pub(super) fn is_awaited(&mut self, Awaited { subscription, is_late }: &Awaited) {
        let is_mine = self.shares.is_mine(&subscription.tenant) || self.polls.leads(subscription);
        let is_next = is_mine && !self.queue.has_backlog(subscription);
        if (is_next || *is_late) && self.whole.borrow().contains(&subscription.projection) {
            self.queue.push(subscription.clone(), Kind::Awaited, Instant::now());
        }
    }

    /// Begins to look at the next page.
    pub(super) fn look(&mut self, runner: &Runner) {
        let now = Instant::now();
        if self.comparison.is_finished() {
            self.comparison_ends.failed(&"it was broken off");
            self.comparison = start_comparison(runner, &self.whole, &self.compare);
        }
        if now.duration_since(self.looked_at) > LONG_AGO {
            self.compare.notify_one();
        }
        // A batch of a program that does not know of active logs may have been in flight when this one started.
        let may_rest = self.started.elapsed() >= runner.settings.rest * 2
            && self.no_rest_at.is_none_or(|at| now.duration_since(at) > REST_EVERY);
        let (pool, me) = (runner.pool().clone(), runner.me);
        let (ids, rested) = (Arc::clone(&runner.ids), runner.settings.rest.as_secs_f64());
        let (whole, after) = (self.whole.borrow().clone(), self.sweep.begin_look());
        self.looks.spawn(async move {
            let mut connection = pool.acquire().await?;
            let looked = timeout(LOOK_TIMEOUT, async {
                let whole = if whole.len() < ids.len() {
                    schema::whole_on(&mut connection, &ids).await?
                } else {
                    whole
                };
                let look = look::look(&mut connection, &whole, after.as_ref(), me, rested).await?;
                let mut cleared = None;
                if look.some_rest && may_rest {
                    let page = (after.as_ref(), look.more_after.as_ref());
                    cleared = Some(rest::let_rest(&mut connection, &whole, page, rested).await?);
                }
                Ok(Looked { whole, look, cleared })
            })
            .await;
            let looked = looked.unwrap_or_else(|late| Err(sqlx::Error::Io(late.into())));
            if looked.is_err() {
                // It may be silent for ever: the pool is not to wait for it.
                drop(connection.detach());
            }
            looked
        });
    }

    /// A look has ended.
    pub(super) fn looked(
        &mut self,
        runner: &Runner,
        looked: Result<Result<Looked, sqlx::Error>, JoinError>,
    ) {
        let now = Instant::now();
        let Looked { whole, look, cleared } =
            match looked.unwrap_or_else(|died| Err(sqlx::Error::Io(died.into()))) {
                Ok(looked) => looked,
                Err(error) => {
                    self.look_fails.failed(&error);
                    self.next_look = now + runner.settings.idle_tick;
                    return;
                }
            };
        self.look_fails.succeeded();
        self.looked_at = now;
        if let Some(cleared) = cleared {
            self.no_rest_at = (cleared == 0).then_some(now);
        }
        self.whole.send_if_modified(|known| {
            let is_new = *known != whole;
            *known = whole;
            is_new
        });
        for behind in &look.behind {
            self.found(runner, behind, now);
        }
        let busy = look.behind.iter().any(|behind| !behind.is_stalled);
        if let Some(lags) = self.sweep.add(&look, |projection| self.polls.led(projection)) {
            lags.iter().for_each(Lag::record);
        }
        let more = self.sweep.has_more();
        let found = busy || cleared.is_some_and(|cleared| cleared > 0);
        self.next_look = now
            + match (more && self.queue.has_room(), found) {
                (true, true) => Duration::ZERO,
                (true, false) => PAGE_PAUSE,
                (false, true) => runner.settings.tick,
                (false, false) => runner.settings.idle_tick,
            };
    }

    fn found(&mut self, runner: &Runner, behind: &Behind, now: Instant) {
        let Behind { subscription, head, position, is_stalled, is_free, seconds } = behind;
        let is_mine = self.shares.is_mine(&subscription.tenant) || self.polls.leads(subscription);
        // By a clock that goes wrong it may have been recorded in the future.
        let is_left = !is_stalled && !(0.0..PATIENCE).contains(seconds);
        if !is_free || !(is_mine || is_left) {
            return;
        }
        let events = head.get().saturating_sub(position.get());
        let follows = *position > Position::START && *seconds < RECENT;
        let is_near = events <= u64::from(runner.settings.batch_events);
        let kind = if follows && is_near { Kind::Live } else { Kind::Backlog };
        self.queue.push(subscription.clone(), kind, now);
    }
}

fn start_comparison(
    runner: &Runner,
    whole: &watch::Sender<Vec<ProjectionId>>,
    compare: &Arc<Notify>,
) -> AbortOnDropHandle<()> {
    let pool = runner.pool().clone();
    let comparison = comparison::run(pool, whole.subscribe(), Arc::clone(compare));
    AbortOnDropHandle::new(tokio::spawn(comparison))
}
