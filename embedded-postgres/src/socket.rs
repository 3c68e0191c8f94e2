//! The folder of the unix socket: only its owner (and root) may enter, so whoever can connect may.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha512};

use crate::connection::PORT;
use crate::error::{Doing as _, Error};
use crate::user::ServerUser;

/// What a socket's path may have: `sun_path` less the final zero.
const LONGEST: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// The folder of the socket.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum SocketDir {
    /// In the data folder, as everything else.
    Inside(PathBuf),
    /// In the temporary folder, because the data folder's path is too long for a socket.
    Short(PathBuf),
}

impl SocketDir {
    /// For a data folder. The answer is always the same, so that a restart keeps the URL.
    pub(crate) fn of(root: &Path) -> Self {
        let inside = root.join("socket");
        let file = inside.join(format!(".s.PGSQL.{PORT}"));
        if file.as_os_str().len() <= LONGEST {
            return Self::Inside(inside);
        }
        let digest = Sha512::digest(root.as_os_str().as_bytes());
        let number = digest.iter().take(8).fold(0_u64, |n, &byte| n << 8 | u64::from(byte));
        // Not `temp_dir()`: where that is a long path too, nothing is won.
        Self::Short(PathBuf::from(format!("/tmp/daybook-{number:016x}")))
    }

    pub(crate) fn folder(&self) -> &Path {
        match self {
            Self::Inside(path) | Self::Short(path) => path,
        }
    }

    /// Makes the folder, and empties it: PostgreSQL refuses to start when its socket's lock file names
    /// a living process, whoever that is by now. The caller holds the data folder's lock.
    pub(crate) fn prepare(&self, user: &ServerUser) -> Result<(), Error> {
        let folder = self.folder();
        match DirBuilder::new().mode(0o700).create(folder) {
            Ok(()) => user.own(folder)?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => self.check(user)?,
            Err(source) => return Err(source).doing("create", folder),
        }
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
            .doing("set the mode of", folder)?;
        for name in [format!(".s.PGSQL.{PORT}"), format!(".s.PGSQL.{PORT}.lock")] {
            remove_file(&folder.join(name))?;
        }
        Ok(())
    }

    /// In `/tmp` anyone could have made it before us, or a link in its place.
    fn check(&self, user: &ServerUser) -> Result<(), Error> {
        let folder = self.folder();
        let found = fs::symlink_metadata(folder).doing("look at", folder)?;
        if found.is_dir() && user.trusts(found.uid()) {
            user.own(folder)
        } else {
            Err(io::Error::from(io::ErrorKind::PermissionDenied)).doing("trust", folder)
        }
    }

    /// A folder in `/tmp` is not left there.
    pub(crate) fn clear(&self) {
        if let Self::Short(folder) = self {
            // Not empty, or gone: either is no reason to fail a stop.
            let _ = fs::remove_dir(folder);
        }
    }
}

/// Removes a file that may be missing.
pub(crate) fn remove_file(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other.doing("remove", path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_moves_to_tmp_exactly_when_its_path_is_too_long() {
        // "/socket/.s.PGSQL.5432" has 21 bytes.
        let longest = PathBuf::from(format!("/{}", "d".repeat(LONGEST - 22)));
        assert_eq!(SocketDir::of(&longest), SocketDir::Inside(longest.join("socket")));
        let too_long = PathBuf::from(format!("/{}", "d".repeat(LONGEST - 21)));
        let short = SocketDir::of(&too_long);
        assert!(matches!(&short, SocketDir::Short(path) if path.starts_with("/tmp")));
        assert_eq!(SocketDir::of(&too_long), short);
    }
}
