//! The operations port, on a thread of its own: whoever keeps the program running is answered in time, also while
//! the workers of the runtime are all busy.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use tokio::runtime;
use tokio::task::spawn_blocking;

use crate::listener::{Listener, Stop};

/// Whoever asks it is one of a few.
const CONNECTIONS: usize = 64;

/// How long the head of a request may take. Whoever asks whether the program lives sends it at once, and waits for a few
/// seconds: connections that send half of one must be gone by then.
const HEAD_TIMEOUT: Duration = Duration::from_secs(2);

pub(super) struct OperationsPort(Listener);

impl OperationsPort {
    pub(super) async fn bind(address: SocketAddr) -> anyhow::Result<Self> {
        let listener = Listener::bind(address, "--operations-listen", CONNECTIONS).await?;
        Ok(Self(listener.with_head_timeout(HEAD_TIMEOUT)))
    }

    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        self.0.address()
    }

    /// Answers until it is told to end ([`Listener::answer`]).
    pub(super) async fn answer(self, routes: Router, stop: Stop) -> anyhow::Result<()> {
        let thread = spawn_blocking(move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                self.0.moved_here()?.answer(routes, stop).await;
                anyhow::Ok(())
            })
        });
        thread.await.context("the thread of the operations port")?
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;
    use std::sync::mpsc;
    use std::thread;
    use std::time::Instant;

    use axum::routing::get;

    use super::*;

    /// Longer than any step takes by itself.
    const LONG: Duration = Duration::from_mins(1);

    #[test]
    fn connections_that_send_half_a_request_keep_nobody_out_for_long() {
        let workers = runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let port = workers.block_on(OperationsPort::bind("127.0.0.1:0".parse().unwrap())).unwrap();
        let (address, stop) = (port.address().unwrap(), Stop::default());
        let routes = Router::new().route("/livez", get(async || "lives"));
        let answering = workers.spawn(port.answer(routes, stop.clone()));
        let halves: Vec<TcpStream> = (0..2 * CONNECTIONS)
            .map(|_| {
                let mut half = TcpStream::connect(address).unwrap();
                half.write_all(b"GET /livez HTTP/1.1\r\nhost:").unwrap();
                half
            })
            .collect();
        let began = Instant::now();
        let mut asked = TcpStream::connect(address).unwrap();
        asked.set_read_timeout(Some(LONG)).unwrap();
        asked.write_all(b"GET /livez HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        let read = asked.read_to_string(&mut answer);
        let waited = began.elapsed();
        // What still answers would outlive a test that fails.
        drop(halves);
        stop.closing.cancel();
        stop.over.cancel();
        workers.block_on(answering).unwrap().unwrap();
        assert!(read.is_ok() && answer.ends_with("lives"), "{read:?} {answer}");
        // Those before it take all the room twice.
        assert!(waited < Duration::from_secs(10), "{waited:?}");
    }

    #[test]
    fn it_answers_while_all_workers_are_busy() {
        let mut workers = runtime::Builder::new_multi_thread();
        let workers = workers.worker_threads(1).enable_all().build().unwrap();
        let port = workers.block_on(OperationsPort::bind("127.0.0.1:0".parse().unwrap())).unwrap();
        let (address, stop) = (port.address().unwrap(), Stop::default());
        let routes = Router::new().route("/livez", get(async || "lives"));
        let answering = workers.spawn(port.answer(routes, stop.clone()));
        let (busy, is_busy) = mpsc::channel();
        let (done, is_done) = mpsc::channel::<()>();
        workers.spawn(async move {
            // The one worker goes on to nothing else.
            busy.send(()).unwrap();
            let _ = is_done.recv_timeout(LONG * 2);
        });
        is_busy.recv_timeout(LONG).unwrap();
        let mut asked = TcpStream::connect(address).unwrap();
        asked.set_read_timeout(Some(LONG)).unwrap();
        asked.write_all(b"GET /livez HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        asked.read_to_string(&mut answer).unwrap();
        assert!(answer.ends_with("lives"), "{answer}");
        done.send(()).unwrap();
        stop.closing.cancel();
        stop.over.cancel();
        workers.block_on(answering).unwrap().unwrap();
        thread::spawn(move || drop(workers)).join().unwrap();
    }
}
