//! A wire between a program and its database, on which nothing may come through for a while.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use daybook_embedded_postgres::roles::{APP, OWNER};

use super::{Database, Server};

/// A wire; there for as long as the test runs.
pub(crate) struct Wire {
    port: u16,
    frozen: Arc<AtomicBool>,
}

impl Wire {
    /// A wire to a database of the tests' own cluster.
    pub(crate) fn to(database: &Database) -> Self {
        let socket = database.socket();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let frozen = Arc::new(AtomicBool::new(false));
        let is_frozen = Arc::clone(&frozen);
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let far = UnixStream::connect(&socket).unwrap();
                let (near_again, far_again) = (near.try_clone().unwrap(), far.try_clone().unwrap());
                let frozen = [Arc::clone(&is_frozen), Arc::clone(&is_frozen)];
                let [there, back] = frozen;
                thread::spawn(move || {
                    pass(near_again, &far_again, &there);
                    let _ = far_again.shutdown(Shutdown::Both);
                });
                thread::spawn(move || {
                    pass(far, &near, &back);
                    let _ = near.shutdown(Shutdown::Both);
                });
            }
        });
        Self { port, frozen }
    }

    /// A server that reaches its database by this wire, and is ready.
    pub(crate) fn server(&self, database: &Database, arguments: &[&str]) -> Server {
        let [app, owner] = [APP, OWNER].map(|user| database.url_by_port(user, self.port));
        let urls = ["--database-url", &app, "--owner-database-url", &owner];
        let server = Server::start_unready(database, &[arguments, &urls].concat());
        server.wait_until_ready();
        server
    }

    pub(crate) fn freeze(&self) {
        self.frozen.store(true, Ordering::Relaxed);
    }

    pub(crate) fn thaw(&self) {
        self.frozen.store(false, Ordering::Relaxed);
    }
}

/// Passes on what comes, unless the wire is frozen.
fn pass(mut from: impl Read, mut to: impl Write, frozen: &AtomicBool) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut bytes) {
        while frozen.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(10));
        }
        if to.write_all(&bytes[..read]).is_err() {
            return;
        }
    }
}
