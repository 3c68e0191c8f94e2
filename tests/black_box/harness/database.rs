//! A database for daybook to run on, and the program's subcommands on it.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use daybook_embedded_postgres::roles::{APP, OWNER};
use daybook_embedded_postgres::testing::{TestCluster, TestDatabase};
use daybook_embedded_postgres::{Settings, open};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use super::{Sql, child, logs};

/// How long a subcommand may take; the first on a data folder sets up PostgreSQL.
const TIMEOUT: Duration = Duration::from_mins(1);

/// What goes through a whole log may take this long, at the sizes of the command line.
const LONG: Duration = Duration::from_mins(10);

/// A database for daybook to run on; gone when the last copy of this is.
#[derive(Clone)]
pub(crate) struct Database(Arc<Home>);

enum Home {
    /// On the tests' own cluster.
    Given(TestDatabase),
    /// None is given: daybook runs its own, in a data folder.
    Embedded(TempDir),
    /// One that a test runs itself.
    At(String),
    /// One that nobody runs.
    Unreachable,
}

/// A program that has ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Finished {
    /// What it wrote to stdout; it must have succeeded.
    pub(crate) fn succeeded(self) -> String {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self.stdout
    }

    /// What it wrote to stderr; it must have failed by itself, and not by a panic.
    pub(crate) fn failed(self) -> String {
        assert!(self.code.is_some_and(|code| code != 0 && code != 101), "{self:#?}");
        self.stderr
    }

    /// What it said that ended by itself, with code 1: one line, and no more.
    #[track_caller]
    pub(crate) fn one_sentence(self) -> String {
        assert_eq!(self.code, Some(1), "{self:#?}");
        let said = self.failed();
        assert_eq!(said.trim_end().lines().count(), 1, "{said}");
        said
    }

    pub(crate) fn last_line(&self) -> &str {
        self.stdout.trim_end().lines().next_back().unwrap_or_default()
    }
}

