//! The temporary folder of a test cluster.

use std::env;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::layout::Layout;
use crate::user::ServerUser;

const PREFIX: &str = "daybook-test-";

/// Where test clusters live: the temporary folder, unless the server's user cannot get there.
pub(super) fn parent() -> PathBuf {
    let temporary = env::temp_dir();
    let reachable = ServerUser::choose(Path::new("/nonexistent"))
        .and_then(|user| user.require_reach(&temporary))
        .is_ok();
    if reachable { temporary } else { PathBuf::from("/tmp") }
}

/// A new folder, which says whose it is.
pub(super) fn create(parent: &Path) -> io::Result<PathBuf> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    loop {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = parent.join(format!("{PREFIX}{}-{count}", process::id()));
        match DirBuilder::new().mode(0o711).create(&path) {
            // Of a dead process with our number; the next sweep takes it.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(()) => return Ok(path),
        }
    }
}

/// The folders of test clusters, with the processes that made them.
pub(super) fn list(parent: &Path) -> Vec<(PathBuf, i32)> {
    let Ok(entries) = fs::read_dir(parent) else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name();
            let (pid, _) = name.to_str()?.strip_prefix(PREFIX)?.split_once('-')?;
            Some((entry.path(), pid.parse().ok()?))
        })
        .collect()
}

/// Its parts.
pub(super) fn layout(folder: &Path) -> Option<Layout> {
    Layout::of(folder).ok()
}
