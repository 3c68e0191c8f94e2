//! Databases that are prepared once and copied for each test.

use std::any::TypeId;
use std::collections::HashMap;
use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError};

use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::sync::OnceCell;

use crate::connection::ConnectionInfo;
use crate::roles::OWNER;

/// The templates of a cluster, by the function that prepares them.
#[derive(Debug)]
pub(super) struct Templates {
    connection: ConnectionInfo,
    prepared: Mutex<HashMap<TypeId, Template>>,
}

#[derive(Clone, Debug)]
struct Template {
    name: String,
    /// Filled when it is prepared; whoever comes meanwhile waits.
    done: Arc<OnceCell<()>>,
}

impl Templates {
    pub(super) fn new(connection: &ConnectionInfo) -> Self {
        Self { connection: connection.clone(), prepared: Mutex::default() }
    }

    /// The name of the template that this function prepares.
    pub(super) async fn prepared_by<F, E>(&self, prepare: F) -> Result<String, String>
    where
        F: AsyncFn(&str) -> Result<(), E> + 'static,
        E: Display,
    {
        let template = self.entry(TypeId::of::<F>());
        let make = || self.make(&template.name, prepare);
        template.done.get_or_try_init(make).await?;
        Ok(template.name)
    }

    fn entry(&self, key: TypeId) -> Template {
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        let name = format!("template_{}", prepared.len());
        prepared.entry(key).or_insert(Template { name, done: Arc::default() }).clone()
    }

    async fn make<F, E>(&self, name: &str, prepare: F) -> Result<(), String>
    where
        F: AsyncFn(&str) -> Result<(), E>,
        E: Display,
    {
        let said = |error: sqlx::Error| error.to_string();
        let mut admin = PgConnection::connect(&self.connection.url()).await.map_err(said)?;
        // An earlier try may have failed half-way.
        for statement in [
            format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
            format!("CREATE DATABASE {name} OWNER {OWNER}"),
        ] {
            admin.execute(&*statement).await.map_err(said)?;
        }
        prepare(&self.connection.url_of(name)).await.map_err(|error| error.to_string())?;
        // A database that is in use cannot be copied, and a pool may close its connections late.
        let close = format!(
            "ALTER DATABASE {name} ALLOW_CONNECTIONS false;
             SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        );
        admin.execute(&*close).await.map_err(said)?;
        admin.close().await.map_err(said)
    }
}
