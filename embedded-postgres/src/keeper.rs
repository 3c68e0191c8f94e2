//! The thread that owns PostgreSQL: it starts it, starts it again when it dies, and stops it.
//!
//! The kernel ties a child's life to the *thread* that spawned it. So this thread lives as long as the
//! cluster, and every child is spawned here.

use std::convert::Infallible;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

use tracing::{error, info, warn};

use crate::backoff::Backoff;
use crate::binaries::{self, Search};
use crate::connection::ConnectionInfo;
use crate::error::Error;
use crate::initialise::Initialise;
use crate::layout::Layout;
use crate::leftovers;
use crate::lock::Lock;
use crate::log_file::LogFile;
use crate::roles::Admission;
use crate::server::{Life, Plan, Server};
use crate::settings::Settings;
use crate::user::ServerUser;

/// How soon the death of PostgreSQL, or the wish to stop it, is noticed.
const POLL: Duration = Duration::from_millis(50);

/// The thread's own.
#[derive(Debug)]
pub(crate) struct Keeper {
    pub(crate) settings: Settings,
    pub(crate) layout: Layout,
    /// Held until PostgreSQL has stopped.
    pub(crate) lock: Lock,
    /// Nothing is ever sent; when the other end is dropped, PostgreSQL is stopped.
    pub(crate) running: Receiver<Infallible>,
}

/// What PostgreSQL is started from; a cluster is made where there is none.
pub(crate) fn plan(settings: Settings, layout: Layout, life: Life) -> Result<Plan, Error> {
    let user = ServerUser::choose(&layout.pgdata)?;
    user.require_reach(&layout.root)?;
    let major = layout.major()?;
    let binaries = binaries::find(&Search::from_env(major), &user)?;
    let has_roles = Admission::of(&layout.pgdata).has_roles();
    if !has_roles {
        let (log, durability) = (LogFile::open(&layout.log)?, settings.durability);
        let initialise =
            Initialise { layout: &layout, binaries: &binaries, user: &user, durability, log: &log };
        if major.is_none() {
            info!(folder = %layout.root.display(), %binaries, "making a new PostgreSQL cluster");
            initialise.run()?;
        } else {
            info!(folder = %layout.root.display(), "daybook works as a superuser no longer");
            leftovers::stop(&layout.pgdata, settings.stop_timeout)?;
            initialise.hand_over(&layout.pgdata)?;
        }
    }
    Ok(Plan { settings, layout, user, binaries, life })
}

impl Keeper {
    /// The thread: answers once, when PostgreSQL is ready or cannot be, and then keeps it.
    pub(crate) fn run(
        mut self,
        ready: &SyncSender<Result<ConnectionInfo, Error>>,
    ) -> Result<(), Error> {
        // The other end waits for the answer; where it is gone, so is `running`.
        let (plan, server) = match self.first_start() {
            Ok(started) => started,
            Err(error) => {
                let _ = ready.send(Err(error));
                return Ok(());
            }
        };
        let _ = ready.send(Ok(ConnectionInfo::of(&plan.layout)));
        let stopped = self.keep(&plan, server);
        drop(self.lock);
        stopped
    }

    fn first_start(&self) -> Result<(Plan, Server), Error> {
        let plan = plan(self.settings.clone(), self.layout.clone(), Life::OfOurThread)?;
        let server = Server::spawn(&plan)?.ready(&plan)?;
        Ok((plan, server))
    }

    fn keep(&mut self, plan: &Plan, mut server: Server) -> Result<(), Error> {
        let mut backoff = Backoff::new();
        while self.runs_on(POLL) {
            let Some(status) = server.exited(plan)? else { continue };
            let wait = backoff.after(server.ran());
            let last_words = server.last_words();
            warn!(%status, ?wait, last_words, "PostgreSQL has died; starting it again");
            match self.start_again(plan, &mut backoff, wait) {
                Some(started) => server = started,
                None => return Ok(()),
            }
        }
        // Whoever waits for the folder need not wait long any more.
        if let Err(failure) = self.lock.ends() {
            warn!(%failure, "it is not said that PostgreSQL is stopping");
        }
        server.stop(plan)
    }

    /// `None` when it is to be stopped. Does not wait until PostgreSQL is ready, which after a crash
    /// may take its time: clients are refused until it is.
    fn start_again(
        &self,
        plan: &Plan,
        backoff: &mut Backoff,
        mut wait: Duration,
    ) -> Option<Server> {
        while self.runs_on(wait) {
            match Server::spawn(plan) {
                Ok(server) => return Some(server),
                Err(failure) => {
                    wait = backoff.after(Duration::ZERO);
                    error!(%failure, ?wait, "PostgreSQL cannot be started again; trying once more");
                }
            }
        }
        None
    }

    /// Waits, and says whether PostgreSQL is still wanted.
    fn runs_on(&self, wait: Duration) -> bool {
        matches!(self.running.recv_timeout(wait), Err(RecvTimeoutError::Timeout))
    }
}
