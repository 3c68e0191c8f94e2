//! What the tests share.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use daybook_embedded_postgres::{Cluster, Settings};
use sqlx::{Connection as _, Executor as _, PgConnection, Row as _};
use tempfile::TempDir;

/// A folder that is removed, where the user whom PostgreSQL runs as gets through.
pub(crate) fn a_folder() -> TempDir {
    let folder = tempfile::Builder::new().prefix("daybook-it-").tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711)).unwrap();
    folder
}

/// Small, since several run at once.
pub(crate) fn settings(folder: &Path) -> Settings {
    Settings::new(folder).parameter("shared_buffers", "16MB")
}

pub(crate) fn a_cluster_in(folder: &Path) -> Cluster {
    Cluster::start(settings(folder)).unwrap()
}

/// The first column of the first row, as text.
pub(crate) async fn ask(url: &str, sql: &str) -> Result<String, sqlx::Error> {
    let mut connection = PgConnection::connect(url).await?;
    let row = connection.fetch_one(sql).await?;
    let answer = row.try_get(0)?;
    connection.close().await?;
    Ok(answer)
}

pub(crate) async fn run(url: &str, sql: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    connection.execute(sql).await.unwrap();
    connection.close().await.unwrap();
}

pub(crate) fn pgdata(folder: &Path) -> PathBuf {
    folder.canonicalize().unwrap().join("postgres")
}

/// The number that PostgreSQL has written down.
pub(crate) fn postmaster(folder: &Path) -> i32 {
    let text = fs::read_to_string(pgdata(folder).join("postmaster.pid")).unwrap();
    text.lines().next().unwrap().parse().unwrap()
}

/// Whether a process runs; one that only waits to be waited for does not.
pub(crate) fn runs(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/status"))
        .is_ok_and(|status| !status.contains("State:\tZ"))
}

pub(crate) fn kill_dash_9(pid: i32) {
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::SIGKILL).unwrap();
}

/// Waits for what must come, and fails when it does not.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "not within 30 s: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

const ROLE: &str = "DAYBOOK_IT_OTHER_PROCESS";

/// In a process made by [`another_process`]: its folder. The test then plays the other process's part
/// instead of its own.
pub(crate) fn as_other_process() -> Option<PathBuf> {
    env::var_os(ROLE).map(PathBuf::from)
}

/// The same test in another process, which knows its part by [`as_other_process`]. What it says
/// is in the folder's `other.log`. Killed when dropped.
pub(crate) fn another_process(test: &str, folder: &Path) -> OtherProcess {
    let child = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(ROLE, folder)
        .stdout(Stdio::null())
        .stderr(fs::File::create(folder.join("other.log")).unwrap())
        .spawn()
        .unwrap();
    OtherProcess(child)
}

pub(crate) struct OtherProcess(Child);

impl OtherProcess {
    pub(crate) fn kill_dash_9(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    pub(crate) fn wait(&mut self) {
        self.0.wait().unwrap();
    }
}

impl Drop for OtherProcess {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The other process's last act: it lives on until it is killed, but not for ever.
pub(crate) fn linger() {
    thread::sleep(Duration::from_mins(2));
}