impl Database {
    /// An empty one on the tests' own cluster, which is quick to have.
    pub(crate) fn fresh() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self(Arc::new(Home::Given(runtime.block_on(TestCluster::shared().empty_database()))))
    }

    /// A new data folder, in which daybook runs its own PostgreSQL.
    pub(crate) fn embedded() -> Self {
        let folder = tempfile::Builder::new().prefix("daybook-black-box-").tempdir().unwrap();
        // The user whom PostgreSQL runs as must get through.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711)).unwrap();
        Self(Arc::new(Home::Embedded(folder)))
    }

    /// One that the test runs itself, or reaches in its own way.
    pub(crate) fn at(url: impl Into<String>) -> Self {
        Self(Arc::new(Home::At(url.into())))
    }

    /// One that does not answer.
    pub(crate) fn unreachable() -> Self {
        Self(Arc::new(Home::Unreachable))
    }

    /// `daybook` with these arguments, on this database.
    pub(crate) fn daybook<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        self.on_this(program("daybook"), arguments)
    }

    /// The next version of the program (`tests/next`), on this database.
    pub(crate) fn next(&self) -> Command {
        let mut command = self.on_this::<&str>(program("daybook-next"), &[]);
        if let Home::Given(database) = &*self.0 {
            // It has one connection to all that there is.
            command.env("DAYBOOK_DATABASE_URL", as_user(&database.url, OWNER));
        }
        command
    }

    fn on_this<S: AsRef<OsStr>>(&self, program: PathBuf, arguments: &[S]) -> Command {
        let mut command = command(program, arguments);
        // All programs on a database have the same; one with a folder of its own keeps one there.
        if !matches!(&*self.0, Home::Embedded(_)) {
            command.env("DAYBOOK_MASTER_KEY", "env:DAYBOOK_KEY_OF_TESTS");
            command.env("DAYBOOK_KEY_OF_TESTS", format!("daybook-master-key-1:{:064x}", 0x0da1));
        }
        match &*self.0 {
            // As it is to be run: who works on rows makes no tables.
            Home::Given(database) => command
                .env("DAYBOOK_DATABASE_URL", as_user(&database.url, APP))
                .env("DAYBOOK_OWNER_DATABASE_URL", as_user(&database.url, OWNER)),
            Home::At(url) => command.env("DAYBOOK_DATABASE_URL", url),
            Home::Unreachable => {
                command.env("DAYBOOK_DATABASE_URL", "postgres://nobody@127.0.0.1:1/nothing")
            }
            Home::Embedded(folder) => command.env("DAYBOOK_DATA_DIR", data_dir(folder)),
        };
        command
    }

    /// Someone who looks behind the program's back. Where no server runs on the data folder,
    /// PostgreSQL runs as long as this does.
    pub(crate) fn sql(&self) -> Sql {
        match &*self.0 {
            Home::Given(database) => Sql::connect(&database.url, None),
            Home::At(url) => Sql::connect(url, None),
            Home::Embedded(folder) => {
                let opened = open(Settings::new(data_dir(folder))).unwrap();
                Sql::connect(&opened.connection().as_superuser().url(), Some(opened))
            }
            Home::Unreachable => panic!("nobody can look into it"),
        }
    }

    /// Where it is, on the tests' own cluster.
    pub(crate) fn url(&self) -> &str {
        let Home::Given(database) = &*self.0 else { panic!("it is not on the tests' own cluster") };
        &database.url
    }

    /// How another user of the tests' own cluster connects to it.
    pub(crate) fn url_of(&self, user: &str) -> String {
        let Home::Given(database) = &*self.0 else { panic!("it is not on the tests' own cluster") };
        as_user(&database.url, user)
    }

    /// The socket of the tests' own cluster.
    pub(crate) fn socket(&self) -> PathBuf {
        let url = self.url();
        let (_, host) = url.split_once("host=").expect("the URL names its socket's folder");
        let folder = host.split('&').next().unwrap_or_default();
        let (_, port) = url.split_once("port=").expect("the URL names its port");
        Path::new(folder).join(format!(".s.PGSQL.{port}"))
    }

    /// How it is reached by a port of this machine that leads to that socket.
    pub(crate) fn url_by_port(&self, user: &str, port: u16) -> String {
        let url = self.url();
        let name = url.trim_start_matches("postgres:///").split('?').next().unwrap_or_default();
        format!("postgres://{user}@127.0.0.1:{port}/{name}?sslmode=disable")
    }

    /// The folder of daybook's own PostgreSQL.
    pub(crate) fn data_dir(&self) -> PathBuf {
        let Home::Embedded(folder) = &*self.0 else { panic!("it is not daybook's own") };
        data_dir(folder)
    }

    /// PostgreSQL's main process, where daybook runs it.
    pub(crate) fn postmaster(&self) -> Option<Pid> {
        let file = fs::read_to_string(self.data_dir().join("postgres/postmaster.pid")).ok()?;
        file.lines().next()?.parse().ok().map(Pid::from_raw)
    }

    /// Runs a subcommand to its end.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Finished {
        finished(self.daybook(arguments), TIMEOUT)
    }

    /// Runs a shell script whose `daybook`s use this database, to its first failure or its end.
    pub(crate) fn run_script(
        &self,
        script: &str,
        folder: &Path,
        environment: &[(&str, &OsStr)],
    ) -> Finished {
        let mut command = self.on_this(PathBuf::from("sh"), &["-eu", "-c", script]);
        command.current_dir(folder).envs(environment.iter().copied());
        finished(command, LONG)
    }

    /// Makes all projections anew beside those that are read, and compares.
    pub(crate) fn projections_are_what_the_log_says(&self) {
        let verify = self.daybook(&["projections", "verify", "--all"]);
        let said = finished(verify, LONG).succeeded();
        assert!(said.lines().count() > 4, "{said}");
        assert!(said.lines().all(|line| line.contains("are what the log says")), "{said}");
    }

    /// A new key of this tenant, good for a named set of scopes.
    pub(crate) fn key(&self, tenant: &str, set: &str) -> String {
        self.key_with(tenant, &["--scope", set])
    }

    /// A new key of this tenant, which is made if need be, with these options.
    pub(crate) fn key_with(&self, tenant: &str, options: &[&str]) -> String {
        let create = ["key", "create", "--create-tenant", "--tenant", tenant];
        let said = self.run(&[&create, options].concat()).succeeded();
        let mut lines = said.lines();
        match (lines.next(), lines.next()) {
            (Some(key), None) if !key.is_empty() && !key.contains(' ') => key.to_owned(),
            _ => panic!("`key create` prints the key alone, not {said:?}"),
        }
    }

    /// Imports a calendar, with these options besides.
    pub(crate) fn import(&self, file: &Path, tenant: &str, options: &[&str]) -> Finished {
        let import = [OsStr::new("import"), file.as_os_str(), "--tenant".as_ref(), tenant.as_ref()];
        let options = options.iter().map(OsStr::new);
        self.run(&import.into_iter().chain(options).collect::<Vec<_>>())
    }
}

fn as_user(url: &str, user: &str) -> String {
    let other = url.replace("user=daybook", &format!("user={user}"));
    assert_ne!(url, other, "the URL names its user");
    other
}

fn data_dir(folder: &TempDir) -> PathBuf {
    folder.path().join("data")
}

/// A program with these arguments and nothing of the environment that is meant for another.
fn command<S: AsRef<OsStr>>(program: PathBuf, arguments: &[S]) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        if name == "PORT" || name.to_string_lossy().starts_with("DAYBOOK_") {
            command.env_remove(name);
        }
    }
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a program to its end.
pub(crate) fn run(command: Command) -> Finished {
    finished(command, TIMEOUT)
}

/// Runs a program to its end, which must come by then.
fn finished(command: Command, limit: Duration) -> Finished {
    let shown = format!("{command:?}");
    let child = child::spawn(command).unwrap();
    let id = Pid::from_raw(child.id().try_into().unwrap());
    let (ended, output) = mpsc::channel();
    thread::spawn(move || ended.send(child.wait_with_output()));
    let output = output.recv_timeout(limit).unwrap_or_else(|_| {
        let _ = kill(id, Signal::SIGKILL);
        panic!("not within {limit:?}: {shown}")
    });
    let output = output.unwrap();
    logs::add_command(&output.stderr);
    Finished {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A program that was built with these tests: `target/debug/daybook` for a test in
/// `target/debug/deps`.
pub(crate) fn program(name: &str) -> PathBuf {
    let us = env::current_exe().unwrap();
    let profile = us.ancestors().nth(2).unwrap();
    let program = profile.join(name).with_extension(env::consts::EXE_EXTENSION);
    assert!(
        program.exists(),
        "{} is not there: `cargo xtask test` builds it, and `cargo build` does",
        program.display()
    );
    program
}
