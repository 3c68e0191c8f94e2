//! Child processes that do not outlive the tests, however these end.

use std::io;
use std::process::{Child, Command};
use std::sync::mpsc::{self, Sender};
use std::sync::{LazyLock, Mutex};
use std::thread;

type Order = (Command, Sender<io::Result<Child>>);

/// Starts a child that the kernel kills when this process ends.
///
/// The kernel's promise is about the *thread* that starts it, and a test's thread ends with the test,
/// while the server that it was the first to need is shared. So one thread starts them all.
pub(crate) fn spawn(mut command: Command) -> io::Result<Child> {
    static STARTER: LazyLock<Mutex<Sender<Order>>> = LazyLock::new(|| {
        let (orders, received) = mpsc::channel::<Order>();
        thread::spawn(move || {
            for (mut command, reply) in received {
                let _ = reply.send(command.spawn());
            }
        });
        Mutex::new(orders)
    });
    die_with_us(&mut command);
    let (reply, started) = mpsc::channel();
    STARTER.lock().unwrap().send((command, reply)).expect("the thread never ends");
    started.recv().expect("the thread never ends")
}

#[cfg(target_os = "linux")]
fn die_with_us(command: &mut Command) {
    use std::os::unix::process::CommandExt as _;

    use nix::sys::{prctl, signal::Signal};

    let ask = || prctl::set_pdeathsig(Signal::SIGKILL).map_err(io::Error::from);
    #[expect(unsafe_code, reason = "only the child itself can ask, between fork and exec")]
    // SAFETY: prctl(2) is async-signal-safe, and nothing else is called.
    unsafe {
        command.pre_exec(ask);
    }
}

#[cfg(not(target_os = "linux"))]
fn die_with_us(_: &mut Command) {}
