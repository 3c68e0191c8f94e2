//! What the program does by itself, by its roles.

use std::sync::Arc;
use std::time::Duration;

use daybook_api::{App, Checker};
use daybook_projections::{Deployment, Runner};
use daybook_store::database::{self, Refused};
use daybook_store::personal::KeyringError;
use daybook_store::{Repeated, Role, followers};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::running::Running;
use crate::mailing::Mailer;
use crate::parts::{self, Parts};
use crate::relay::Relay;
use crate::roles::{self, Task};
use crate::waiting::Promoter;
use crate::webhooks::Deliverer;
use crate::{analysts, sweeper};

const RETRY_INTERVAL: Duration = Duration::from_millis(500);

/// How long what is under way has to finish when the program stops.
const FINISH_TIMEOUT: Duration = Duration::from_secs(10);

/// All that can be done.
pub(super) struct Work {
    pub(super) parts: Parts,
    pub(super) app: App,
    pub(super) roles: Vec<Role>,
    pub(super) deployment: Deployment,
    pub(super) checker: Checker,
    pub(super) runner: Runner,
    pub(super) promoter: Promoter,
    pub(super) deliverer: Deliverer,
    pub(super) mailer: Mailer,
    /// Where there is a broker.
    pub(super) relay: Option<Relay>,
    /// There is something for the sweeper.
    pub(super) sweep: Arc<Notify>,
    /// For how many months the audit log is kept.
    pub(super) audit_months: u32,
}

/// Makes the tables, trying until it succeeds.
///
/// # Errors
/// When it never will.
pub(super) async fn prepare(parts: Parts) -> anyhow::Result<()> {
    let prepare = Repeated::new("prepare the database");
    loop {
        let error = match parts.log().primary().found().await {
            Ok(()) => match parts::prepare(&parts).await {
                Ok(()) => break,
                Err(error) if is_in_vain(&error) => {
                    return Err(error.context("the database cannot be prepared"));
                }
                Err(error) => error,
            },
            Err(refused @ Refused::InVain(_)) => return Err(refused.into()),
            Err(refused) => refused.into(),
        };
        prepare.failed(&error);
        sleep(RETRY_INTERVAL).await;
    }
    prepare.succeeded();
    Ok(())
}

/// Whether the database would say the same as often as it is asked.
fn is_in_vain(error: &anyhow::Error) -> bool {
    error.chain().filter_map(|cause| cause.downcast_ref()).any(database::is_in_vain)
        || matches!(
            error.downcast_ref(),
            Some(KeyringError::NoMasterKey(_) | KeyringError::Ledger(_))
        )
}

impl Work {
    /// Does what the roles ask for until cancelled, once there is something to work on.
    ///
    /// # Errors
    /// When a part of it has ended before: `stop` is cancelled at once, so that whoever keeps the program running
    /// starts it again, and the other parts go on until cancelled.
    pub(super) async fn run(
        self,
        prepared: JoinHandle<anyhow::Result<()>>,
        stop: CancellationToken,
        cancel: CancellationToken,
    ) -> anyhow::Result<()> {
        // Where it has ended, it has been waited for already.
        if !prepared.is_finished() {
            match cancel.run_until_cancelled(prepared).await {
                None => return Ok(()),
                Some(Ok(Ok(()))) => {}
                Some(Ok(Err(error))) => {
                    stop.cancel();
                    return Err(error);
                }
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
        done.and(running.all_ended(FINISH_TIMEOUT).await)
    }

    fn start(self, cancel: &CancellationToken) -> Running {
        let Self {
            parts,
            app,
            roles,
            deployment,
            checker,
            runner,
            promoter,
            deliverer,
            mailer,
            relay,
            sweep,
            audit_months,
        } = self;
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
        if has(Task::Deliver) {
            let log = parts.log().clone();
            running.start("teller of webhooks", followers::run(log, deliverer, cancel.clone()));
        }
        if let Some(relay) = relay.filter(|_| has(Task::Publish)) {
            running.start("relay", relay.run(cancel.clone()));
        }
        if has(Task::Sweep) {
            running.start("sweeper", sweeper::run(parts, app, audit_months, sweep, cancel.clone()));
        }
        if has(Task::Write) {
            running.start("writer to clients", mailer.run(cancel.clone()));
        }
        if has(Task::Promote) {
            running.start("promoter", promoter.run(cancel.clone()));
        }
        running
    }
}
