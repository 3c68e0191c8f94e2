//! The database that daybook works on: how it is reached, how much of it there is, what time it is there.

mod clocks;
mod connections;
mod failover;
mod in_vain;
mod poolers;

use std::path::{Path, PathBuf};
use std::{env, fs};

use daybook_embedded_postgres::{Cluster, Settings};
use tempfile::TempDir;

/// A PostgreSQL of a test's own, with settings of its own.
struct Postgres {
    // Dropped in this order: the folder goes when nothing works in it.
    cluster: Cluster,
    folder: TempDir,
}

impl Postgres {
    fn start(parameters: &[(&str, &str)]) -> Self {
        Self::start_in(folder(), parameters)
    }

    fn start_in(folder: TempDir, parameters: &[(&str, &str)]) -> Self {
        let mut settings = Settings::new(folder.path());
        for (name, value) in parameters {
            settings = settings.parameter(*name, *value);
        }
        Self { cluster: Cluster::start(settings).unwrap(), folder }
    }

    fn url(&self) -> String {
        self.cluster.connection().url()
    }

    fn socket(&self) -> &Path {
        &self.cluster.connection().socket_dir
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
