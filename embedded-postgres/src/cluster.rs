//! A running cluster, and the first half of its life: who may start it.

use std::convert::Infallible;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::connection::ConnectionInfo;
use crate::error::{Doing as _, Error};
use crate::keeper::Keeper;
use crate::layout::Layout;
use crate::lock::{Attempt, Lock};
use crate::settings::Settings;
use crate::users::Nobody;

const POLL: Duration = Duration::from_millis(100);

/// A PostgreSQL that this process runs, until it is [stopped](Self::stop) or dropped.
///
/// When PostgreSQL dies, it is started again; its clients lose their connections, and new ones are
/// refused until it is ready. When this process dies, however, PostgreSQL stops too (on Linux at once,
/// elsewhere at the next start).
#[derive(Debug)]
pub struct Cluster {
    connection: ConnectionInfo,
    /// Dropping it tells the keeper to stop. Both are there until the cluster is stopped.
    running: Option<Sender<Infallible>>,
    keeper: Option<JoinHandle<Result<(), Error>>>,
}

impl Cluster {
    /// Starts the cluster of a data folder, and makes it where there is none; returns when it takes
    /// connections.
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] when another server runs the cluster, at once; or when somebody starts or stops it and is not done
    /// within the [lock's timeout](Settings::lock_timeout); [`Error::Subcommands`] when they work on it as long; and
    /// everything else that [`Error`] lists.
    pub fn start(settings: Settings) -> Result<Self, Error> {
        let layout = Layout::create(&settings.data_dir)?;
        let deadline = Instant::now() + settings.lock_timeout;
        let mut lock = loop {
            match Lock::attempt(&layout.lock)? {
                Attempt::Locked(lock) => break lock,
                Attempt::HeldBy(holder) if holder.stays || Instant::now() >= deadline => {
                    return Err(Error::Busy { folder: layout.root, holder: holder.pid });
                }
                Attempt::HeldBy(_) => thread::sleep(POLL),
            }
        };
        lock.stays()?;
        // What they work on is not ours: when they are done, it is stopped.
        let _nobody = loop {
            match Nobody::keep(&layout.users)? {
                Some(nobody) => break nobody,
                None if Instant::now() >= deadline => {
                    return Err(Error::Subcommands { folder: layout.root });
                }
                None => thread::sleep(POLL),
            }
        };
        Self::start_locked(settings, layout, lock)
    }

    fn start_locked(settings: Settings, layout: Layout, lock: Lock) -> Result<Self, Error> {
        let (running, is_running) = mpsc::channel();
        let (ready, is_ready) = mpsc::sync_channel(1);
        let root = layout.root.clone();
        let keeper = Keeper { settings, layout, lock, running: is_running };
        let keeper = thread::Builder::new()
            .name("postgres-keeper".to_owned())
            .spawn(move || keeper.run(&ready))
            .doing("start a thread for", &root)?;
        let connection = is_ready.recv().map_err(|_| Error::KeeperLost)??;
        Ok(Self { connection, running: Some(running), keeper: Some(keeper) })
    }

    /// Where it is reached. It stays the same over restarts.
    #[must_use]
    pub fn connection(&self) -> &ConnectionInfo {
        &self.connection
    }

    /// Stops PostgreSQL and waits until it has: within the [bound](Settings::stop_timeout) cleanly,
    /// after it by force.
    ///
    /// # Errors
    ///
    /// When PostgreSQL could not be signalled.
    pub fn stop(mut self) -> Result<(), Error> {
        self.finish()
    }

    fn finish(&mut self) -> Result<(), Error> {
        drop(self.running.take());
        match self.keeper.take() {
            Some(keeper) => keeper.join().map_err(|_| Error::KeeperLost)?,
            None => Ok(()),
        }
    }
}

impl Drop for Cluster {
    /// As [`stop`](Self::stop), whose error is logged.
    fn drop(&mut self) {
        if let Err(failure) = self.finish() {
            tracing::warn!(%failure, "PostgreSQL was not stopped cleanly");
        }
    }
}
