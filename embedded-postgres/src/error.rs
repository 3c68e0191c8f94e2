//! What can go wrong with a cluster, and what the operator can do about it.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use crate::binaries::Rejected;
use crate::download::DownloadError;

/// Why a cluster could not be started, found or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No usable PostgreSQL on this machine, and none could be fetched.
    #[error(
        "no PostgreSQL {} was found{}, and it could not be fetched: {download}. \
         Either install one (for example `apt-get install postgresql`) or set PG_BINDIR to the folder \
         of its programs, or use a server of your own by setting DAYBOOK_DATABASE_URL",
        wanted(*required), listed(rejected)
    )]
    BinariesNotFound {
        /// The major version that the data folder was made by.
        required: Option<u32>,
        /// The places that had something, but not what is needed.
        rejected: Vec<Rejected>,
        /// Why the fallback, a download, did not help.
        download: DownloadError,
    },
    /// `PG_BINDIR` is set, and has no usable PostgreSQL.
    #[error("PG_BINDIR is set, but cannot be used: {0}")]
    BinDir(Rejected),
    /// We are root, PostgreSQL runs as another user, and that user cannot get to the data.
    #[error(
        "PostgreSQL runs as user {user} and cannot reach {}: the folder {} lets only others in; \
         choose another data folder, or `chmod o+x {}`",
        wanted.display(), folder.display(), folder.display()
    )]
    Unreachable {
        /// What should be reached.
        wanted: PathBuf,
        /// The folder on the way that stops the user.
        folder: PathBuf,
        /// The user's name or number.
        user: String,
    },
    /// We are root, and there is nobody else to run PostgreSQL as.
    #[error("PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody`")]
    NoServerUser,
    /// PostgreSQL insists on owning its data, and would run as someone else.
    #[error("the data folder {} belongs to root, whom PostgreSQL refuses to run as; give it to the user {user}: `chown -R {user} {}`", folder.display(), folder.display())]
    OwnedByRoot {
        /// PostgreSQL's data folder.
        folder: PathBuf,
        /// The user whom PostgreSQL would run as.
        user: String,
    },
    /// There is something in the place of the data, and it is no cluster.
    #[error("{} is not empty, and is no data folder of PostgreSQL", .0.display())]
    NotACluster(PathBuf),
    /// Another daybook runs the cluster of this folder.
    #[error(
        "the data folder {} is in use by {}: stop that daybook, or name another folder with --data-dir",
        folder.display(),
        holder.map_or("another process".to_owned(), |pid| format!("process {pid}"))
    )]
    Busy {
        /// The data folder.
        folder: PathBuf,
        /// The process that holds it, if it said so.
        holder: Option<u32>,
    },
    /// Subcommands work on a PostgreSQL that they have started.
    #[error(
        "subcommands of daybook work on the data folder {}; start the server when they are done",
        folder.display()
    )]
    Subcommands {
        /// The data folder.
        folder: PathBuf,
    },
    /// A step in making the cluster failed.
    #[error("`{step}` failed ({status}):\n{log}")]
    Initialise {
        /// The program.
        step: &'static str,
        /// How it ended.
        status: ExitStatus,
        /// What it said last.
        log: String,
    },
    /// A step in making the cluster did not end.
    #[error("`{step}` did not end within {} s", after.as_secs())]
    InitialiseTimeout {
        /// The program.
        step: &'static str,
        /// How long it was waited for.
        after: Duration,
    },
    /// PostgreSQL ended while it was starting.
    #[error("PostgreSQL ended while starting ({status}):\n{log}")]
    Exited {
        /// How it ended.
        status: ExitStatus,
        /// What it said last.
        log: String,
    },
    /// PostgreSQL was not ready in time.
    #[error("PostgreSQL was not ready within {} s:\n{log}", after.as_secs())]
    NotReady {
        /// How long it was waited for.
        after: Duration,
        /// What it said last.
        log: String,
    },
    /// Processes of an earlier PostgreSQL work on the same data and cannot be stopped.
    #[error("an earlier PostgreSQL still works on {} and does not stop: {pids:?}", folder.display())]
    Leftover {
        /// PostgreSQL's data folder.
        folder: PathBuf,
        /// Its processes.
        pids: Vec<i32>,
    },
    /// The operating system refused something.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// A verb.
        doing: &'static str,
        /// What it was done to.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The thread that keeps PostgreSQL has panicked: a defect of this crate.
    #[error("the thread that keeps PostgreSQL has ended unexpectedly")]
    KeeperLost,
}

fn wanted(required: Option<u32>) -> String {
    match required {
        Some(major) => format!("{major} (the version that made the data folder)"),
        None => format!(">= {}", crate::binaries::OLDEST),
    }
}

fn listed(rejected: &[Rejected]) -> String {
    if rejected.is_empty() {
        return String::new();
    }
    let list: Vec<_> = rejected.iter().map(ToString::to_string).collect();
    format!(" ({})", list.join("; "))
}

/// Says what was being done, and to what, when the system refused.
pub(crate) trait Doing<T> {
    fn doing(self, doing: &'static str, path: &Path) -> Result<T, Error>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, doing: &'static str, path: &Path) -> Result<T, Error> {
        self.map_err(|source| Error::Io { doing, path: path.to_path_buf(), source })
    }
}

impl<T> Doing<T> for nix::Result<T> {
    fn doing(self, doing: &'static str, path: &Path) -> Result<T, Error> {
        self.map_err(io::Error::from).doing(doing, path)
    }
}
