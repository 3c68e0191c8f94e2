//! A pair of programs, and what version they are.

use std::fmt;
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;

use super::Rejected;
use crate::process;
use crate::user::ServerUser;

/// The two programs that a cluster needs; they are neighbours, for `initdb` looks for `postgres`
/// beside itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Binaries {
    pub(crate) postgres: PathBuf,
    pub(crate) initdb: PathBuf,
    pub(crate) major: u32,
}

impl fmt::Display for Binaries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgreSQL {} ({})", self.major, self.postgres.display())
    }
}

impl Binaries {
    /// The programs of a folder, or of the one that its links lead to.
    pub(super) fn in_folder(folder: &Path, user: &ServerUser) -> Result<Self, Rejected> {
        let initdb = folder
            .join("initdb")
            .canonicalize()
            .map_err(|error| Rejected::new(folder, format!("has no initdb ({error})")))?;
        let postgres = initdb.with_file_name("postgres");
        if !postgres.exists() {
            return Err(Rejected::new(folder, "has no postgres beside its initdb"));
        }
        let major = version(&postgres, user).map_err(|reason| Rejected::new(folder, reason))?;
        Ok(Self { postgres, initdb, major })
    }
}

/// Asks the program, as the user who shall run it: that proves that the user can, and that its
/// libraries are there.
fn version(postgres: &Path, user: &ServerUser) -> Result<u32, String> {
    let mut command = process::command(postgres, user, Some(Signal::SIGKILL));
    let said = command
        .arg("--version")
        .output()
        .map_err(|error| format!("cannot be run as user {} ({error})", user.name()))?;
    if !said.status.success() {
        let complaint = String::from_utf8_lossy(&said.stderr);
        return Err(format!("cannot be run ({}: {})", said.status, complaint.trim()));
    }
    let text = String::from_utf8_lossy(&said.stdout);
    major_of(&text).ok_or_else(|| format!("does not tell its version: {}", text.trim()))
}

/// From `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`, or `... 18beta1`.
fn major_of(text: &str) -> Option<u32> {
    let version = text.split_once("(PostgreSQL) ")?.1;
    let digits = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
    version[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_releases_betas_and_distributions_are_read() {
        for (text, major) in [
            ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", Some(15)),
            ("postgres (PostgreSQL) 18beta1\n", Some(18)),
            ("postgres (PostgreSQL) 17\n", Some(17)),
            ("postgres (EnterpriseDB) 15.1\n", None),
        ] {
            assert_eq!(major_of(text), major, "{text}");
        }
    }
}
