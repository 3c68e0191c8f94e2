//! What the program does by itself, by its roles.

use std::sync::Arc;
use std::time::Duration;

use daybook_api::Checker;
use daybook_projections::{Deployment, Runner};
use daybook_store::{Repeated, Role};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};
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

impl Work {
    /// Does what the roles ask for until cancelled, once there is something to work on.
    pub(super) async fn run(self, prepared: JoinHandle<()>, cancel: CancellationToken) {
        // Where it has ended, it has been waited for already.
        if !prepared.is_finished() && cancel.run_until_cancelled(prepared).await.is_none() {
            return;
        }
        let Self { parts, roles, deployment, checker, runner, promoter, sweep } = self;
        let mut tasks = JoinSet::new();
        tasks.spawn(deployment.run(cancel.clone()));
        tasks.spawn(checker.run(cancel.clone()));
        let has = |task| roles::have(&roles, task);
        if has(Task::Run) {
            tasks.spawn(runner.run(cancel.clone()));
        }
        if has(Task::Rebuild) {
            tasks.spawn(parts.rebuilder().run(cancel.clone()));
        }
        if has(Task::PublishViews) {
            tasks.spawn(analysts::publish(parts.clone(), cancel.clone()));
        }
        if has(Task::Sweep) {
            tasks.spawn(sweeper::run(parts, sweep, cancel.clone()));
        }
        if has(Task::Promote) {
            tasks.spawn(promoter.run(cancel.clone()));
        }
        while !cancel.is_cancelled() {
            match cancel.run_until_cancelled(tasks.join_next()).await {
                Some(Some(Err(error))) => tracing::error!(%error, "{BROKEN_OFF}"),
                Some(Some(Ok(()))) => {}
                // None is left to wait for: what the program does is told to stop all the same.
                Some(None) => cancel.cancelled().await,
                None => break,
            }
        }
        // Whatever is not finished stays for the next program.
        if timeout(FINISH_TIMEOUT, async { while tasks.join_next().await.is_some() {} })
            .await
            .is_err()
        {
            tracing::warn!("{BROKEN_OFF}");
        }
    }
}
