//! A running `daybook serve`.

use std::fmt::Debug;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus};
use std::str::FromStr;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Api, Database, child, eventually, logs};

/// How long it may take to be ready: with a database of its own, PostgreSQL is set up first.
const START_TIMEOUT: Duration = Duration::from_mins(1);

/// How long it may take to end after it was asked to.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);

/// For how many seconds a server that is told to stop goes on accepting connections.
const DRAIN: &str = "DAYBOOK_DRAIN_SECONDS";

/// A running `daybook serve`; killed when dropped.
pub(crate) struct Server {
    /// Of the API; empty where the program has no such role.
    pub(crate) url: String,
    /// Of the operations port.
    pub(crate) operations: String,
    pub(crate) database: Database,
    child: Mutex<Child>,
    said: Arc<Mutex<String>>,
    log: PathBuf,
}

impl Server {
    /// The one of all tests that need none of their own.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Server> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(&Database::fresh()))
    }

    /// Whoever runs it, with a new key.
    pub(crate) fn keyed_operator(&self) -> Api {
        let key = self.database.run(&["operator-key", "create"]).succeeded();
        self.api(Some(key.trim().to_owned()))
    }

    /// A new one, which is ready.
    pub(crate) fn start(database: &Database) -> Self {
        Self::start_with(database, &[])
    }

    /// A new one with more arguments, which is ready.
    pub(crate) fn start_with(database: &Database, arguments: &[&str]) -> Self {
        let server = Self::start_unready(database, arguments);
        server.wait_until_ready();
        server
    }

    /// A new one, which listens.
    pub(crate) fn start_unready(database: &Database, arguments: &[&str]) -> Self {
        let arguments = [&["serve", "--listen", "127.0.0.1:0"], arguments].concat();
        Self::run(database, database.daybook(&arguments))
    }

    /// A new one with more in its environment, which listens.
    pub(crate) fn start_in(database: &Database, environment: &[(&str, &str)]) -> Self {
        let mut command = database.daybook(&["serve", "--listen", "127.0.0.1:0"]);
        command.envs(environment.iter().copied());
        Self::run(database, command)
    }

    /// A new one with these arguments and no others, which listens.
    pub(crate) fn start_as(
        database: &Database,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let mut command = database.daybook(arguments);
        command.envs(environment.iter().copied());
        Self::run(database, command)
    }

    /// A new one at this address, which is ready.
    pub(crate) fn start_at(database: &Database, address: &str, arguments: &[&str]) -> Self {
        let arguments = [&["serve", "--listen", address], arguments].concat();
        let server = Self::run(database, database.daybook(&arguments));
        server.wait_until_ready();
        server
    }

    /// What this command starts, which is ready.
    pub(crate) fn start_command(database: &Database, command: Command) -> Self {
        let server = Self::run(database, command);
        server.wait_until_ready();
        server
    }

    /// The next version of the program (`tests/next`), which listens.
    pub(crate) fn start_next(database: &Database) -> Self {
        Self::run(database, database.next())
    }

    fn run(database: &Database, mut command: Command) -> Self {
        let (log, file) = logs::of_a_server();
        command.stderr(file);
        // Nobody stands between a test and its server, unless it says so.
        if !command.get_envs().any(|(name, _)| name == DRAIN) {
            command.env(DRAIN, "0");
        }
        let mut child = child::spawn(command).unwrap();
        let stdout = child.stdout.take().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let (found, announced) = mpsc::channel();
        let heard = Arc::clone(&said);
        thread::spawn(move || listen(stdout, &heard, &found));
        let Ok(url) = announced.recv_timeout(START_TIMEOUT) else {
            let _ = child.kill();
            panic!("daybook does not listen; its log: {}", fs::read_to_string(&log).unwrap());
        };
        let operations = operations_in(&said.lock().unwrap()).unwrap_or_default();
        Self { url, operations, database: database.clone(), child: Mutex::new(child), said, log }
    }

    pub(crate) fn wait_until_ready(&self) {
        // The next version of the program (`tests/next`) has no operations port.
        let has_port = !self.operations.is_empty();
        let api = if has_port { self.operator() } else { self.api(None) };
        let deadline = Instant::now() + START_TIMEOUT;
        while api.get("/readyz").send().status != 200 {
            assert!(Instant::now() < deadline, "never ready: {}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// One who talks to it with this key.
    pub(crate) fn api(&self, key: Option<String>) -> Api {
        Api::new(self.url.clone(), key)
    }

    /// What a series of its figures is at now: a name, with its labels in the order in which they are told.
    #[track_caller]
    pub(crate) fn figure<T: FromStr<Err: Debug>>(&self, series: &str) -> T {
        let figures = self.operator().get("/metrics").send();
        figures.has_status(200);
        let value =
            figures.text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("no {series}")).parse().unwrap()
    }

    /// One who asks the operations port.
    pub(crate) fn operator(&self) -> Api {
        Api::new(self.operations.clone(), None)
    }

    /// What it has written to stdout.
    pub(crate) fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// Whatever it has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// The same, as soon as this is in it: what is logged is written a moment later.
    pub(crate) fn log_with(&self, text: &str) -> String {
        eventually(text, || Some(self.log()).filter(|log| log.contains(text)))
    }

    /// Ctrl-C.
    pub(crate) fn interrupt(&self) {
        self.signal(Signal::SIGINT);
    }

    /// `kill -9`, and waits until it is gone.
    pub(crate) fn kill_dash_9(&self) {
        self.signal(Signal::SIGKILL);
        self.wait();
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.lock().unwrap().id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.id().try_into().unwrap()), signal).unwrap();
    }

    /// Waits until it has ended.
    pub(crate) fn wait(&self) -> ExitStatus {
        let deadline = Instant::now() + STOP_TIMEOUT;
        loop {
            if let Some(status) = self.child.lock().unwrap().try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "it does not end: {}", self.log());
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Where the operations port is, by what a server has said.
fn operations_in(said: &str) -> Option<String> {
    said.lines().find_map(|line| line.strip_prefix("the operations port is ")).map(str::to_owned)
}

/// Hears what a server says, to the end (it would be blocked otherwise), and where it listens.
fn listen(stdout: ChildStdout, said: &Mutex<String>, found: &Sender<String>) {
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        said.lock().unwrap().extend([&*line, "\n"]);
        if let Some(url) = line.strip_prefix("daybook is listening on ") {
            let _ = found.send(url.to_owned());
        }
        // A program that does not listen, which has nothing more to say.
        if line == "daybook does not listen: it has not the role api" {
            let _ = found.send(String::new());
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let child = self.child.get_mut().unwrap_or_else(PoisonError::into_inner);
        let _ = child.kill();
        let _ = child.wait();
    }
}
