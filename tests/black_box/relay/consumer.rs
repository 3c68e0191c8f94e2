//! The example's consumers, as whoever runs them has them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use tempfile::TempDir;

use super::broker::Rabbit;
use super::{COPY, python, repository};
use crate::harness::{Database, program, spawn, within};

pub(super) struct Consumer {
    folder: TempDir,
    url: String,
    patience: Duration,
    /// Where the one in Rust keeps its copy; `None`: it is the one in Python, which keeps it in its folder.
    database: Option<Database>,
    child: Child,
}

/// The queue of the one in Rust.
pub(super) const COPY_IN_RUST: &str = "copy-in-rust";

impl Consumer {
    /// One that waits so long for what is missing while more comes.
    pub(super) fn start(rabbit: &Rabbit, patience: Duration) -> Self {
        Self::begin(rabbit, patience, None)
    }

    /// The same in Rust, with a queue of its own.
    pub(super) fn start_in_rust(rabbit: &Rabbit, patience: Duration) -> Self {
        Self::begin(rabbit, patience, Some(Database::fresh()))
    }

    fn begin(rabbit: &Rabbit, patience: Duration, database: Option<Database>) -> Self {
        let (folder, url) = (tempfile::tempdir().unwrap(), rabbit.url());
        let child = Self::run(&folder, &url, patience, database.as_ref());
        Self { folder, url, patience, database, child }
    }

    fn run(folder: &TempDir, url: &str, patience: Duration, database: Option<&Database>) -> Child {
        let mut command = if let Some(database) = database {
            let mut command = Command::new(program("daybook-consumer"));
            command.args(["--queue", COPY_IN_RUST, "--database-url", database.url()]);
            command
        } else {
            let mut command = python();
            command.arg(repository().join("examples/consumer/consumer.py"));
            command.args(["--queue", COPY]);
            command
        };
        command.args(["--amqp-url", url, "--patience", &patience.as_secs().to_string()]);
        let said = File::options().create(true).append(true).open(folder.path().join("said"));
        command.current_dir(folder.path()).stdout(Stdio::null()).stderr(said.unwrap());
        spawn(command).unwrap()
    }

    pub(super) fn kill_dash_9_and_start_again(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = Self::run(&self.folder, &self.url, self.patience, self.database.as_ref());
    }

    /// What its copy says of a log: the position, and how many events of each appointment it has taken.
    pub(super) fn copy(&self, tenant: &str) -> Option<(u64, BTreeMap<String, u64>)> {
        let source = format!("urn:daybook:log:{tenant}");
        match &self.database {
            Some(database) => in_postgres(database, &source),
            None => self.in_sqlite(&source),
        }
    }

    fn in_sqlite(&self, source: &str) -> Option<(u64, BTreeMap<String, u64>)> {
        let query = "import json, sqlite3, sys\n\
                     database = sqlite3.connect(sys.argv[1], timeout=30)\n\
                     rows = lambda sql: database.execute(sql, sys.argv[2:]).fetchall()\n\
                     print(json.dumps([rows('SELECT max(position) FROM inbox WHERE source = ?')[0][0],\n\
                     \x20                dict(rows('SELECT subject, events FROM appointments WHERE source = ?'))]))";
        let mut command = python();
        command.args(["-c", query]).arg(self.folder.path().join("copy.sqlite"));
        let said = command.arg(source).output().unwrap().stdout;
        let said: Value = serde_json::from_slice(&said).ok()?;
        Some((said[0].as_u64()?, serde_json::from_value(said[1].clone()).unwrap()))
    }

    pub(super) fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// How it ended by itself, and what it had to say.
    pub(super) fn ended(&mut self) -> (ExitStatus, String) {
        let status = within(Duration::from_mins(1), "the consumer has ended", || {
            self.child.try_wait().unwrap()
        });
        (status, fs::read_to_string(self.folder.path().join("said")).unwrap())
    }
}

fn in_postgres(database: &Database, source: &str) -> Option<(u64, BTreeMap<String, u64>)> {
    let mut sql = database.sql();
    // It makes its tables when it has begun.
    let there = "SELECT count(*) FROM pg_tables WHERE tablename = 'copied' AND $1 <> ''";
    (sql.number(there, source) == 1).then_some(())?;
    let position = sql.rows("SELECT position FROM inbox WHERE source = $1", source);
    let position: i64 = position.first()?.get("position");
    let rows = sql.rows("SELECT subject, events FROM copied WHERE source = $1", source);
    let count = |row: &PgRow| (row.get("subject"), row.get::<i64, _>("events").unsigned_abs());
    Some((position.unsigned_abs(), rows.iter().map(count).collect()))
}

impl Drop for Consumer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
