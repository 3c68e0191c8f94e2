//! What can be chosen about a cluster.

use std::path::PathBuf;
use std::time::Duration;

/// What can be chosen about a cluster. Only the data folder must be.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(crate) data_dir: PathBuf,
    pub(crate) durability: Durability,
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) lock_timeout: Duration,
    pub(crate) start_timeout: Duration,
    pub(crate) stop_timeout: Duration,
}

/// Whether the data must survive a power cut.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Durability {
    /// A commit that was answered is on the disk.
    Durable,
    /// For tests, whose data nobody misses.
    Throwaway,
}

impl Settings {
    /// A durable cluster in this folder, which is created when it is missing.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            durability: Durability::Durable,
            parameters: Vec::new(),
            lock_timeout: Duration::from_secs(30),
            start_timeout: Duration::from_mins(2),
            stop_timeout: Duration::from_secs(30),
        }
    }

    /// Sets a server parameter (`max_connections`, ...), over this crate's own choice.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// How long another daybook is waited for that starts PostgreSQL or stops it, and by a server also those that work
    /// on it. 30 s unless set.
    #[must_use]
    pub fn lock_timeout(mut self, timeout: Duration) -> Self {
        self.lock_timeout = timeout;
        self
    }

    /// How long PostgreSQL may take to be ready; after a crash it first replays its log. 120 s unless set.
    #[must_use]
    pub fn start_timeout(mut self, timeout: Duration) -> Self {
        self.start_timeout = timeout;
        self
    }

    /// How long PostgreSQL may take to stop cleanly before it is stopped at once (safe, but the next
    /// start then replays its log). 30 s unless set.
    #[must_use]
    pub fn stop_timeout(mut self, timeout: Duration) -> Self {
        self.stop_timeout = timeout;
        self
    }
}
