//! What the program does by itself, by its roles.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use daybook_api::Checker;
use daybook_projections::{Deployment, Runner};
use daybook_store::{Repeated, Role};
use tokio::sync::Notify;
use tokio::task::{Id, JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::parts::{self, Parts};
use crate::roles::{self, Task};
use crate::waiting::Promoter;
use crate::{analysts, sweeper};

const RETRY_INTERVAL: Duration = Duration::from_millis(500);

/// How long what is under way has to finish when the program stops.
const FINISH_TIMEOUT: Duration = Duration::from_secs(10);

const BROKEN_OFF: &str = "something that the program does by itself was broken off";

/// All that can be done.
pub(super) struct Work {
    pub(super) parts: Parts,
    pub(super) roles: Vec<Role>,
    pub(super) deployment: Deployment,
    pub(super) checker: Checker,
    pub(super) runner: Runner,
    pub(super) promoter: Promoter,
    /// There is something for the sweeper.
    pub(super) sweep: Arc<Notify>,
}

/// Makes the tables, trying until it succeeds.
pub(super) async fn prepare(parts: Parts) {
    let prepare = Repeated::new("prepare the database");
    while let Err(error) = parts::prepare(&parts).await {
        prepare.failed(&error);
        sleep(RETRY_INTERVAL).await;
    }
    prepare.succeeded();
}

/// What runs, by name.
#[derive(Default)]
struct Running {
    tasks: JoinSet<()>,
    names: HashMap<Id, &'static str>,
}

impl Running {
    fn start(&mut self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        let id = self.tasks.spawn(task).id();
        self.names.insert(id, name);
    }

    /// Waits until one has ended, and says which. `None`: there is none.
    async fn ended(&mut self) -> Option<anyhow::Error> {
        let (id, panic) = match self.tasks.join_next_with_id().await? {
            Ok((id, ())) => (id, None),
            Err(error) => (error.id(), Some(error)),
        };
        let name = self.names.remove(&id).unwrap_or("work");
        Some(match panic {
            None => anyhow!("the program cannot go on: its {name} has ended by itself"),
            Some(error) => anyhow!("the program cannot go on: its {name} has ended: {error}"),
        })
    }

    async fn all_ended(&mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

impl Work {
    /// Does what the roles ask for until cancelled, once there is something to work on.
    ///
    /// # Errors
    /// When a part of it has ended before: `stop` is cancelled at once, so that whoever keeps the program running
    /// starts it again, and the other parts go on until cancelled.
    pub(super) async fn run(
        self,
        prepared: JoinHandle<()>,
        stop: CancellationToken,
        cancel: CancellationToken,
    ) -> anyhow::Result<()> {
        // Where it has ended, it has been waited for already.
        if !prepared.is_finished() {
            match cancel.run_until_cancelled(prepared).await {
                None => return Ok(()),
                Some(Ok(())) => {}
                Some(Err(error)) => {
                    stop.cancel();
                    return Err(error.into());
                }
            }
        }
        let mut running = self.start(&cancel);
        let mut done = Ok(());
        while !cancel.is_cancelled() {
            match cancel.run_until_cancelled(running.ended()).await {
                // They end when they are told to, and this may be heard first.
                Some(Some(_)) if cancel.is_cancelled() => break,
                Some(Some(error)) => {
                    tracing::error!("{error:#}");
                    stop.cancel();
                    done = Err(error);
                }
                // None is left to wait for: what the program does is told to stop all the same.
                Some(None) => cancel.cancelled().await,
                None => break,
            }
        }
        // Whatever is not finished stays for the next program.
        if timeout(FINISH_TIMEOUT, running.all_ended()).await.is_err() {
            tracing::warn!("{BROKEN_OFF}");
        }
        done
    }

    fn start(self, cancel: &CancellationToken) -> Running {
        let Self { parts, roles, deployment, checker, runner, promoter, sweep } = self;
        let mut running = Running::default();
        running.start("heartbeat", deployment.run(cancel.clone()));
        running.start("readiness checker", checker.run(cancel.clone()));
        let has = |task| roles::have(&roles, task);
        if has(Task::Run) {
            running.start("projection runner", runner.run(cancel.clone()));
        }
        if has(Task::Rebuild) {
            running.start("rebuilder", parts.rebuilder().run(cancel.clone()));
        }
        if has(Task::PublishViews) {
            let (parts, cancel) = (parts.clone(), cancel.clone());
            running.start("publisher of views", async move {
                // Once they are, there is nothing more to do.
                analysts::publish(parts, cancel.clone()).await;
                cancel.cancelled().await;
            });
        }
        if has(Task::Sweep) {
            running.start("sweeper", sweeper::run(parts, sweep, cancel.clone()));
        }
        if has(Task::Promote) {
            running.start("promoter", promoter.run(cancel.clone()));
        }
        running
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_has_ended_by_itself_is_named() {
        let mut running = Running::default();
        running.start("sweeper", async {});
        let said = running.ended().await.map(|error| error.to_string());
        assert!(said.unwrap().contains("sweeper has ended by itself"));
        running.start("promoter", async { panic!("as told") });
        let said = running.ended().await.map(|error| error.to_string());
        assert!(said.unwrap().contains("promoter has ended"));
        assert!(running.ended().await.is_none());
    }
}
