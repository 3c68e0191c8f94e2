//! The parts of the program, put together over a database.

use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use daybook_projections::catalogue::Catalogue;
use daybook_projections::notices::Notices;
use daybook_projections::reminders::Reminders;
use daybook_projections::search::Search;
use daybook_projections::sessions::Sessions;
use daybook_projections::waiting::WaitingList;
use daybook_projections::{Deployment, Progress, Projection, Rebuilder, Runner};
use daybook_store::database::Primary;
use daybook_store::personal::Keyring;
use daybook_store::{Clock, Engine, Log, LogSettings, Program, migrate};
use tokio::time::timeout;

use crate::database::Database;

/// How long a subcommand waits for its database.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Everything that works on one database.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) engine: Engine,
    pub(crate) clock: Arc<dyn Clock>,
}

/// Puts the parts together. Connections are made when they are needed.
#[must_use]
pub(crate) fn connect(database: &Database) -> Parts {
    connect_with(database, LogSettings::within(database.budget))
}

/// The same, with so many connections.
#[must_use]
pub(crate) fn connect_with(database: &Database, settings: LogSettings) -> Parts {
    let (address, owner) = (database.address.clone(), database.owner.clone());
    let primary = Primary::follow(address, owner, settings.connections(), database.is_servers());
    let clock: Arc<dyn Clock> = Arc::clone(primary.clock()) as Arc<dyn Clock>;
    let log = Log::open(&primary, &clock, settings);
    let keyring = database.master_keys.clone().map(|keys| Keyring::new(&log, keys));
    let keyring = match (keyring, database.ledger.clone()) {
        (Some(keyring), Some(ledger)) => Some(keyring.with_ledger(ledger)),
        (keyring, _) => keyring,
    };
    let engine = Engine::new(log, Arc::clone(&clock));
    let engine = match keyring {
        Some(keyring) => engine.with_keyring(keyring),
        None => engine,
    };
    Parts { engine, clock }
}

/// The same for a subcommand, which has nothing to do without its database.
pub(crate) async fn connected(database: &Database) -> anyhow::Result<Parts> {
    let parts = connect(database);
    let primary = parts.log().primary();
    match timeout(CONNECT_TIMEOUT, primary.found()).await {
        Ok(found) => found?,
        Err(_) => match primary.last_failure() {
            Some(failure) => bail!("the database cannot be reached: {failure}"),
            None => bail!("the database cannot be reached"),
        },
    }
    Ok(parts)
}

impl Parts {
    pub(crate) fn log(&self) -> &Log {
        self.engine.log()
    }

    pub(crate) fn search(&self) -> Search {
        Search::new(self.log().pool().clone()).opened_by(self.engine.keyring().cloned())
    }

    pub(crate) fn catalogue(&self) -> Catalogue {
        Catalogue::new(self.log().pool().clone()).opened_by(self.engine.keyring().cloned())
    }

    pub(crate) fn waiting_list(&self) -> WaitingList {
        WaitingList::new(self.log().pool().clone())
    }

    pub(crate) fn reminders(&self) -> Reminders {
        Reminders::new(self.log().pool().clone())
    }

    pub(crate) fn notices(&self) -> Notices {
        Notices::new(self.log().pool().clone())
    }

    pub(crate) fn sessions(&self) -> Sessions {
        Sessions::new(self.log().pool().clone())
    }

    pub(crate) fn projections(&self) -> Vec<Arc<dyn Projection>> {
        daybook_projections::all(self.log().pool(), self.engine.keyring())
    }

    pub(crate) fn rebuilder(&self) -> Rebuilder {
        Rebuilder::new(self.log().clone(), Arc::clone(&self.clock), self.projections())
    }

    /// What says to other programs that this one lives and which projections it reads.
    pub(crate) fn deployment(&self, program: Program) -> Deployment {
        let ids = self.projections().iter().map(|projection| projection.id()).collect();
        Deployment::new(self.log().heartbeat_pool().clone(), program, ids)
    }

    pub(crate) fn progress(&self) -> Progress {
        let ids = self.projections().iter().map(|projection| projection.id()).collect();
        Progress::new(self.log().clone(), ids)
    }

    pub(crate) fn runner(&self) -> Runner {
        Runner::new(self.log().clone(), self.projections())
    }
}

/// Makes whatever tables are missing; those of projections only as long as nothing has happened, for they
/// are to be filled.
pub(crate) async fn prepare(parts: &Parts) -> anyhow::Result<()> {
    migrate(parts.log().owners_pool()).await?;
    if let Some(keyring) = parts.engine.keyring() {
        keyring.register().await?;
        let again = keyring.apply_ledger().await?;
        if again > 0 {
            tracing::warn!(
                again,
                "the database is older than the ledger of erasures: these are erased again"
            );
        }
    }
    daybook_projections::prepare(parts.log().owners_pool(), &parts.projections()).await?;
    Ok(())
}
