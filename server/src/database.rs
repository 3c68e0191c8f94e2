//! The database: the one that is named, or one of our own.

use std::path::PathBuf;
use std::str::FromStr;

use anyhow::Context;
use daybook_embedded_postgres::{Cluster, Opened, Settings};
use sqlx::postgres::PgConnectOptions;

use crate::cli::Place;

/// A database to connect to, and what keeps it running.
pub(crate) struct Database {
    pub(crate) options: PgConnectOptions,
    keeper: Keeper,
}

enum Keeper {
    /// Somebody else.
    Elsewhere,
    /// This program.
    Server(Box<Cluster>),
    /// This program, or a server that runs on the same folder.
    Subcommand(Box<Opened>),
}

impl Database {
    /// Opens it for a subcommand: a server may be running on the same folder. Blocks.
    pub(crate) fn open(place: &Place) -> anyhow::Result<Self> {
        if let Some(elsewhere) = elsewhere(place)? {
            return Ok(elsewhere);
        }
        let opened = daybook_embedded_postgres::open(Settings::new(data_dir(place)?))?;
        let options = PgConnectOptions::from_str(&opened.connection().url())?;
        Ok(Self { options, keeper: Keeper::Subcommand(Box::new(opened)) })
    }

    /// Opens it for a server: it owns its folder. Blocks.
    pub(crate) fn own(place: &Place) -> anyhow::Result<Self> {
        if let Some(elsewhere) = elsewhere(place)? {
            return Ok(elsewhere);
        }
        let cluster = Cluster::start(Settings::new(data_dir(place)?))?;
        let options = PgConnectOptions::from_str(&cluster.connection().url())?;
        Ok(Self { options, keeper: Keeper::Server(Box::new(cluster)) })
    }

    /// Stops it, if this program started it. Blocks.
    pub(crate) fn close(self) -> anyhow::Result<()> {
        match self.keeper {
            Keeper::Elsewhere => {}
            Keeper::Server(cluster) => cluster.stop()?,
            Keeper::Subcommand(opened) => opened.stop()?,
        }
        Ok(())
    }
}

fn elsewhere(place: &Place) -> anyhow::Result<Option<Database>> {
    let Some(url) = place.database_url.as_deref().filter(|url| !url.is_empty()) else {
        return Ok(None);
    };
    // The URL may hold a password: it is not repeated in the error.
    let options = PgConnectOptions::from_str(url)
        .map_err(|_| anyhow::anyhow!("DAYBOOK_DATABASE_URL is not a postgres:// URL"))?;
    Ok(Some(Database { options, keeper: Keeper::Elsewhere }))
}

/// The folder for daybook's own data. PostgreSQL does not run as root, and its own user cannot
/// enter root's home, so root's data lies where services keep theirs.
pub(crate) fn data_dir(place: &Place) -> anyhow::Result<PathBuf> {
    if let Some(named) = &place.data_dir {
        return Ok(named.clone());
    }
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    let data = std::env::var_os("XDG_DATA_HOME").filter(|data| !data.is_empty());
    match (home, data) {
        (Some(home), _) if home == *"/root" => Ok(PathBuf::from("/var/lib/daybook")),
        (_, Some(data)) => Ok(PathBuf::from(data).join("daybook")),
        (Some(home), None) => Ok(home.join(".local/share/daybook")),
        (None, None) => Err(anyhow::anyhow!("no HOME")).context("name a folder with --data-dir"),
    }
}
