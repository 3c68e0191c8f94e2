//! Makes a new cluster with its roles and its database, whole or not at all, and hands over one that an earlier version made.
//!
//! It is made beside its place and moved there at the end: a daybook that is killed half-way leaves a
//! folder that the next start removes, never a half-made cluster that it would trust.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::binaries::Binaries;
use crate::connection::DATABASE;
use crate::error::{Doing as _, Error};
use crate::layout::Layout;
use crate::log_file::LogFile;
use crate::process;
use crate::roles::{self, Admission, SUPERUSER};
use crate::settings::Durability;
use crate::user::ServerUser;

const BOUND: Duration = Duration::from_mins(2);

/// Everything that making a cluster needs.
pub(crate) struct Initialise<'a> {
    pub(crate) layout: &'a Layout,
    pub(crate) binaries: &'a Binaries,
    pub(crate) user: &'a ServerUser,
    pub(crate) durability: Durability,
    pub(crate) log: &'a LogFile,
}

impl Initialise<'_> {
    /// Makes the cluster. The caller holds the folder's lock.
    pub(crate) fn run(&self) -> Result<(), Error> {
        let unfinished = &self.layout.unfinished;
        match fs::remove_dir_all(unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).doing("remove", unfinished);
            }
            _ => {}
        }
        DirBuilder::new().mode(0o700).create(unfinished).doing("create", unfinished)?;
        self.user.own(unfinished)?;
        self.init_db()?;
        // In a cluster for tests each database is to have what the roles are given, so what it is a copy of has it.
        if self.durability == Durability::Throwaway {
            self.alone(unfinished, "template1", roles::SQL)?;
        }
        self.alone(unfinished, "template1", &format!("CREATE DATABASE {DATABASE};\n\n"))?;
        self.hand_over(unfinished)?;
        fs::rename(unfinished, &self.layout.pgdata).doing("move into place", unfinished)?;
        if self.durability == Durability::Durable {
            let root = &self.layout.root;
            File::open(root).and_then(|folder| folder.sync_all()).doing("sync", root)?;
        }
        Ok(())
    }

    fn init_db(&self) -> Result<(), Error> {
        let program = &self.binaries.initdb;
        // A half-made cluster is worth nothing.
        let mut command = process::command(program, self.user, Some(Signal::SIGKILL));
        command.arg("-D").arg(&self.layout.unfinished);
        command.args(["-U", SUPERUSER, "-E", "UTF8", "--no-instructions"]);
        // Text is ordered by code point: the same on every machine, after every upgrade of its libc.
        command.arg("--locale=C");
        // Who comes in stands in files of our own.
        command.args(["--auth-local=reject", "--auth-host=reject"]);
        match self.durability {
            // A page that the disk has changed is found out, and not served.
            Durability::Durable => command.arg("--data-checksums"),
            Durability::Throwaway => command.arg("--no-sync"),
        };
        let (out, err) = (self.log.writer()?, self.log.writer()?);
        let child = command.stdout(out).stderr(err).spawn().doing("run", program)?;
        self.finish("initdb", child)
    }

    /// Hands the database of a cluster over to its roles, also one that an earlier version has made. The caller holds the folder's lock, and no server
    /// runs.
    pub(crate) fn hand_over(&self, pgdata: &Path) -> Result<(), Error> {
        self.alone(pgdata, DATABASE, roles::SQL)?;
        Admission::of(pgdata).note_roles(self.user)
    }

    /// Runs statements in single-user mode, which needs neither a socket nor a client.
    fn alone(&self, pgdata: &Path, database: &str, statements: &str) -> Result<(), Error> {
        let program = &self.binaries.postgres;
        let mut command = process::command(program, self.user, Some(Signal::SIGKILL));
        // A statement ends with a semicolon and an empty line.
        command.arg("--single").arg("-j").arg("-D").arg(pgdata);
        // Else a failed statement would still end well.
        command.args(["-c", "exit_on_error=on"]);
        if self.durability == Durability::Throwaway {
            command.args(["-c", "fsync=off"]);
        }
        command.arg(database);
        let (out, err) = (self.log.writer()?, self.log.writer()?);
        let child = command.stdin(Stdio::piped()).stdout(out).stderr(err).spawn();
        let mut child = child.doing("run", program)?;
        if let Some(mut stdin) = child.stdin.take() {
            // Where it has ended already, its status says more than the broken pipe.
            let _ = stdin.write_all(statements.as_bytes());
        }
        self.finish("postgres --single", child)
    }

    fn finish(&self, step: &'static str, mut child: Child) -> Result<(), Error> {
        match process::wait_bounded(&mut child, BOUND).doing("wait for", &self.layout.unfinished)? {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(Error::Initialise { step, status, log: self.log.tail() }),
            None => {
                // Reaped as well; what fails here changes nothing for the caller.
                let _ = child.kill();
                let _ = child.wait();
                Err(Error::InitialiseTimeout { step, after: BOUND })
            }
        }
    }
}
