//! Has followers of a kind told what they have not been told, each in its turn.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use daybook_domain::TenantId;
use metrics::gauge;
use tokio::task::{self, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::lease::{self, Asked};
use super::queue::{Ended, Queue};
use super::{Follower, FollowerKind, Pauses, Taken, look};
use crate::metrics::{FOLLOWER_LAG_EVENTS, FOLLOWER_LAG_SECONDS, FOLLOWERS_STOPPED};
use crate::{AppendedTo, Log, Repeated};

/// Many commits share one look.
const HEARD_PAUSE: Duration = Duration::from_millis(25);

/// How often it is asked who is due.
const DUE_INTERVAL: Duration = Duration::from_secs(1);

/// How often active logs are gone through: that makes up for hints that were lost.
const LOGS_INTERVAL: Duration = Duration::from_secs(2);

/// How often it is measured how far all are behind.
const MEASURE_INTERVAL: Duration = Duration::from_secs(5);

/// What has come of a follower's turn.
#[derive(Debug)]
pub enum Turn {
    /// It was told all that there was.
    CaughtUp,
    /// There is more, but others are to have a turn, too.
    More,
    /// It is another program's by now, or was set elsewhere.
    Lost,
    /// It could not be told: why, in a word.
    Failed(String),
    /// It wants to be told nothing more: why, in a word.
    Gone(String),
}

/// Tells followers of a kind. Cheap to clone.
pub trait Follow: Clone + Send + Sync + 'static {
    const KIND: FollowerKind;

    /// How they are tried again.
    const PAUSES: Pauses;

    /// Whether each log has one; else they are made one by one.
    const OF_EACH_LOG: bool;

    /// What comes to mind in the program's log.
    const TASK: &'static Repeated;

    /// How long a turn may last; what is being told then is finished.
    const TURN: Duration = Duration::from_secs(5);

    /// Tells one what comes next, in the order of the log, and moves it as far as it has said that it was told.
    fn turn(&self, taken: &mut Taken) -> impl Future<Output = Result<Turn, sqlx::Error>> + Send;
}

/// Tells all followers of a kind what they have not been told, until cancelled. Several programs may do so.
pub async fn run<F: Follow>(log: Log, follow: F, cancel: CancellationToken) {
    let mut driver = Driver {
        log,
        follow,
        queue: Queue::default(),
        running: JoinSet::new(),
        turns: HashMap::new(),
        heard: BTreeSet::new(),
        after: None,
    };
    let _ = cancel.run_until_cancelled(driver.work()).await;
    // What is under way is told again: at least once.
    driver.running.shutdown().await;
}

struct Driver<F> {
    log: Log,
    follow: F,
    queue: Queue,
    running: JoinSet<Done>,
    turns: HashMap<task::Id, (Follower, Instant)>,
    /// Whose logs have grown since the last look.
    heard: BTreeSet<TenantId>,
    /// Where the walk through active logs is.
    after: Option<TenantId>,
}

/// What a turn has come to.
struct Done {
    told: u64,
    ended: Ended,
}

impl<F: Follow> Driver<F> {
    async fn work(&mut self) {
        let mut appends = self.log.appends();
        let now = Instant::now();
        let (mut due_at, mut logs_at, mut measure_at) = (now, now, now);
        let mut heard_at = None;
        loop {
            self.begin();
            let next = [Some(due_at), Some(logs_at), Some(measure_at), heard_at];
            let next = next.into_iter().flatten().min().unwrap_or(due_at);
            tokio::select! {
                grown = appends.next() => {
                    match grown {
                        AppendedTo::Tenants(tenants) => self.heard.extend(tenants.into_keys()),
                        AppendedTo::Any => logs_at = Instant::now(),
                    }
                    heard_at = heard_at.or_else(|| Some(Instant::now() + HEARD_PAUSE));
                    continue;
                }
                Some(ended) = self.running.join_next_with_id() => {
                    self.ended(ended);
                    continue;
                }
                () = sleep_until(next) => {}
            }
            let now = Instant::now();
            if heard_at.is_some_and(|at| at <= now) {
                heard_at = None;
                note::<F, _>(&self.look_at_heard().await);
            }
            if due_at <= now {
                note::<F, _>(&self.look_at_due().await);
                due_at = Instant::now() + DUE_INTERVAL;
            }
            if logs_at <= now {
                let looked = self.look_at_logs().await;
                note::<F, _>(&looked);
                let pause = if self.after.is_some() { HEARD_PAUSE } else { LOGS_INTERVAL };
                logs_at = Instant::now() + pause;
            }
            if measure_at <= now {
                note::<F, _>(&self.measure().await);
                measure_at = Instant::now() + MEASURE_INTERVAL;
            }
        }
    }

