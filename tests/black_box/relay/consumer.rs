//! The example's consumer, as whoever runs it has it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::broker::Rabbit;
use super::{COPY, python, repository};
use crate::harness::{spawn, within};

pub(super) struct Consumer {
    folder: TempDir,
    url: String,
    patience: Duration,
    child: Child,
}

impl Consumer {
    /// One that waits so long for what is missing while more comes.
    pub(super) fn start(rabbit: &Rabbit, patience: Duration) -> Self {
        let (folder, url) = (tempfile::tempdir().unwrap(), rabbit.url());
        let child = Self::run(&folder, &url, patience);
        Self { folder, url, patience, child }
    }

    fn run(folder: &TempDir, url: &str, patience: Duration) -> Child {
        let mut command = python();
        command.arg(repository().join("examples/consumer/consumer.py"));
        command.args([
            "--amqp-url",
            url,
            "--queue",
            COPY,
            "--patience",
            &patience.as_secs().to_string(),
        ]);
        let said = File::options().create(true).append(true).open(folder.path().join("said"));
        command.current_dir(folder.path()).stdout(Stdio::null()).stderr(said.unwrap());
        spawn(command).unwrap()
    }

    pub(super) fn kill_dash_9_and_start_again(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = Self::run(&self.folder, &self.url, self.patience);
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("copy.sqlite")
    }

    /// What its copy says of a log: the position, and how many events of each appointment it has taken.
    pub(super) fn copy(&self, tenant: &str) -> Option<(u64, BTreeMap<String, u64>)> {
        let query = "import json, sqlite3, sys\n\
                     database = sqlite3.connect(sys.argv[1], timeout=30)\n\
                     rows = lambda sql: database.execute(sql, sys.argv[2:]).fetchall()\n\
                     print(json.dumps([rows('SELECT max(position) FROM inbox WHERE source = ?')[0][0],\n\
                     \x20                dict(rows('SELECT subject, events FROM appointments WHERE source = ?'))]))";
        let mut command = python();
        command.args(["-c", query]).arg(self.database());
        let said = command.arg(format!("urn:daybook:log:{tenant}")).output().unwrap().stdout;
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

impl Drop for Consumer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
