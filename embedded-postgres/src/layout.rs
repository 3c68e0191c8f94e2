//! The places inside a data folder.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use nix::unistd::Uid;

use crate::error::{Doing as _, Error};
use crate::socket::SocketDir;

/// The places inside a data folder. All paths are absolute and free of links, as the kernel shows them
/// for a process's working folder.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) root: PathBuf,
    /// PostgreSQL's own data folder.
    pub(crate) pgdata: PathBuf,
    /// Where a new cluster is made, to be moved into place when it is whole.
    pub(crate) unfinished: PathBuf,
    pub(crate) log: PathBuf,
    pub(crate) lock: PathBuf,
    pub(crate) users: PathBuf,
    pub(crate) socket: SocketDir,
}

impl Layout {
    /// Creates the data folder where it is missing.
    pub(crate) fn create(data_dir: &Path) -> Result<Self, Error> {
        if !data_dir.exists() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o755)
                .create(data_dir)
                .doing("create", data_dir)?;
            // Whatever the umask: it is ours alone, unless another user runs PostgreSQL, who must pass through and not look
            // around.
            let mode = if Uid::effective().is_root() { 0o711 } else { 0o700 };
            fs::set_permissions(data_dir, fs::Permissions::from_mode(mode))
                .doing("set the mode of", data_dir)?;
        }
        Self::of(data_dir)
    }

    /// The places in a folder that exists.
    pub(crate) fn of(data_dir: &Path) -> Result<Self, Error> {
        let root = data_dir.canonicalize().doing("find", data_dir)?;
        Ok(Self {
            pgdata: root.join("postgres"),
            unfinished: root.join("postgres.unfinished"),
            log: root.join("postgres.log"),
            lock: root.join("daybook.lock"),
            users: root.join("daybook.users"),
            socket: SocketDir::of(&root),
            root,
        })
    }

    /// The major version of the PostgreSQL that made the cluster; `None` when there is no cluster yet.
    pub(crate) fn major(&self) -> Result<Option<u32>, Error> {
        let path = self.pgdata.join("PG_VERSION");
        match fs::read_to_string(&path) {
            Ok(text) => match text.trim().parse() {
                Ok(major) => Ok(Some(major)),
                Err(_) => Err(Error::NotACluster(self.pgdata.clone())),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.no_cluster(),
            Err(source) => Err(source).doing("read", &path),
        }
    }

    /// What is in the place of a cluster must not be overwritten, whatever it is.
    fn no_cluster(&self) -> Result<Option<u32>, Error> {
        match fs::read_dir(&self.pgdata).map(Iterator::count) {
            Ok(0) => Ok(None),
            Ok(_) => Err(Error::NotACluster(self.pgdata.clone())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(source).doing("read", &self.pgdata),
        }
    }
}

/// Opens a file that nobody else may read, also where an earlier version has made it.
pub(crate) fn for_its_owner(options: &mut OpenOptions, path: &Path) -> Result<File, Error> {
    let file = options.mode(0o600).open(path).doing("open", path)?;
    if file.metadata().doing("look at", path)?.permissions().mode() & 0o077 != 0 {
        file.set_permissions(fs::Permissions::from_mode(0o600)).doing("set the mode of", path)?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_something_else_in_it_is_never_taken_for_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::create(folder.path()).unwrap();
        assert_eq!(layout.major().unwrap(), None);
        fs::create_dir(&layout.pgdata).unwrap();
        assert_eq!(layout.major().unwrap(), None);
        fs::write(layout.pgdata.join("diary.txt"), "mine").unwrap();
        assert!(matches!(layout.major(), Err(Error::NotACluster(path)) if path == layout.pgdata));
        fs::write(layout.pgdata.join("PG_VERSION"), "16\n").unwrap();
        assert_eq!(layout.major().unwrap(), Some(16));
    }
}