    async fn look_at_heard(&mut self) -> Result<(), sqlx::Error> {
        if F::OF_EACH_LOG {
            look::make_missing(self.log.pool(), F::KIND, &self.heard).await?;
        }
        let behind = look::of_tenants(self.log.pool(), F::KIND, &self.heard).await?;
        self.heard.clear();
        for follower in behind {
            self.queue.add(follower);
        }
        Ok(())
    }

    async fn look_at_due(&mut self) -> Result<(), sqlx::Error> {
        let due = look::due(self.log.pool(), F::KIND, self.log.program()).await?;
        for follower in due {
            self.queue.add(follower);
        }
        Ok(())
    }

    async fn look_at_logs(&mut self) -> Result<(), sqlx::Error> {
        let after = self.after.take();
        let page = look::of_active_logs(self.log.pool(), F::KIND, after.as_ref()).await?;
        if F::OF_EACH_LOG && !page.tenants.is_empty() {
            look::make_missing(self.log.pool(), F::KIND, &page.tenants).await?;
        }
        for follower in page.behind {
            self.queue.add(follower);
        }
        self.after = page.more_after;
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
    async fn measure(&self) -> Result<(), sqlx::Error> {
        let backlog = look::backlog(self.log.pool(), F::KIND).await?;
        let kind = F::KIND.as_str();
        gauge!(FOLLOWER_LAG_EVENTS, "follower" => kind).set(backlog.events as f64);
        gauge!(FOLLOWER_LAG_SECONDS, "follower" => kind).set(backlog.seconds);
        gauge!(FOLLOWERS_STOPPED, "follower" => kind).set(backlog.stopped as f64);
        Ok(())
    }

    fn begin(&mut self) {
        while let Some(follower) = self.queue.begin() {
            let (log, follow, of) = (self.log.clone(), self.follow.clone(), follower.clone());
            let started = self.running.spawn(async move { turn(&log, &follow, of).await });
            self.turns.insert(started.id(), (follower, Instant::now()));
        }
    }

    fn ended(&mut self, ended: Result<(task::Id, Done), JoinError>) {
        let (id, done) = match ended {
            Ok((id, done)) => (id, done),
            Err(error) => {
                F::TASK.failed(&error);
                (error.id(), Done { told: 0, ended: Ended::Failed })
            }
        };
        let Some((follower, began)) = self.turns.remove(&id) else { return };
        self.queue.end(&follower, began.elapsed(), done.told, done.ended);
    }
}

fn note<F: Follow, T>(outcome: &Result<T, sqlx::Error>) {
    F::TASK.note(outcome);
}

/// One follower's turn. What the database has failed at is found again by a look.
async fn turn<F: Follow>(log: &Log, follow: &F, follower: Follower) -> Done {
    let done = try_turn(log, follow, follower).await;
    note::<F, _>(&done);
    done.unwrap_or(Done { told: 0, ended: Ended::Failed })
}

async fn try_turn<F: Follow>(
    log: &Log,
    follow: &F,
    follower: Follower,
) -> Result<Done, sqlx::Error> {
    let pool = log.pool();
    let Asked::Taken(mut taken) = lease::take(pool, log.program(), follower).await? else {
        return Ok(Done { told: 0, ended: Ended::Done });
    };
    let (follower, from) = (taken.follower.clone(), taken.position);
    let turned = follow.turn(&mut taken).await;
    let told = taken.position.get().saturating_sub(from.get());
    let ended = match turned {
        Ok(Turn::CaughtUp) => {
            taken.caught_up(pool).await?;
            Ended::Done
        }
        Ok(Turn::More) => {
            taken.give_back(pool).await?;
            Ended::More
        }
        Ok(Turn::Lost) => Ended::Done,
        Ok(Turn::Failed(why)) => {
            if taken.failed(pool, &F::PAUSES, &why).await? {
                tracing::warn!(%follower, why, "given up, for it could not be told for too long");
            } else {
                tracing::debug!(%follower, why, "it could not be told");
            }
            Ended::Failed
        }
        Ok(Turn::Gone(why)) => {
            taken.stop(pool, &why).await?;
            tracing::warn!(%follower, why, "given up");
            Ended::Failed
        }
        Err(error) => {
            // As soon as the database is there again.
            taken.give_back(pool).await?;
            return Err(error);
        }
    };
    Ok(Done { told, ended })
}
