//! Work on a data folder, whether or not a server runs on it at the time.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::cluster::Cluster;
use crate::connection::ConnectionInfo;
use crate::error::Error;
use crate::layout::Layout;
use crate::lock::{Attempt, Lock};
use crate::pid_file;
use crate::process_table::is_server_in;
use crate::settings::Settings;

const POLL: Duration = Duration::from_millis(100);

/// A cluster to work on.
#[derive(Debug)]
pub enum Opened {
    /// By this process, which stops it again.
    Started(Cluster),
    /// Another process runs it; it ends when that one ends.
    Attached(ConnectionInfo),
}

impl Opened {
    /// Where it is reached.
    #[must_use]
    pub fn connection(&self) -> &ConnectionInfo {
        match self {
            Self::Started(cluster) => cluster.connection(),
            Self::Attached(connection) => connection,
        }
    }

    /// Stops what this process has started, and leaves alone what another one runs.
    ///
    /// # Errors
    ///
    /// As [`Cluster::stop`].
    pub fn stop(self) -> Result<(), Error> {
        match self {
            Self::Started(cluster) => cluster.stop(),
            Self::Attached(_) => Ok(()),
        }
    }
}

/// Connects to the cluster of a data folder, or starts it where no process runs it.
///
/// For a subcommand, which works beside a running server as well as without one. A server itself uses
/// [`Cluster::start`]: attached to a subcommand's cluster, it would lose it when the subcommand ends.
///
/// # Errors
///
/// As [`Cluster::start`]; [`Error::Busy`] when another process holds the folder, and its PostgreSQL is
/// not ready within the [lock's timeout](Settings::lock_timeout).
pub fn open(settings: Settings) -> Result<Opened, Error> {
    let layout = Layout::create(&settings.data_dir)?;
    let deadline = Instant::now() + settings.lock_timeout;
    loop {
        // Whoever holds the lock may be starting or stopping, so each round tries both.
        match Lock::attempt(&layout.lock)? {
            Attempt::Locked(lock) => {
                return Cluster::start_locked(settings, layout, lock).map(Opened::Started);
            }
            Attempt::HeldBy(holder) => {
                if let Some(connection) = running_in(&layout) {
                    return Ok(Opened::Attached(connection));
                }
                if Instant::now() >= deadline {
                    return Err(Error::Busy { folder: layout.root, holder });
                }
            }
        }
        thread::sleep(POLL);
    }
}

/// Where the cluster of a data folder is reached, if another daybook runs it and it is ready.
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
    match Lock::attempt(&layout.lock)? {
        Attempt::Locked(_) => Ok(None),
        Attempt::HeldBy(_) => Ok(running_in(&layout)),
    }
}

/// The file alone proves nothing: it outlives a server that was killed.
fn running_in(layout: &Layout) -> Option<ConnectionInfo> {
    pid_file::read(&layout.pgdata)
        .filter(|file| file.ready && is_server_in(file.pid, &layout.pgdata))
        .map(|file| ConnectionInfo::at(&file.socket_dir, file.port))
}
