//! The PostgreSQL of a run: durable, and the same for daybook and its rivals.
//!
//! Each cell has a database of its own, copied from a template, so that no cell inherits the size,
//! the bloat or the unwritten pages of the one before it. The superuser makes it; daybook and its rivals work in it as
//! its owner.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Context;
use daybook_embedded_postgres::roles::OWNER;
use daybook_embedded_postgres::{Cluster, ConnectionInfo, Settings};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, Executor as _, PgConnection};
use tempfile::TempDir;

use crate::cli::Options;

/// pgbench has 90 clients, and a daybook beside it some twenty connections.
const MAX_CONNECTIONS: &str = "200";

/// A running PostgreSQL in a temporary folder.
pub(crate) struct Server {
    cluster: Cluster,
    folder: TempDir,
    databases: AtomicU32,
}

/// One of its databases.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    name: String,
    /// How sqlx reaches it.
    pub(crate) options: PgConnectOptions,
    /// The same, of the superuser.
    superuser: PgConnectOptions,
    /// How anybody else reaches it.
    pub(crate) url: String,
}

impl Server {
    /// Starts it. Blocks.
    pub(crate) fn start(options: &Options) -> anyhow::Result<Self> {
        // PostgreSQL may run as another user, who must pass through.
        let folder = tempfile::Builder::new()
            .prefix("daybook-bench-")
            .permissions(Permissions::from_mode(0o711))
            .tempdir_in(&options.dir)
            .with_context(|| format!("cannot make a folder in {}", options.dir.display()))?;
        let mut settings =
            Settings::new(folder.path().join("data")).parameter("max_connections", MAX_CONNECTIONS);
        for (name, value) in &options.parameters {
            settings = settings.parameter(name, value);
        }
        let cluster = Cluster::start(settings)?;
        Ok(Self { cluster, folder, databases: AtomicU32::new(0) })
    }

    /// Stops it and removes its folder. Blocks.
    pub(crate) fn stop(self) -> anyhow::Result<()> {
        self.cluster.stop()?;
        self.folder.close()?;
        Ok(())
    }

    pub(crate) fn connection(&self) -> &ConnectionInfo {
        self.cluster.connection()
    }

    /// The process that all others of it are children of.
    pub(crate) fn process_id(&self) -> anyhow::Result<u32> {
        let file = std::fs::read_to_string(self.scratch("data/postgres/postmaster.pid"))?;
        Ok(file.lines().next().context("an empty postmaster.pid")?.trim().parse()?)
    }

    /// A path in the run's folder.
    pub(crate) fn scratch(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn database(&self, name: String) -> anyhow::Result<Database> {
        let url = self.connection().url_of(&name);
        let options = PgConnectOptions::from_str(&url)?;
        let of_superuser = self.connection().as_superuser().url_of(&name);
        let superuser = PgConnectOptions::from_str(&of_superuser)?;
        Ok(Database { name, options, superuser, url })
    }

    /// A connection of the superuser to the database that every cluster has.
    pub(crate) async fn admin(&self) -> anyhow::Result<PgConnection> {
        let options = PgConnectOptions::from_str(&self.connection().as_superuser().url())?;
        Ok(PgConnection::connect_with(&options).await?)
    }

    /// A new, empty database.
    pub(crate) async fn empty(&self) -> anyhow::Result<Database> {
        self.create("template1").await
    }

    /// A database with these tables.
    pub(crate) async fn with_tables(&self, sql: &str) -> anyhow::Result<Database> {
        let database = self.empty().await?;
        let mut connection = PgConnection::connect_with(&database.options).await?;
        connection.execute(sql).await?;
        connection.close().await?;
        Ok(database)
    }

    /// A copy, to which nobody may be connected, ready for a cell.
    pub(crate) async fn copy(&self, template: &Database) -> anyhow::Result<Database> {
        let copy = self.create(&template.name).await?;
        copy.settle().await?;
        Ok(copy)
    }

    async fn create(&self, template: &str) -> anyhow::Result<Database> {
        let name = format!("cell_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let mut admin = self.admin().await?;
        admin
            .execute(&*format!("CREATE DATABASE {name} TEMPLATE {template} OWNER {OWNER}"))
            .await?;
        admin.close().await?;
        self.database(name)
    }

    /// Drops a database, whoever is still connected to it.
    pub(crate) async fn drop(&self, database: Database) -> anyhow::Result<()> {
        let mut admin = self.admin().await?;
        admin.execute(&*format!("DROP DATABASE {} WITH (FORCE)", database.name)).await?;
        admin.close().await?;
        Ok(())
    }
}

impl Database {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Brings it to rest before a cell: clean, with statistics, and written to the disk.
    pub(crate) async fn settle(&self) -> anyhow::Result<()> {
        let mut connection = PgConnection::connect_with(&self.superuser).await?;
        connection.execute("VACUUM (ANALYZE)").await?;
        connection.execute("CHECKPOINT").await?;
        connection.close().await?;
        Ok(())
    }
}

/// Finds a program in the folders of `PATH`.
pub(crate) fn in_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}
