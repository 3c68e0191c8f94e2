//! PostgreSQL for tests: one cluster for the process, a fresh database for each test.
//!
//! ```no_run
//! # async fn migrate(url: &str) -> Result<(), std::io::Error> { Ok(()) }
//! # async fn a_test() {
//! use daybook_embedded_postgres::testing::TestCluster;
//!
//! // `migrate` runs once; each call makes a copy of what it has made.
//! let database = TestCluster::shared().database(async |url| migrate(url).await).await;
//! let url = &database.url;
//! # }
//! ```
//!
//! It is as real as the other, but for `fsync`, and lives in the temporary folder. It is gone when the
//! process is, however that ends; see the `reaper` module.
//!
//! Functions here panic where they cannot go on: a test without its database has failed.

mod cluster;
mod database;
mod folder;
mod reaper;
mod sweep;
mod template;

pub use self::cluster::TestCluster;
pub use self::database::TestDatabase;
