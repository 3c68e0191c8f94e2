//! One `postgres` process: how it is started, known to be ready, and stopped.

use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tracing::{info, warn};

use crate::binaries::Binaries;
use crate::error::{Doing as _, Error};
use crate::layout::Layout;
use crate::leftovers;
use crate::log_file::LogFile;
use crate::parameters;
use crate::pid_file;
use crate::process;
use crate::roles::Admission;
use crate::settings::{Durability, Settings};
use crate::user::ServerUser;

const POLL: Duration = Duration::from_millis(20);
/// After SIGQUIT PostgreSQL waits 5 s for its own processes.
const IMMEDIATE: Duration = Duration::from_secs(10);

/// What a server is started from, the first time and again.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) settings: Settings,
    pub(crate) layout: Layout,
    pub(crate) user: ServerUser,
    pub(crate) binaries: Binaries,
    pub(crate) life: Life,
}

/// How long a PostgreSQL lives that nobody stops.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Life {
    /// As long as the thread that starts it.
    OfOurThread,
    /// Until somebody stops it: others work on it when we are done.
    OfItsOwn,
}

/// A running `postgres`, the child of the thread that made it.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    log: LogFile,
    since: Instant,
}

impl Server {
    /// Starts `postgres`, after whatever is left of an earlier one is gone.
    pub(crate) fn spawn(plan: &Plan) -> Result<Self, Error> {
        leftovers::stop(&plan.layout.pgdata, plan.settings.stop_timeout)?;
        plan.layout.socket.prepare(&plan.user)?;
        Admission::of(&plan.layout.pgdata).write(plan.settings.durability, &plan.user)?;
        let log = LogFile::open(&plan.layout.log)?;
        let mut command = Self::command(plan);
        let child = command.stdout(log.writer()?).stderr(log.writer()?).spawn();
        let child = child.doing("run", &plan.binaries.postgres)?;
        Ok(Self { child, log, since: Instant::now() })
    }

    fn command(plan: &Plan) -> Command {
        let on_death = match (plan.life, plan.settings.durability) {
            (Life::OfItsOwn, _) => None,
            // Fast shutdown: it sends its clients away, whose daybook is dead anyway, and writes a
            // checkpoint, so that the next start replays nothing. SIGTERM would wait for clients,
            // SIGQUIT would leave the log to be replayed.
            (_, Durability::Durable) => Some(Signal::SIGINT),
            // At once: nobody will read this data again.
            (_, Durability::Throwaway) => Some(Signal::SIGQUIT),
        };
        let mut command = process::command(&plan.binaries.postgres, &plan.user, on_death);
        let wished = parameters::WISHED.iter().filter(|parameter| Self::accepts(plan, parameter));
        command.args(parameters::arguments(
            &plan.settings,
            wished.copied(),
            &plan.layout.pgdata,
            plan.layout.socket.folder(),
        ));
        command
    }

    /// Whether this PostgreSQL knows the parameter and the value.
    fn accepts(plan: &Plan, (name, value): &(&str, &str)) -> bool {
        let kill = Some(Signal::SIGKILL);
        let mut asks = process::command(&plan.binaries.postgres, &plan.user, kill);
        asks.arg("-D").arg(&plan.layout.pgdata).args([
            "-C",
            name,
            "-c",
            &format!("{name}={value}"),
        ]);
        let status = asks.stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    }

    /// The same, when it takes connections.
    pub(crate) fn ready(mut self, plan: &Plan) -> Result<Self, Error> {
        if let Err(error) = self.wait_ready(plan) {
            if let Err(failure) = self.stop(plan) {
                warn!(%failure, "PostgreSQL did not become ready, and was not stopped cleanly");
            }
            return Err(error);
        }
        info!(folder = %plan.layout.root.display(), binaries = %plan.binaries, "PostgreSQL is ready");
        Ok(self)
    }

    /// Waits until the server takes connections.
    fn wait_ready(&mut self, plan: &Plan) -> Result<(), Error> {
        let deadline = Instant::now() + plan.settings.start_timeout;
        loop {
            if let Some(status) = self.exited(plan)? {
                return Err(Error::Exited { status, log: self.log.tail() });
            }
            if self.is_ready(plan) {
                return Ok(());
            }
            if Instant::now() >= deadline {
                let after = plan.settings.start_timeout;
                return Err(Error::NotReady { after, log: self.log.tail() });
            }
            thread::sleep(POLL);
        }
    }

    /// A file that says "ready" may be an earlier server's; the number must be our child's.
    fn is_ready(&self, plan: &Plan) -> bool {
        pid_file::read(&plan.layout.pgdata)
            .is_some_and(|file| file.ready && file.pid.cast_unsigned() == self.child.id())
    }

    /// How the server has ended, if it has.
    pub(crate) fn exited(&mut self, plan: &Plan) -> Result<Option<ExitStatus>, Error> {
        self.child.try_wait().doing("wait for", &plan.binaries.postgres)
    }

    /// How long it has run.
    pub(crate) fn ran(&self) -> Duration {
        self.since.elapsed()
    }

    /// What it said last.
    pub(crate) fn last_words(&self) -> String {
        self.log.tail()
    }

    /// Stops the server: first so that it writes a checkpoint, then at once, then by force. The data
    /// is safe in each case; after the latter two the next start replays the log.
    pub(crate) fn stop(&mut self, plan: &Plan) -> Result<(), Error> {
        let gentle = (Signal::SIGINT, plan.settings.stop_timeout);
        let immediate = (Signal::SIGQUIT, IMMEDIATE);
        let steps = match plan.settings.durability {
            Durability::Durable => vec![gentle, immediate],
            Durability::Throwaway => vec![immediate],
        };
        let doing = "stop";
        for (signal, bound) in steps {
            if self.exited(plan)?.is_some() {
                break;
            }
            // Not yet waited for, so the number is still our child's.
            kill(Pid::from_raw(self.child.id().cast_signed()), signal)
                .doing(doing, &plan.binaries.postgres)?;
            let ended = process::wait_bounded(&mut self.child, bound);
            if ended.doing(doing, &plan.binaries.postgres)?.is_none() {
                warn!(%signal, "PostgreSQL did not stop within {} s", bound.as_secs());
            }
        }
        if self.exited(plan)?.is_none() {
            self.child.kill().doing(doing, &plan.binaries.postgres)?;
            self.child.wait().doing(doing, &plan.binaries.postgres)?;
        }
        plan.layout.socket.clear();
        Ok(())
    }
}
