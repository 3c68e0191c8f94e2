//! A database for one test.

use std::fmt::Display;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{LazyLock, PoisonError};
use std::thread;

use sqlx::{Connection as _, Executor as _, PgConnection};

use super::cluster::TestCluster;
use crate::roles::OWNER;

/// A database for one test; it is dropped, with whoever is still connected, after this is.
#[derive(Debug)]
pub struct TestDatabase {
    /// Where it is reached.
    pub url: String,
    name: String,
    admin_url: String,
}

impl TestCluster {
    /// A fresh database, a copy of what `prepare` made of an empty one. `prepare` is given the empty
    /// one's URL, and runs once for all databases of the process.
    ///
    /// `prepare` is known by its type, so it must be a function's name or a closure that captures
    /// nothing; anything else does not compile. Two closures that read alike are two templates.
    ///
    /// # Panics
    ///
    /// When `prepare` fails, or the database cannot be made.
    pub async fn database<F, E>(&self, prepare: F) -> TestDatabase
    where
        F: AsyncFn(&str) -> Result<(), E> + 'static,
        E: Display,
    {
        const {
            assert!(
                size_of::<F>() == 0,
                "`prepare` must capture nothing: its type is its identity"
            );
        }
        let made = match self.templates.prepared_by(prepare).await {
            Ok(template) => self.copy_of(&template).await.map_err(|error| error.to_string()),
            Err(error) => Err(error),
        };
        made_or_panic(made)
    }

    /// A fresh, empty database.
    ///
    /// # Panics
    ///
    /// When it cannot be made.
    pub async fn empty_database(&self) -> TestDatabase {
        made_or_panic(self.copy_of("template1").await.map_err(|error| error.to_string()))
    }

    async fn copy_of(&self, template: &str) -> Result<TestDatabase, sqlx::Error> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let admin_url = self.connection().url();
        let mut admin = PgConnection::connect(&admin_url).await?;
        admin
            .execute(&*format!("CREATE DATABASE {name} TEMPLATE {template} OWNER {OWNER}"))
            .await?;
        // What is given of a database itself is not copied with it.
        let revoke = format!("REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC");
        admin.execute(&*revoke).await?;
        admin.close().await?;
        Ok(TestDatabase { url: self.url(&name), name, admin_url })
    }
}

#[expect(clippy::panic, reason = "a test without its database has failed")]
fn made_or_panic(made: Result<TestDatabase, String>) -> TestDatabase {
    match made {
        Ok(database) => database,
        Err(error) => panic!("no database for the test: {error}"),
    }
}

impl Drop for TestDatabase {
    /// Dropping a database needs a connection and so an async runtime, and the test's own may be
    /// ending: a thread with a runtime of its own does it, and nobody waits for it. What it does not
    /// come to goes with the cluster.
    fn drop(&mut self) {
        static DROPPER: LazyLock<Mutex<Sender<(String, String)>>> = LazyLock::new(|| {
            let (sender, receiver) = mpsc::channel::<(String, String)>();
            thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let Ok(runtime) = runtime else { return };
                for (url, name) in receiver {
                    // Best effort.
                    let _ = runtime.block_on(drop_database(&url, &name));
                }
            });
            Mutex::new(sender)
        });
        let dropper = DROPPER.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = dropper.send((self.admin_url.clone(), self.name.clone()));
    }
}

async fn drop_database(url: &str, name: &str) -> Result<(), sqlx::Error> {
    let mut admin = PgConnection::connect(url).await?;
    admin.execute(&*format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?;
    admin.close().await
}
