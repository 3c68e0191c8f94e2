//! `postmaster.pid`, in which PostgreSQL says who it is, where its socket is and how far it has come.
//!
//! The lines are, since PostgreSQL 10: process, data folder, start time, port, socket folder, listen
//! address, shared memory, status (`src/include/utils/pidfile.h`).

use std::fs;
use std::path::{Path, PathBuf};

/// The parts of `postmaster.pid` that matter here.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct PidFile {
    pub(crate) pid: i32,
    pub(crate) port: u16,
    pub(crate) socket_dir: PathBuf,
    pub(crate) ready: bool,
}

/// Where it is.
pub(crate) fn path(pgdata: &Path) -> PathBuf {
    pgdata.join("postmaster.pid")
}

/// `None` while there is none, or while it is half written.
pub(crate) fn read(pgdata: &Path) -> Option<PidFile> {
    parse(&fs::read_to_string(path(pgdata)).ok()?)
}

/// The process alone, which is written first.
pub(crate) fn read_pid(pgdata: &Path) -> Option<i32> {
    parse_pid(fs::read_to_string(path(pgdata)).ok()?.lines().next()?)
}

fn parse(text: &str) -> Option<PidFile> {
    let lines: Vec<&str> = text.lines().collect();
    Some(PidFile {
        pid: parse_pid(lines.first()?)?,
        port: lines.get(3)?.trim().parse().ok()?,
        socket_dir: PathBuf::from(lines.get(4)?),
        ready: lines.get(7)?.trim() == "ready",
    })
}

/// Negative for a single-user server.
fn parse_pid(line: &str) -> Option<i32> {
    line.trim().parse::<i32>().ok().map(i32::abs).filter(|&pid| pid > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const READY: &str = "4711\n/d/postgres\n1700000000\n5432\n/d/socket\n\n 1  2\nready   \n";

    #[test]
    fn a_ready_server_is_read() {
        let expected =
            PidFile { pid: 4711, port: 5432, socket_dir: PathBuf::from("/d/socket"), ready: true };
        assert_eq!(parse(READY), Some(expected));
    }

    #[test]
    fn a_server_that_starts_or_stops_is_not_ready() {
        for status in ["starting", "stopping", "standby "] {
            assert!(!parse(&READY.replace("ready   ", status)).unwrap().ready);
        }
    }

    #[test]
    fn a_half_written_file_says_nothing() {
        for end in 0..READY.rfind("ready").unwrap() {
            assert_eq!(parse(&READY[..end]), None, "{end}");
        }
    }
}
