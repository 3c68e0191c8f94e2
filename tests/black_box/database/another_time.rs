//! A PostgreSQL whose machine shows another time, which a test sets. It is the database's clock that counts for daybook, so for
//! a program on it that is the time.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use tempfile::TempDir;

use super::clocks::libfaketime;
use super::{folder, readable};
use crate::harness::{Database, Server};

/// Programs of PostgreSQL that begin at another time.
pub(crate) struct AnotherTime {
    folder: TempDir,
}

impl AnotherTime {
    /// It is then, and goes on from there.
    pub(crate) fn at(instant: DateTime<Utc>) -> Self {
        let this = Self { folder: folder() };
        this.set(instant);
        let (real, library, offset) = (real_programs(), libfaketime(), this.offset());
        for name in ["postgres", "initdb"] {
            let script = format!(
                "#!/bin/sh\nexport LD_PRELOAD={} FAKETIME_TIMESTAMP_FILE={}\n\
                 export FAKETIME_DONT_FAKE_MONOTONIC=1 FAKETIME_CACHE_DURATION=1 NO_FAKE_STAT=1\n\
                 exec {} \"$@\"\n",
                library.display(),
                offset.display(),
                real.join(name).display()
            );
            let path = this.programs().join(name);
            fs::write(&path, script).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        this
    }

    /// From now on it is then: each of PostgreSQL's processes sees that within a second, and programs within a few.
    pub(crate) fn set(&self, instant: DateTime<Utc>) {
        let now = DateTime::<Utc>::from(SystemTime::now());
        let seconds = (instant - now).num_seconds();
        // Whoever reads it reads one or the other.
        let next = self.folder.path().join("next");
        fs::write(&next, format!("{seconds:+}\n")).unwrap();
        readable(&next);
        fs::rename(next, self.offset()).unwrap();
    }

    /// A program on a PostgreSQL of its own, at that time, which is ready.
    pub(crate) fn start(&self, options: &[&str]) -> Server {
        let database = Database::embedded();
        let mut command =
            database.daybook(&[&["serve", "--listen", "127.0.0.1:0"], options].concat());
        command.env("PG_BINDIR", self.programs());
        Server::start_command(&database, command)
    }

    fn programs(&self) -> &Path {
        self.folder.path()
    }

    fn offset(&self) -> PathBuf {
        self.folder.path().join("offset")
    }
}

/// Where the programs are that the tests' own cluster runs.
fn real_programs() -> PathBuf {
    // As long as somebody is connected, their backend runs.
    let database = Database::fresh();
    let mut sql = database.sql();
    let pid = sql.number("SELECT pg_backend_pid()::int8 WHERE $1 <> ''", "any");
    let program = fs::read_link(format!("/proc/{pid}/exe")).unwrap();
    program.parent().unwrap().to_owned()
}
