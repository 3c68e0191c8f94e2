//! A real PostgreSQL as a child process, for the default set-up and for tests.
//!
//! When nobody names a database, daybook runs its own: the ordinary `postgres` program, with durable
//! settings, reachable through a unix socket only, and by the user whom daybook runs as. Its data is in one folder, and lives on from one
//! start to the next.
//!
//! ```no_run
//! use daybook_embedded_postgres::{Cluster, Settings};
//!
//! # fn main() -> Result<(), daybook_embedded_postgres::Error> {
//! let cluster = Cluster::start(Settings::new("/var/lib/daybook"))?;
//! let url = cluster.connection().url(); // postgres:///daybook?host=...
//! // ... serve ...
//! cluster.stop()?;
//! # Ok(())
//! # }
//! ```
//!
//! A subcommand works on the same folder while the server runs: [`open`] connects to the running
//! cluster, or starts one for the time of the subcommand and of all who come meanwhile.
//!
//! Everything here blocks; an async caller does it before its runtime starts or on a blocking thread.
//!
//! What a data folder contains:
//!
//! | path           | what                                                              |
//! |----------------|-------------------------------------------------------------------|
//! | `postgres/`    | PostgreSQL's own data folder                                      |
//! | `postgres.log` | its log; the one before it is `postgres.log.1`                    |
//! | `daybook.lock` | locked while a daybook serves or starts the cluster, and names its process |
//! | `daybook.users` | locked, together, by the subcommands that work on the cluster    |
//! | `socket/`      | the socket, or in a folder under `/tmp` where this path is too long |
//!
//! What is in it is for its owner alone, or for PostgreSQL's user.
//!
//! What this crate leaves to others: the schema (migrations), pools and queries. It speaks no SQL but
//! what makes the roles and the database; only the `testing` feature depends on a driver.

mod backoff;
mod binaries;
mod cluster;
mod connection;
mod download;
mod error;
mod initialise;
mod keeper;
mod layout;
mod leftovers;
mod lock;
mod log_file;
mod memory;
mod open;
mod parameters;
mod pid_file;
mod process;
mod process_table;
pub mod roles;
mod server;
mod settings;
mod socket;
#[cfg(feature = "testing")]
pub mod testing;
mod user;
mod users;

pub use binaries::Rejected;
pub use cluster::Cluster;
pub use connection::ConnectionInfo;
pub use download::DownloadError;
pub use error::Error;
pub use open::{Opened, attach, open};
pub use settings::Settings;
