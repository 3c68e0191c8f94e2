//! How every program of PostgreSQL is started: as the right user, apart from our terminal, without our
//! secrets, and not to outlive us unless that is meant.

use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::user::ServerUser;

/// What a child keeps of our environment. The rest is none of its business: daybook's own has keys,
/// and the child may be another user's process.
const KEPT: &[&str] = &["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR"];

/// How often a child is looked at while it is waited for.
const POLL: Duration = Duration::from_millis(20);

/// A command for a program of PostgreSQL.
///
/// The child gets `on_death` when **the thread that spawns it** ends (on Linux), so that thread must
/// live as long as the child may; `None`: it outlives us.
pub(crate) fn command(program: &Path, user: &ServerUser, on_death: Option<Signal>) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("LC_ALL", "C");
    for name in KEPT {
        if let Some(value) = std::env::var_os::<&OsStr>(name.as_ref()) {
            command.env(name, value);
        }
    }
    // Ours may be closed to the user.
    command.current_dir("/");
    command.stdin(Stdio::null());
    // A group of its own: Ctrl-C is for us, who then stop PostgreSQL when its clients are done.
    command.process_group(0);
    user.assume(&mut command);
    if let Some(signal) = on_death {
        die_with_us(&mut command, signal);
    }
    command
}

/// Asks the kernel to signal the child when we die, however we die.
#[cfg(target_os = "linux")]
fn die_with_us(command: &mut Command, on_death: Signal) {
    use nix::sys::prctl;
    use nix::unistd::{Pid, getpid, getppid};

    let us = getpid();
    let ask = move || {
        prctl::set_pdeathsig(on_death)?;
        // Had we died before the line above, nobody would tell the child any more.
        let parent: Pid = getppid();
        if parent == us { Ok(()) } else { Err(io::Error::from(io::ErrorKind::BrokenPipe)) }
    };
    #[expect(
        unsafe_code,
        reason = "only the child itself can ask, between fork and exec; the closure makes two system \
                  calls and neither allocates nor locks. It runs after the change of user, which \
                  would clear the request"
    )]
    // SAFETY: prctl(2) and getppid(2) are async-signal-safe, and nothing else is called.
    unsafe {
        command.pre_exec(ask);
    }
}

/// Elsewhere there is no such request; the next start stops what was left over.
#[cfg(not(target_os = "linux"))]
fn die_with_us(_: &mut Command, _: Signal) {}

/// Waits for the end of a child, up to a bound; `None` when it still runs.
pub(crate) fn wait_bounded(child: &mut Child, bound: Duration) -> io::Result<Option<ExitStatus>> {
    let deadline = Instant::now() + bound;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            return Ok(None);
        }
        thread::sleep(POLL);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_sees_nothing_of_our_environment_but_what_it_needs() {
        // Cargo sets this one for every test.
        assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
        let us = ServerUser { uid: 0, gid: 0, switch: false };
        let shown =
            command(Path::new("/usr/bin/env"), &us, Some(Signal::SIGKILL)).output().unwrap();
        let shown = String::from_utf8(shown.stdout).unwrap();
        assert!(shown.contains("LC_ALL=C") && shown.contains("PATH="), "{shown}");
        assert!(!shown.contains("CARGO"), "{shown}");
    }
}
