//! A `daybook serve` of its own for each cell.

use std::env;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::client::Connection;
use crate::cluster::Database;
use crate::daybook::master_key;
use crate::output;

/// How long it may take to be ready, and to stop.
const PATIENCE: Duration = Duration::from_secs(30);

const POLL: Duration = Duration::from_millis(20);

/// The daybook program.
pub(crate) struct Program(PathBuf);

impl Program {
    /// The one that is named, else the one beside this, built anew where this was started by cargo.
    /// Blocks.
    pub(crate) fn find(named: Option<&Path>) -> anyhow::Result<Self> {
        let program = if let Some(named) = named {
            named.to_path_buf()
        } else {
            if let Some(cargo) = env::var_os("CARGO") {
                build(&cargo)?;
            }
            env::current_exe()?.with_file_name("daybook")
        };
        ensure!(program.is_file(), "there is no {} (see --daybook)", program.display());
        output::note(&format!("serving with {}", program.display()));
        Ok(Self(program))
    }
}

impl Program {
    /// Another of its commands, to be run.
    pub(crate) fn command(&self, database: &Database, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.0);
        command.args(arguments);
        on(&mut command, database);
        command
    }

    /// Runs another of its commands. Blocks.
    pub(crate) fn ask(&self, database: &Database, arguments: &[&str]) -> anyhow::Result<()> {
        let output = self
            .command(database, arguments)
            .output()
            .with_context(|| self.0.display().to_string())?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{}: {complaint}", arguments.join(" "));
        Ok(())
    }
}

/// Where the program finds what it works on.
fn on(command: &mut Command, database: &Database) {
    command.env("DAYBOOK_DATABASE_URL", &database.url);
    command.env("DAYBOOK_MASTER_KEY", "env:DAYBOOK_KEY_OF_BENCH");
    command.env("DAYBOOK_KEY_OF_BENCH", master_key());
}

fn build(cargo: &OsStr) -> anyhow::Result<()> {
    let profile = profile(&env::current_exe()?).context("this program is in no target folder")?;
    output::note(&format!("building daybook with the profile {profile}, as this was built"));
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--package", "daybook", "--profile", &profile]);
    let status = build.current_dir(env!("CARGO_MANIFEST_DIR")).status()?;
    ensure!(status.success(), "daybook was not built: {status}");
    Ok(())
}

/// The profile that a program was built with: cargo names the folder after it, but for one.
fn profile(program: &Path) -> Option<String> {
    let folder = program.parent()?.file_name()?.to_str()?;
    Some(if folder == "debug" { "dev" } else { folder }.to_owned())
}

/// A running server; killed when dropped.
pub(crate) struct Serving {
    child: Child,
    pub(crate) address: SocketAddr,
    /// Where it says how it is.
    pub(crate) operations: SocketAddr,
}

/// What it says where it has begun to listen.
const API: &str = "listening on http://";
const OPERATIONS: &str = "operations port is http://";

impl Serving {
    /// Starts it; returns when it is ready.
    pub(crate) async fn start(
        program: &Program,
        database: &Database,
        log: PathBuf,
    ) -> anyhow::Result<Self> {
        Self::start_with(program, database, log, &[]).await
    }

    /// The same, with more arguments.
    pub(crate) async fn start_with(
        program: &Program,
        database: &Database,
        log: PathBuf,
        arguments: &[&str],
    ) -> anyhow::Result<Self> {
        let mut command = Command::new(&program.0);
        command.args(["serve", "--listen", "127.0.0.1:0", "--operations-listen", "127.0.0.1:0"]);
        command.args(arguments);
        on(&mut command, database);
        command.stdout(Stdio::piped()).stderr(File::create(&log)?);
        let mut child = command.spawn().with_context(|| program.0.display().to_string())?;
        let stdout = child.stdout.take().context("its output is piped")?;
        // From here on it is killed if anything fails.
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut serving = Self { child, address: nowhere, operations: nowhere };
        let complaint = || std::fs::read_to_string(&log).unwrap_or_default();
        (serving.address, serving.operations) = announced(stdout).with_context(complaint)?;
        serving.ready().await.with_context(complaint)?;
        Ok(serving)
    }

    async fn ready(&self) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        let request = format!("GET /readyz HTTP/1.1\r\nhost: {}\r\n\r\n", self.operations);
        let mut connection = Connection::open(self.operations).await?;
        while connection.ask(request.as_bytes()).await?.status != 200 {
            ensure!(Instant::now() < deadline, "daybook does not become ready");
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }

    /// The id of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Stops it as an operator does. Blocks.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        kill(Pid::from_raw(i32::try_from(self.child.id())?), Signal::SIGTERM)?;
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "daybook has ended with {status}");
                return Ok(());
            }
            thread::sleep(POLL);
        }
        bail!("daybook does not stop")
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where it says that it listens, for the API and for operations. Blocks.
fn announced(stdout: ChildStdout) -> anyhow::Result<(SocketAddr, SocketAddr)> {
    let (found, announced) = mpsc::channel();
    thread::spawn(move || {
        // To the end, or it would block (or be killed) when it writes more.
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            for what in [API, OPERATIONS] {
                if let Some((_, address)) = line.split_once(what) {
                    let _ = found.send((what, address.trim().to_owned()));
                }
            }
        }
    });
    let (mut api, mut operations) = (None, None);
    loop {
        if let Some(both) = api.zip(operations) {
            return Ok(both);
        }
        let (what, address) =
            announced.recv_timeout(PATIENCE).context("daybook does not listen")?;
        let address = Some(address.parse()?);
        if what == API { api = address } else { operations = address }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_is_the_one_of_the_folder() {
        let profile = |path| profile(Path::new(path));
        assert_eq!(profile("/target/dist/bench").as_deref(), Some("dist"));
        assert_eq!(profile("/target/debug/bench").as_deref(), Some("dev"));
    }
}
