//! The database: the one that is named, or one of our own.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use daybook_embedded_postgres::{Cluster, ConnectionInfo, Opened, Settings};
use daybook_store::database::{Address, Budget, Owner};
use daybook_store::personal::{ErasureLedger, MasterKeys};

use crate::cli::Place;
use crate::{erasures, master_key};

/// Where daybook is to run none of its own, as in the container image.
const NO_DATABASE: &str = "there is no PostgreSQL: set DAYBOOK_DATABASE_URL, or DAYBOOK_DATABASE_URL_FILE to a file that has it, \
                           to postgres://daybook_app:PASSWORD@HOST/daybook";

/// A database to connect to, how often this program may, and what keeps it running.
pub(crate) struct Database {
    pub(crate) address: Address,
    /// Who makes tables, where that is another user.
    pub(crate) owner: Option<Owner>,
    pub(crate) budget: Budget,
    pub(crate) master_keys: Option<MasterKeys>,
    pub(crate) ledger: Option<ErasureLedger>,
    role: Role,
    keeper: Keeper,
}

/// What a program is to its database.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Server,
    Subcommand,
}

enum Keeper {
    /// Somebody else.
    Elsewhere,
    /// This program.
    Server(Box<Cluster>),
    /// A server that runs on the same folder, or whoever works on it last.
    Subcommand(Box<Opened>),
}

impl Database {
    /// Opens it for a subcommand: a server may be running on the same folder. Blocks.
    pub(crate) fn open(place: &Place) -> anyhow::Result<Self> {
        if let Some(address) = elsewhere(place)? {
            return Self::of(place, Role::Subcommand, address, Keeper::Elsewhere);
        }
        let opened = daybook_embedded_postgres::open(Settings::new(data_dir(place)?))?;
        let address = of_our_own(opened.connection())?;
        Self::of(place, Role::Subcommand, address, Keeper::Subcommand(Box::new(opened)))
    }

    /// Opens it for a server: it owns its folder. Blocks.
    pub(crate) fn own(place: &Place) -> anyhow::Result<Self> {
        if let Some(address) = elsewhere(place)? {
            return Self::of(place, Role::Server, address, Keeper::Elsewhere);
        }
        let cluster = Cluster::start(Settings::new(data_dir(place)?))?;
        let address = of_our_own(cluster.connection())?;
        Self::of(place, Role::Server, address, Keeper::Server(Box::new(cluster)))
    }

    fn of(
        place: &Place,
        role: Role,
        (address, owner): (Address, Option<Owner>),
        keeper: Keeper,
    ) -> anyhow::Result<Self> {
        let by_itself = match role {
            Role::Server => Budget::SERVE,
            Role::Subcommand => Budget::SUBCOMMAND,
        };
        let budget = place.db_connections.unwrap_or(by_itself);
        // A job that comes and goes on a database elsewhere makes no key that nobody has afterwards.
        let belongs = role == Role::Server || !matches!(keeper, Keeper::Elsewhere);
        let master_keys = master_key::read(place, belongs)?;
        let ledger = erasures::ledger(place, master_keys.is_some())?;
        Ok(Self { address, owner, budget, master_keys, ledger, role, keeper })
    }

    /// Whether a server works on it, for which there must be room.
    pub(crate) fn is_servers(&self) -> bool {
        self.role == Role::Server
    }

    /// Stops it, if this program started it. Blocks.
    pub(crate) fn close(self) -> anyhow::Result<()> {
        match self.keeper {
            Keeper::Elsewhere => {}
            Keeper::Server(cluster) => cluster.stop()?,
            Keeper::Subcommand(opened) => opened.close()?,
        }
        Ok(())
    }
}

/// daybook's own, as those who may do no more than they need.
fn of_our_own(connection: &ConnectionInfo) -> anyhow::Result<(Address, Option<Owner>)> {
    let address: Address = connection.as_app().url().parse()?;
    let owner = address.owner(&connection.url())?;
    Ok((address, Some(owner)))
}

fn elsewhere(place: &Place) -> anyhow::Result<Option<(Address, Option<Owner>)>> {
    let Some(url) = place.database_url.as_deref().filter(|url| !url.is_empty()) else {
        ensure!(!place.database_elsewhere, NO_DATABASE);
        return Ok(None);
    };
    // They may hold a password, which the error does not repeat.
    let address: Address = url.parse().context("DAYBOOK_DATABASE_URL is not understood")?;
    let owner = place.owner_database_url.as_deref().filter(|url| !url.is_empty());
    let owner = owner.map(|url| address.owner(url)).transpose();
    Ok(Some((address, owner.context("DAYBOOK_OWNER_DATABASE_URL is not understood")?)))
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
