//! Removes a test cluster when its process ends.
//!
//! A `static` is never dropped, a panic or `process::exit` runs no destructor, and SIGKILL runs nothing
//! at all. So somebody else does it: a shell that holds the reading end of a pipe. Its `read` returns
//! when the last writing end closes, and the kernel closes ours whatever ends us. An `atexit` hook would
//! need unsafe code and still miss SIGKILL. Being a process group of its own, the reaper survives a
//! Ctrl-C. Where it is killed too, the next test run sweeps.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};

/// `$1` is the folder. PostgreSQL has been told by the kernel already, on Linux; its number is looked
/// up late, for it may have been started again. 100 times 0.1 s is the bound.
const SCRIPT: &str = r#"
read -r _
pid=$(head -n 1 "$1/postgres/postmaster.pid" 2>/dev/null)
[ -n "$pid" ] && kill -QUIT "$pid" 2>/dev/null
tries=0
while [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null && [ $tries -lt 100 ]; do
    tries=$((tries + 1))
    sleep 0.1
done
rm -rf -- "$1"
"#;

/// Our end of the pipe. Rust's pipes are close-on-exec, so no other child keeps it open.
#[derive(Debug)]
pub(super) struct Reaper {
    _alive: Option<ChildStdin>,
}

impl Reaper {
    pub(super) fn watch(folder: &Path) -> io::Result<Self> {
        let mut shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "daybook-test-reaper"])
            .arg(folder)
            .current_dir("/")
            .stdin(Stdio::piped())
            // Whoever reads the tests' output must not wait for us.
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        // Never waited for: it ends after us.
        Ok(Self { _alive: shell.stdin.take() })
    }
}
