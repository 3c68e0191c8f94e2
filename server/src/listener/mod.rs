//! Connections of clients: accepted, bounded in number and in what they may wait for, and ended in order.
//!
//! Not by `axum::serve`, which waits for the head of a request for ever, and closes its listener at once when it is
//! told to stop. The steps of ending ([`Stop`]) are for those who stand behind a balancer: it goes on sending for a
//! moment, and nothing that it sends may be lost.

mod activity;
mod connection;
mod open;
mod stop;
mod stream;
#[cfg(test)]
mod tests;
mod tls;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

pub(crate) use open::{OpenConnections, raise_open_files};
pub(crate) use stop::{Signals, Stop};
pub(crate) use tls::{Tls, TlsFiles, with_authorities};

/// Accepts connections, and answers what they ask.
pub(crate) struct Listener {
    tcp: TcpListener,
    open: OpenConnections,
    tls: Option<Tls>,
}

impl Listener {
    /// Listens on an address, which `option` names, for at most so many connections at once.
    pub(crate) async fn bind(
        address: SocketAddr,
        option: &str,
        connections: usize,
    ) -> anyhow::Result<Self> {
        let bound = TcpListener::bind(address).await;
        let tcp = bound.with_context(|| {
            format!("cannot listen on {address} (name another address with {option})")
        })?;
        Ok(Self { tcp, open: OpenConnections::at_most(connections), tls: None })
    }

    /// The same, on whose connections the head of a request may take so long.
    pub(crate) fn with_head_timeout(self, head_timeout: Duration) -> Self {
        Self { open: self.open.with_head_timeout(head_timeout), ..self }
    }

    /// The same, whose connections are in the figures.
    pub(crate) fn counted(self) -> Self {
        Self { open: self.open.counted(), ..self }
    }

    /// The same, whose connections are encrypted.
    pub(crate) fn with_tls(self, tls: Option<Tls>) -> Self {
        Self { tls, ..self }
    }

    /// The same on the runtime that this is called on.
    pub(crate) fn moved_here(self) -> io::Result<Self> {
        Ok(Self { tcp: TcpListener::from_std(self.tcp.into_std()?)?, ..self })
    }

    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Answers until `stop` is closing, and then what was accepted; until all of that has ended, or `stop` is over.
    pub(crate) async fn answer(self, routes: Router, stop: Stop) {
        let Self { mut tcp, open, tls } = self;
        let connections = TaskTracker::new();
        let serve = async |stream: TcpStream| {
            let opened = open.admit().await;
            let served =
                connection::serve(stream, tls.clone(), routes.clone(), opened, stop.clone());
            connections.spawn(served);
        };
        // Waits a moment where the system gives none.
        let accept = async |tcp: &mut TcpListener| axum::serve::Listener::accept(tcp).await.0;
        // What is accepted is answered, also where it waits for room while `stop` begins to close.
        while let Some(stream) = stop.closing.run_until_cancelled(accept(&mut tcp)).await {
            if stop.over.run_until_cancelled(serve(stream)).await.is_none() {
                return;
            }
        }
        // Whoever has got through to the system has been told that there is somebody.
        for stream in still_waiting(tcp) {
            if stop.over.run_until_cancelled(serve(stream)).await.is_none() {
                return;
            }
        }
        connections.close();
        stop.over.run_until_cancelled(connections.wait()).await;
    }
}

/// Closes a listener, and takes the connections that nobody has accepted yet.
fn still_waiting(tcp: TcpListener) -> Vec<TcpStream> {
    let Ok(tcp) = tcp.into_std() else { return Vec::new() };
    let accepted = std::iter::from_fn(|| tcp.accept().ok());
    accepted
        .filter_map(|(stream, _)| {
            stream.set_nonblocking(true).ok()?;
            TcpStream::from_std(stream).ok()
        })
        .collect()
}
