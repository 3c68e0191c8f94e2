//! Whom PostgreSQL runs as: ourselves, or, since it refuses to run as root, somebody else.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use nix::unistd::{Gid, Uid, User};

use crate::error::{Doing as _, Error};

/// Whom PostgreSQL runs as.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ServerUser {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// Whether our own rights must be dropped.
    pub(crate) switch: bool,
}

impl ServerUser {
    /// For the cluster in this folder, which need not exist yet.
    pub(crate) fn choose(pgdata: &Path) -> Result<Self, Error> {
        if !Uid::effective().is_root() {
            let (uid, gid) = (Uid::effective().as_raw(), Gid::effective().as_raw());
            return Ok(Self { uid, gid, switch: false });
        }
        // PostgreSQL insists on owning its data, so the owner of a cluster that exists decides.
        let by_name = Self::by_name();
        match fs::metadata(pgdata) {
            Ok(found) if found.uid() != 0 => {
                Ok(Self { uid: found.uid(), gid: found.gid(), switch: true })
            }
            Ok(_) if pgdata.join("PG_VERSION").exists() => {
                Err(Error::OwnedByRoot { folder: pgdata.to_path_buf(), user: by_name?.name() })
            }
            Ok(_) => by_name,
            Err(error) if error.kind() == io::ErrorKind::NotFound => by_name,
            Err(source) => Err(source).doing("look at", pgdata),
        }
    }

    /// The user that the distribution's packages make, or else the one that owns nothing.
    fn by_name() -> Result<Self, Error> {
        ["postgres", "nobody"]
            .into_iter()
            .filter_map(|name| User::from_name(name).ok().flatten())
            .find(|user| !user.uid.is_root())
            .map(|user| Self { uid: user.uid.as_raw(), gid: user.gid.as_raw(), switch: true })
            .ok_or(Error::NoServerUser)
    }

    /// The name, or the number where there is none.
    pub(crate) fn name(&self) -> String {
        match User::from_uid(Uid::from_raw(self.uid)) {
            Ok(Some(user)) => user.name,
            _ => self.uid.to_string(),
        }
    }

    /// Makes the command run as this user. `Command` clears the supplementary groups itself when it
    /// changes the user.
    pub(crate) fn assume(&self, command: &mut Command) {
        if self.switch {
            command.uid(self.uid).gid(self.gid);
        }
    }

    /// Gives a file or folder to this user.
    pub(crate) fn own(&self, path: &Path) -> Result<(), Error> {
        if self.switch {
            chown(path, Some(self.uid), Some(self.gid)).doing("change the owner of", path)?;
        }
        Ok(())
    }

    /// Whether what this owner has made can be relied on: it is the server, or us.
    pub(crate) fn trusts(&self, owner: u32) -> bool {
        owner == self.uid || owner == Uid::effective().as_raw()
    }

    /// Fails, naming the folder, when a folder on the way (this one included) does not let the user
    /// pass. Judges by mode bits: the system itself has the last word.
    pub(crate) fn require_reach(&self, wanted: &Path) -> Result<(), Error> {
        if !self.switch {
            return Ok(());
        }
        let mut way: Vec<&Path> = wanted.ancestors().collect();
        way.reverse();
        for folder in way {
            let found = fs::metadata(folder).doing("look at", folder)?;
            if !self.may_pass(found.uid(), found.gid(), found.mode()) {
                return Err(Error::Unreachable {
                    wanted: wanted.to_path_buf(),
                    folder: folder.to_path_buf(),
                    user: self.name(),
                });
            }
        }
        Ok(())
    }

    fn may_pass(&self, owner: u32, group: u32, mode: u32) -> bool {
        let execute = match () {
            () if owner == self.uid => 0o100,
            () if group == self.gid => 0o010,
            () => 0o001,
        };
        mode & execute != 0
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_folder_that_stops_the_user_is_named() {
        let outside = tempfile::tempdir().unwrap();
        let (open, closed) = (outside.path().join("open"), outside.path().join("closed"));
        let stranger = ServerUser { uid: 54_321, gid: 54_321, switch: true };
        for folder in [&open, &closed] {
            fs::create_dir_all(folder.join("data")).unwrap();
        }
        let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode));
        mode(outside.path(), 0o711).unwrap();
        mode(&closed, 0o700).unwrap();

        stranger.require_reach(&open.join("data")).unwrap();
        let refused = stranger.require_reach(&closed.join("data")).unwrap_err();
        assert!(matches!(&refused, Error::Unreachable { folder, .. } if *folder == closed));
        let text = refused.to_string();
        assert!(text.contains("54321") && text.contains("closed"), "{text}");
    }

    #[test]
    fn the_owner_of_a_cluster_that_exists_is_whom_root_runs_it_as() {
        let folder = tempfile::tempdir().unwrap();
        let chosen = if Uid::effective().is_root() {
            chown(folder.path(), Some(54_321), Some(54_322)).unwrap();
            ServerUser { uid: 54_321, gid: 54_322, switch: true }
        } else {
            let (uid, gid) = (Uid::effective().as_raw(), Gid::effective().as_raw());
            ServerUser { uid, gid, switch: false }
        };
        assert_eq!(ServerUser::choose(folder.path()).unwrap(), chosen);
    }
}
