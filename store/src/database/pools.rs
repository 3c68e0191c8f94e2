//! The pools over a server, all of which go where it goes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{Connection as _, PgPool};
use tokio::time::timeout;

use super::address::Owner;

/// How long another connection may take when it is tried whether there is room for one.
const ROOM_TIMEOUT: Duration = Duration::from_secs(1);

/// What a pool is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Appending.
    Commit,
    /// Everything else.
    Read,
    /// Reading claims.
    ReadClaims,
    /// Making and changing tables, as their owner.
    Own,
}

/// The pools over a server.
#[derive(Clone, Default)]
pub(super) struct Pools {
    pools: Arc<Mutex<Vec<(Purpose, PgPool)>>>,
    /// Where it is not whoever does everything else.
    pub(super) owner: Option<Owner>,
}

impl Pools {
    pub(super) fn add(&self, purpose: Purpose, pool: &PgPool) {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner).push((purpose, pool.clone()));
    }

    fn all(&self) -> Vec<(Purpose, PgPool)> {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on they connect like this.
    pub(super) fn move_to(&self, options: &PgConnectOptions) {
        for (purpose, pool) in self.all() {
            pool.set_connect_options(self.options(purpose, options));
        }
    }

    /// How a pool of this purpose connects to a server.
    pub(super) fn options(&self, purpose: Purpose, server: &PgConnectOptions) -> PgConnectOptions {
        match &self.owner {
            Some(owner) if purpose == Purpose::Own => owner.at(server),
            _ => server.clone(),
        }
    }

    /// Whether nothing can be appended because the server has no room for a connection. Tries it, so this is
    /// for who has reason to ask.
    pub(super) async fn have_no_room(&self, options: &PgConnectOptions) -> bool {
        let cannot_commit = self
            .all()
            .iter()
            .any(|(purpose, pool)| *purpose == Purpose::Commit && pool.size() == 0);
        if !cannot_commit {
            return false;
        }
        match timeout(ROOM_TIMEOUT, PgConnection::connect_with(options)).await {
            Ok(Ok(connection)) => {
                let _ = timeout(ROOM_TIMEOUT, connection.close()).await;
                false
            }
            // too_many_connections
            Ok(Err(sqlx::Error::Database(error))) => error.code().as_deref() == Some("53300"),
            Ok(Err(_)) | Err(_) => false,
        }
    }
}
