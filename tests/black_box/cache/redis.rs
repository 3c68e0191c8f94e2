//! A Redis that a test runs, on a socket of its own.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::harness::{eventually, spawn};
use crate::tls::Authority;

/// A running Redis; killed when dropped.
pub(super) struct Redis {
    folder: TempDir,
    child: Child,
}

impl Redis {
    pub(super) fn start() -> Self {
        Self::start_with(&[])
    }

    /// One that speaks TLS at a port of this machine, too, with what this authority has signed.
    pub(super) fn secure(authority: &Authority, port: u16) -> Self {
        authority.signs("redis");
        let (port, ca) = (port.to_string(), authority.text("ca.pem"));
        let (cert, key) = (authority.text("redis.pem"), authority.text("redis.key"));
        let tls = [["--tls-port", &port], ["--tls-cert-file", &cert], ["--tls-key-file", &key]];
        let more = [["--tls-ca-cert-file", &ca], ["--tls-auth-clients", "no"]];
        Self::start_with(&[&tls[..], &more].concat().concat())
    }

    fn start_with(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let child = Self::run(&folder, options);
        let redis = Self { folder, child };
        redis.wait();
        redis
    }

    fn run(folder: &TempDir, options: &[&str]) -> Child {
        let mut command = Command::new("redis-server");
        command.args(["--port", "0", "--save", "", "--appendonly", "no", "--daemonize", "no"]);
        command.args(["--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru"]);
        command.arg("--unixsocket").arg(folder.path().join("redis.sock"));
        command.arg("--dir").arg(folder.path()).args(options);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        spawn(command).unwrap_or_else(|error| {
            panic!("{error}: `cargo xtask test` installs redis-server, or says what is missing")
        })
    }

    fn wait(&self) {
        eventually("redis answers", || (self.try_say(&["PING"]) == "PONG").then_some(()));
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }

    pub(super) fn url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    fn cli(&self, words: &[&str]) -> Command {
        let mut command = Command::new("redis-cli");
        command.arg("-s").arg(self.socket()).args(words);
        command
    }

    fn try_say(&self, words: &[&str]) -> String {
        let output = self.cli(words).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// What it answers to a command.
    pub(super) fn say(&self, words: &[&str]) -> String {
        let said = self.try_say(words);
        assert!(!said.starts_with("ERR") && !said.contains("refused"), "{words:?}: {said}");
        said
    }

    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = self.say(&["KEYS", "*"]).lines().map(str::to_owned).collect();
        names.retain(|name| !name.is_empty());
        names.sort();
        names
    }

    /// The bytes under a name.
    pub(super) fn value(&self, name: &str) -> Vec<u8> {
        let mut value = self.cli(&["GET", name]).output().unwrap().stdout;
        // The program ends what it prints with a line's end.
        value.pop();
        value
    }

    pub(super) fn put(&self, name: &str, value: &[u8]) {
        let mut command = self.cli(&["-x", "SET", name]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(value).unwrap();
        assert!(child.wait().unwrap().success());
    }

    pub(super) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
    }

    /// Keeps all that is there in a file.
    pub(super) fn dump(&self) {
        self.say(&["SAVE"]);
        fs::rename(self.folder.path().join("dump.rdb"), self.folder.path().join("old.rdb"))
            .unwrap();
    }

    /// `kill -9`, and then it runs again: with what was kept by then, or with nothing.
    pub(super) fn kill_and_start(&mut self, with_old_dump: bool) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let file = |name: &str| self.folder.path().join(name);
        if with_old_dump {
            fs::copy(file("old.rdb"), file("dump.rdb")).unwrap();
        }
        let _ = fs::remove_file(self.socket());
        self.child = Self::run(&self.folder, &[]);
        self.wait();
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
