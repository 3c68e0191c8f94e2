//! What the programs under test have logged, in one folder.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// `cargo xtask test` empties it before the tests, and reads all of it after them.
pub(super) fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("logs");
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// A file for the log of one more server.
pub(super) fn of_a_server() -> (PathBuf, File) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = folder().join(format!("server-{number}.log"));
    let file = File::create(&path).unwrap();
    (path, file)
}

/// Adds what a subcommand has logged.
pub(super) fn add_command(stderr: &[u8]) {
    let path = folder().join("commands.log");
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(stderr).unwrap();
}
