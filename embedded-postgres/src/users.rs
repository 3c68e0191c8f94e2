//! Who works on the cluster of a data folder without running it: subcommands.
//!
//! Each holds the kernel's lock on one file, shared with the others; it ends with its process, however that ends.
//! Whoever has it alone knows that there is nobody else: so the last one who leaves stops PostgreSQL, and whoever
//! starts it takes it from nobody.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use crate::error::{Doing as _, Error};
use crate::layout::for_its_owner;

/// One of them, until it is dropped.
#[derive(Debug)]
pub(crate) struct User {
    _file: File,
}

/// That there is none, and will be none until this is dropped.
#[derive(Debug)]
pub(crate) struct Nobody {
    _file: File,
}

impl User {
    /// `None`: somebody sees to it that there is nobody.
    pub(crate) fn enter(path: &Path) -> Result<Option<Self>, Error> {
        let file = open(path)?;
        Ok(locked(file.try_lock_shared(), path)?.map(|()| Self { _file: file }))
    }
}

impl Nobody {
    /// `None`: there is somebody.
    pub(crate) fn keep(path: &Path) -> Result<Option<Self>, Error> {
        let file = open(path)?;
        Ok(locked(file.try_lock(), path)?.map(|()| Self { _file: file }))
    }
}

fn open(path: &Path) -> Result<File, Error> {
    let mut options = OpenOptions::new();
    for_its_owner(options.create(true).truncate(false).read(true).write(true), path)
}

fn locked(tried: Result<(), TryLockError>, path: &Path) -> Result<Option<()>, Error> {
    match tried {
        Ok(()) => Ok(Some(())),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(source)) => Err(source).doing("lock", path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_can_be_many_or_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("daybook.users");
        let nobody = Nobody::keep(&path).unwrap();
        assert!(nobody.is_some());
        assert!(User::enter(&path).unwrap().is_none());
        drop(nobody);
        let users = [(); 2].map(|()| User::enter(&path).unwrap().unwrap());
        assert!(Nobody::keep(&path).unwrap().is_none());
        drop(users);
    }
}
