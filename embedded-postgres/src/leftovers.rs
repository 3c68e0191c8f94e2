//! Stops a PostgreSQL that an earlier daybook left behind.
//!
//! When daybook is killed, the kernel tells PostgreSQL to stop, which takes a moment; on a system
//! without that, or when PostgreSQL was started by hand, it runs on. Two servers on the same files
//! destroy them, so the old one must be gone before the new one starts. The caller holds the folder's
//! lock, so no living daybook needs the old one.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tracing::{info, warn};

use crate::error::{Doing as _, Error};
use crate::pid_file;
use crate::process_table::servers_in;
use crate::socket::remove_file;

const POLL: Duration = Duration::from_millis(50);
/// How long each of the harder steps is given.
const GRACE: Duration = Duration::from_secs(5);

/// Stops what is left of an earlier server, first gently, and removes its `postmaster.pid`.
pub(crate) fn stop(pgdata: &Path, gentle: Duration) -> Result<(), Error> {
    let found = servers_in(pgdata);
    if !found.is_empty() {
        stop_all(pgdata, &found, gentle)?;
    }
    // PostgreSQL takes any living process with the file's number for its predecessor, and refuses to
    // start; after a reboot that may be anyone. There is no predecessor: we have looked.
    remove_file(&pid_file::path(pgdata))
}

fn stop_all(pgdata: &Path, found: &[i32], gentle: Duration) -> Result<(), Error> {
    let postmaster = pid_file::read_pid(pgdata).filter(|pid| found.contains(pid));
    if let Some(postmaster) = postmaster {
        info!(postmaster, "an earlier PostgreSQL still runs on the data folder; stopping it");
        signal(postmaster, Signal::SIGINT, pgdata)?;
        if gone_within(pgdata, gentle) {
            return Ok(());
        }
    }
    // Without a postmaster its processes end by themselves, but not in the midst of a query.
    for hard in [Signal::SIGQUIT, Signal::SIGKILL] {
        let left = servers_in(pgdata);
        warn!(?left, %hard, "stopping what is left of an earlier PostgreSQL");
        for pid in left {
            signal(pid, hard, pgdata)?;
        }
        if gone_within(pgdata, GRACE) {
            return Ok(());
        }
    }
    Err(Error::Leftover { folder: pgdata.to_path_buf(), pids: servers_in(pgdata) })
}

fn gone_within(pgdata: &Path, bound: Duration) -> bool {
    let deadline = Instant::now() + bound;
    loop {
        if servers_in(pgdata).is_empty() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        thread::sleep(POLL);
    }
}

fn signal(pid: i32, signal: Signal, pgdata: &Path) -> Result<(), Error> {
    match kill(Pid::from_raw(pid), signal) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        refused => refused.doing("stop the PostgreSQL that works on", pgdata),
    }
}
