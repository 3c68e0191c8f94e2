//! Removes what dead test processes have left, where even their reapers were killed.

use std::fs;
use std::path::Path;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;

use super::folder;
use crate::leftovers;
use crate::lock::{Attempt, Lock};

/// Removes the folders of processes that are gone. Best effort: another user's are left alone.
pub(super) fn sweep(parent: &Path) {
    for (path, pid) in folder::list(parent) {
        if kill(Pid::from_raw(pid), None) != Err(Errno::ESRCH) {
            continue;
        }
        let Some(layout) = folder::layout(&path) else { continue };
        // In a shared folder a living process may be out of our sight (a container), not so its lock.
        if let Ok(Attempt::Locked(_lock)) = Lock::attempt(&layout.lock)
            && leftovers::stop(&layout.pgdata, Duration::ZERO).is_ok()
        {
            // Best effort, and the next sweep tries again.
            let _ = fs::remove_dir_all(&path);
            layout.socket.clear();
        }
    }
}
