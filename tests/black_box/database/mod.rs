//! The database that daybook works on: how it is reached, how much of it there is, what time it is there.

mod another_time;
pub(crate) mod clocks;
mod connections;
mod failover;
mod in_vain;
mod poolers;
mod roles;

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs, thread};

use daybook_embedded_postgres::{Cluster, Settings};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

pub(crate) use another_time::AnotherTime;

/// A PostgreSQL of a test's own, with settings of its own.
pub(crate) struct Postgres {
    // Dropped in this order: the folder goes when nothing works in it.
    cluster: Cluster,
    folder: TempDir,
}

impl Postgres {
    pub(crate) fn start(parameters: &[(&str, &str)]) -> Self {
        Self::start_in(folder(), parameters)
    }

    fn start_in(folder: TempDir, parameters: &[(&str, &str)]) -> Self {
        let mut settings = Settings::new(folder.path());
        for (name, value) in parameters {
            settings = settings.parameter(*name, *value);
        }
        Self { cluster: Cluster::start(settings).unwrap(), folder }
    }

    pub(crate) fn url(&self) -> String {
        self.cluster.connection().as_superuser().url()
    }

    fn socket(&self) -> &Path {
        &self.cluster.connection().socket_dir
    }

    /// Stopped, and after so long started again, in the same place.
    pub(crate) fn away_for(self, length: Duration) -> Self {
        let Self { cluster, folder } = self;
        cluster.stop().unwrap();
        thread::sleep(length);
        Self::start_in(folder, &[])
    }

    /// `kill -9`; it is started again by itself, if its folder is there.
    pub(crate) fn kill_dash_9(&self) {
        kill(self.postmaster(), Signal::SIGKILL).unwrap();
    }

    fn postmaster(&self) -> Pid {
        let file = fs::read_to_string(self.data().join("postmaster.pid")).unwrap();
        Pid::from_raw(file.lines().next().unwrap().parse().unwrap())
    }

    /// PostgreSQL's own data folder.
    fn data(&self) -> PathBuf {
        self.folder.path().join("postgres")
    }
}

/// The user whom PostgreSQL runs as must get through it.
fn folder() -> TempDir {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::Builder::new().prefix("daybook-black-box-").tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711)).unwrap();
    folder
}

/// By the user whom PostgreSQL runs as.
fn readable(file: &Path) {
    use std::os::unix::fs::PermissionsExt as _;

    fs::set_permissions(file, fs::Permissions::from_mode(0o644)).unwrap();
}

/// A file of Debian's, which `cargo xtask test` installs.
fn installed(package: &str, places: &[&str]) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let on_path =
        env::split_paths(&path).flat_map(|folder| places.iter().map(move |it| folder.join(it)));
    let found = on_path.chain(places.iter().map(PathBuf::from)).find(|it| it.is_file());
    found.unwrap_or_else(|| {
        panic!("{package} is not installed: `cargo xtask test` installs it, or `apt-get install {package}`")
    })
}
