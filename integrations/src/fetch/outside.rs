//! Whom one may ask who was given an URL: everybody's addresses, and nobody else.
//!
//! A name is looked up once for each request, and what it leads to is what is connected to; nobody is sent elsewhere.

use std::net::SocketAddr;
use std::time::Duration;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Error};

use super::address;

/// The most bytes of an answer's head.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// Why nobody was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotAsked {
    /// An address is not everybody's.
    #[error("its address is not one that everybody reaches")]
    NotPublic,
    /// The system says no more of a name than that it has not found it.
    #[error("its name is not found")]
    NoSuchName,
}

/// What asks others; each request takes so long at most, all of it: looking the name up, connecting, TLS, and the answer.
/// With `is_local_allowed` also this machine, and there without TLS: for whoever tries daybook, and for tests.
pub(super) fn agent(is_local_allowed: bool, whole: Duration) -> Agent {
    // The machine's own certificates, SSL_CERT_FILE among them. No proxy: behind one, nobody sees where a name leads.
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    let config = Agent::config_builder()
        .tls_config(tls)
        .https_only(!is_local_allowed)
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .max_idle_connections(0)
        .max_response_header_size(MAX_HEAD_BYTES)
        .timeout_global(Some(whole))
        .user_agent(concat!("daybook/", env!("CARGO_PKG_VERSION")))
        .accept("application/json")
        .build();
    Agent::with_parts(config, DefaultConnector::default(), PublicOnly { is_local_allowed })
}

/// Whether that is why a request was not made, and which.
pub(super) fn not_asked(error: &Error) -> Option<NotAsked> {
    match error {
        Error::Other(other) => other.downcast_ref().copied(),
        _ => None,
    }
}

/// Looks names up, and refuses those of which any address is not everybody's.
#[derive(Debug)]
struct PublicOnly {
    is_local_allowed: bool,
}

impl PublicOnly {
    fn allows(&self, is_secure: bool, address: &SocketAddr) -> bool {
        let is_local = self.is_local_allowed && address.ip().is_loopback();
        is_local || is_secure && address::is_public(address.ip())
    }
}

impl Resolver for PublicOnly {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let found = DefaultResolver::default().resolve(uri, config, timeout);
        let found = found.map_err(|error| match error {
            Error::Io(_) | Error::HostNotFound => Error::Other(Box::new(NotAsked::NoSuchName)),
            other => other,
        })?;
        let is_secure = uri.scheme_str() == Some("https");
        if found.iter().all(|address| self.allows(is_secure, address)) {
            return Ok(found);
        }
        Err(Error::Other(Box::new(NotAsked::NotPublic)))
    }
}
