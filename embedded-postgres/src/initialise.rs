//! Makes a new cluster with its database, whole or not at all.
//!
//! It is made beside its place and moved there at the end: a daybook that is killed half-way leaves a
//! folder that the next start removes, never a half-made cluster that it would trust.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::process::{Child, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::binaries::Binaries;
use crate::connection::{DATABASE, USER};
use crate::error::{Doing as _, Error};
use crate::layout::Layout;
use crate::log_file::LogFile;
use crate::process;
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
        self.create_database()?;
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
        command.args(["-U", USER, "-E", "UTF8", "--no-instructions"]);
        // Text is ordered by code point: the same on every machine, after every upgrade of its libc.
        command.arg("--locale=C");
        // Whoever gets into the socket's folder is its owner or root. Nobody comes by network.
        command.args(["--auth-local=trust", "--auth-host=reject"]);
        match self.durability {
            // A page that the disk has changed is found out, and not served.
            Durability::Durable => command.arg("--data-checksums"),
            Durability::Throwaway => command.arg("--no-sync"),
        };
        let (out, err) = (self.log.writer()?, self.log.writer()?);
        let child = command.stdout(out).stderr(err).spawn().doing("run", program)?;
        self.finish("initdb", child)
    }

    /// In single-user mode: neither a socket nor a client is needed.
    fn create_database(&self) -> Result<(), Error> {
        let program = &self.binaries.postgres;
        let mut command = process::command(program, self.user, Some(Signal::SIGKILL));
        command.arg("--single").arg("-D").arg(&self.layout.unfinished);
        // Else a failed statement would still end well.
        command.args(["-c", "exit_on_error=on"]);
        if self.durability == Durability::Throwaway {
            command.args(["-c", "fsync=off"]);
        }
        command.arg("template1");
        let (out, err) = (self.log.writer()?, self.log.writer()?);
        let child = command.stdin(Stdio::piped()).stdout(out).stderr(err).spawn();
        let mut child = child.doing("run", program)?;
        if let Some(mut stdin) = child.stdin.take() {
            // Where it has ended already, its status says more than the broken pipe.
            let _ = writeln!(stdin, "CREATE DATABASE {DATABASE};");
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
