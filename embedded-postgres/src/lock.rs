//! One daybook at a time starts the cluster of a data folder, or runs it as a server.
//!
//! The lock is the kernel's (`flock`): it ends with its process, however that ends, so it is never
//! stale. PostgreSQL does not inherit it, for Rust opens files close-on-exec.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use crate::error::{Doing as _, Error};
use crate::layout::for_its_owner;

/// The hold on a data folder; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
    path: PathBuf,
}

/// Who holds a data folder.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Holder {
    /// Its process, if it has written that already.
    pub(crate) pid: Option<u32>,
    /// Whether it is a server that goes on; else it is done in a moment.
    pub(crate) stays: bool,
}

/// What came of trying.
#[derive(Debug)]
pub(crate) enum Attempt {
    Locked(Lock),
    HeldBy(Holder),
}

/// What a server writes after its number; also one of an earlier version, which wrote nothing, is one.
const SERVES: &str = "serves";
const FOR_A_MOMENT: &str = "for a moment";

impl Lock {
    /// Who gets it holds it for a moment, unless it says otherwise.
    pub(crate) fn attempt(path: &Path) -> Result<Attempt, Error> {
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).read(true).write(true);
        let mut file = for_its_owner(&mut options, path)?;
        match file.try_lock() {
            Ok(()) => {
                let mut lock = Self { file, path: path.to_path_buf() };
                lock.sign(FOR_A_MOMENT)?;
                Ok(Attempt::Locked(lock))
            }
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // What is in it is only for a message, and to wait no longer than makes sense.
                let _ = file.read_to_string(&mut text);
                Ok(Attempt::HeldBy(Holder::read(&text)))
            }
            Err(TryLockError::Error(source)) => Err(source).doing("lock", path),
        }
    }

    /// A server has it, and keeps it.
    pub(crate) fn stays(&mut self) -> Result<(), Error> {
        self.sign(SERVES)
    }

    /// The server stops.
    pub(crate) fn ends(&mut self) -> Result<(), Error> {
        self.sign(FOR_A_MOMENT)
    }

    fn sign(&mut self, how_long: &str) -> Result<(), Error> {
        let Self { file, path } = self;
        let mut write = || {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "{} {how_long}", std::process::id())
        };
        write().doing("write", path)
    }
}

impl Holder {
    fn read(text: &str) -> Self {
        let (pid, how_long) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        let pid = pid.parse().ok();
        Self { pid, stays: pid.is_some() && how_long != FOR_A_MOMENT }
    }
}

#[cfg(test)]
mod tests {
    use std::thread::sleep;
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn the_second_is_told_who_holds_the_lock_and_whether_to_wait() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("daybook.lock");
        let Attempt::Locked(mut first) = Lock::attempt(&path).unwrap() else { panic!("held") };
        let second = || match Lock::attempt(&path).unwrap() {
            Attempt::HeldBy(Holder { pid, stays }) => (pid == Some(std::process::id()), stays),
            Attempt::Locked(_) => panic!("it is held"),
        };
        assert_eq!(second(), (true, false));
        first.stays().unwrap();
        assert_eq!(second(), (true, true));
        first.ends().unwrap();
        assert_eq!(second(), (true, false));
        drop(first);
        // A process that another test begins has its parent's files, and so the lock, until it runs its program.
        let until = Instant::now() + Duration::from_secs(10);
        while matches!(Lock::attempt(&path).unwrap(), Attempt::HeldBy(_)) {
            assert!(Instant::now() < until, "it is still locked");
            sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn what_an_earlier_version_has_written_is_a_server() {
        assert_eq!(Holder::read("4711\n"), Holder { pid: Some(4711), stays: true });
        assert_eq!(Holder::read(""), Holder { pid: None, stays: false });
    }
}
