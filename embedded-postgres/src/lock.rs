//! One daybook at a time runs the cluster of a data folder.
//!
//! The lock is the kernel's (`flock`): it ends with its process, however that ends, so it is never
//! stale. PostgreSQL does not inherit it, for Rust opens files close-on-exec.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use crate::error::{Doing as _, Error};

/// The hold on a data folder; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// What came of trying.
#[derive(Debug)]
pub(crate) enum Attempt {
    Locked(Lock),
    /// By the process with this number, if it has written it already.
    HeldBy(Option<u32>),
}

impl Lock {
    pub(crate) fn attempt(path: &Path) -> Result<Attempt, Error> {
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)
            .doing("open", path)?;
        match file.try_lock() {
            Ok(()) => {
                Self::sign(&mut file).doing("write", path)?;
                Ok(Attempt::Locked(Self { _file: file }))
            }
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // The number is only for a message.
                let _ = file.read_to_string(&mut text);
                Ok(Attempt::HeldBy(text.trim().parse().ok()))
            }
            Err(TryLockError::Error(source)) => Err(source).doing("lock", path),
        }
    }

    fn sign(file: &mut File) -> std::io::Result<()> {
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())
    }
}

#[cfg(test)]
mod tests {
    use std::thread::sleep;
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn the_second_is_told_who_holds_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("daybook.lock");
        let first = Lock::attempt(&path).unwrap();
        assert!(matches!(first, Attempt::Locked(_)));
        let second = Lock::attempt(&path).unwrap();
        assert!(matches!(second, Attempt::HeldBy(Some(pid)) if pid == std::process::id()));
        drop(first);
        // A process that another test begins has its parent's files, and so the lock, until it runs its program.
        let until = Instant::now() + Duration::from_secs(10);
        while matches!(Lock::attempt(&path).unwrap(), Attempt::HeldBy(_)) {
            assert!(Instant::now() < until, "it is still locked");
            sleep(Duration::from_millis(10));
        }
    }
}
