//! The cluster of a test process.

use std::path::PathBuf;
use std::sync::OnceLock;

use super::folder;
use super::reaper::Reaper;
use super::sweep::sweep;
use super::template::Templates;
use crate::cluster::Cluster;
use crate::connection::ConnectionInfo;
use crate::settings::{Durability, Settings};

/// A PostgreSQL for tests, which loses its data on purpose.
#[derive(Debug)]
pub struct TestCluster {
    // Dropped in this order: the folder goes when nothing works in it.
    _cluster: Cluster,
    connection: ConnectionInfo,
    pub(super) templates: Templates,
    folder: PathBuf,
    _reaper: Reaper,
}

impl TestCluster {
    /// The one that all tests of the process share. The first call starts it, which blocks for about a
    /// second; nobody has to stop it.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<TestCluster> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// One for a test that does to it what others would not survive. Stops when dropped.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    #[must_use]
    pub fn start() -> Self {
        match Self::try_start() {
            Ok(cluster) => cluster,
            #[expect(clippy::panic, reason = "a test without its database has failed")]
            Err(failure) => panic!("no PostgreSQL for the tests: {failure}"),
        }
    }

    fn try_start() -> Result<Self, Box<dyn std::error::Error>> {
        let parent = folder::parent();
        sweep(&parent);
        let folder = folder::create(&parent)?;
        let reaper = Reaper::watch(&folder)?;
        let settings = Settings { durability: Durability::Throwaway, ..Settings::new(&folder) };
        let cluster = Cluster::start(settings)?;
        let connection = cluster.connection().as_superuser();
        let templates = Templates::new(&connection);
        Ok(Self { _cluster: cluster, connection, templates, folder, _reaper: reaper })
    }

    /// Where it is reached, by its superuser: a test may do as it likes.
    #[must_use]
    pub fn connection(&self) -> &ConnectionInfo {
        &self.connection
    }

    /// The URL of one of its databases.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        self.connection().url_of(database)
    }

    /// Its folder, for a test that looks behind the curtain.
    #[must_use]
    pub fn folder(&self) -> &std::path::Path {
        &self.folder
    }
}
