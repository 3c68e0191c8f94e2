//! Work on a data folder, whether or not a server runs on it at the time.
//!
//! Subcommands that work at once share one PostgreSQL: the first starts it, and the last one out stops it, whichever
//! of them that is. So it is tied to none of them; if the last one is killed, it runs on until the next daybook on the
//! folder finds it and starts its own. See `docs/adr/0038-the-last-one-out-stops-postgresql.md`.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::connection::ConnectionInfo;
use crate::error::Error;
use crate::keeper::plan;
use crate::layout::Layout;
use crate::leftovers;
use crate::lock::{Attempt, Lock};
use crate::pid_file;
use crate::process_table::is_server_in;
use crate::server::{Life, Server};
use crate::settings::Settings;
use crate::users::{Nobody, User};

const POLL: Duration = Duration::from_millis(50);

/// A cluster to work on, until this is closed or dropped.
#[derive(Debug)]
pub struct Opened {
    connection: ConnectionInfo,
    layout: Layout,
    stop_timeout: Duration,
    /// There until it is closed.
    user: Option<User>,
}

impl Opened {
    /// Where it is reached.
    #[must_use]
    pub fn connection(&self) -> &ConnectionInfo {
        &self.connection
    }

    /// Leaves it; stops PostgreSQL, if nobody else works on it and no server runs it.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read, or PostgreSQL cannot be stopped.
    pub fn close(mut self) -> Result<(), Error> {
        self.leave()
    }

    fn leave(&mut self) -> Result<(), Error> {
        if self.user.take().is_none() {
            return Ok(());
        }
        // In this order: of two who leave at once, one sees that there is nobody. Who holds the lock has a server, or
        // starts PostgreSQL anew.
        let Some(_nobody) = Nobody::keep(&self.layout.users)? else { return Ok(()) };
        let Attempt::Locked(_lock) = Lock::attempt(&self.layout.lock)? else { return Ok(()) };
        leftovers::stop(&self.layout.pgdata, self.stop_timeout)?;
        self.layout.socket.clear();
        Ok(())
    }
}

impl Drop for Opened {
    /// As [`close`](Self::close), whose error is logged.
    fn drop(&mut self) {
        if let Err(failure) = self.leave() {
            tracing::warn!(%failure, "PostgreSQL was not stopped cleanly");
        }
    }
}

/// Connects to the cluster of a data folder, or starts it where none runs.
///
/// For a subcommand, which works beside a running server as well as without one, and beside others. A server itself
/// uses [`Cluster::start`](crate::Cluster::start).
///
/// # Errors
///
/// As [`Cluster::start`](crate::Cluster::start); [`Error::Busy`] when another process holds the folder, and its
/// PostgreSQL is not ready within the [lock's timeout](Settings::lock_timeout).
#[expect(clippy::needless_pass_by_value, reason = "as those of a server are")]
pub fn open(settings: Settings) -> Result<Opened, Error> {
    let layout = Layout::create(&settings.data_dir)?;
    let stop_timeout = settings.stop_timeout;
    let deadline = Instant::now() + settings.lock_timeout;
    loop {
        let holder = match Lock::attempt(&layout.lock)? {
            Attempt::Locked(lock) => {
                start_where_nobody_is(&settings, &layout, lock)?;
                None
            }
            Attempt::HeldBy(holder) => Some(holder),
        };
        // What runs while somebody has the folder for a moment may have been left behind, and be stopped by them.
        if holder.is_none_or(|holder| holder.stays)
            && let Some(user) = User::enter(&layout.users)?
            && let Some(connection) = running_in(&layout)
        {
            return Ok(Opened { connection, layout, stop_timeout, user: Some(user) });
        }
        if Instant::now() >= deadline {
            return Err(Error::Busy { folder: layout.root, holder: holder.and_then(|it| it.pid) });
        }
        thread::sleep(POLL);
    }
}

/// Starts PostgreSQL, unless somebody works on one: what runs else was left behind.
fn start_where_nobody_is(settings: &Settings, layout: &Layout, lock: Lock) -> Result<(), Error> {
    let Some(_nobody) = Nobody::keep(&layout.users)? else { return Ok(()) };
    let plan = plan(settings.clone(), layout.clone(), Life::OfItsOwn)?;
    Server::spawn(&plan)?.ready(&plan)?;
    // Held until it is ready.
    drop(lock);
    Ok(())
}

/// Where the cluster of a data folder is reached, if a daybook runs it or works on it and it is ready.
///
/// Neither waits nor starts anything.
///
/// # Errors
///
/// When the folder cannot be read.
pub fn attach(data_dir: impl AsRef<Path>) -> Result<Option<ConnectionInfo>, Error> {
    if !data_dir.as_ref().exists() {
        return Ok(None);
    }
    let layout = Layout::of(data_dir.as_ref())?;
    if !layout.lock.exists() {
        return Ok(None);
    }
    let is_held = matches!(Lock::attempt(&layout.lock)?, Attempt::HeldBy(_));
    let is_used = is_held || Nobody::keep(&layout.users)?.is_none();
    Ok(running_in(&layout).filter(|_| is_used))
}

/// The file alone proves nothing: it outlives a server that was killed.
fn running_in(layout: &Layout) -> Option<ConnectionInfo> {
    pid_file::read(&layout.pgdata)
        .filter(|file| file.ready && is_server_in(file.pid, &layout.pgdata))
        .map(|file| ConnectionInfo::at(&file.socket_dir, file.port))
}
