//! TLS to a broker, by rustls with *ring* as all of the program's.
//!
//! lapin can speak it itself, with a dozen crates that read files of keys. So it is handed connections that are encrypted already,
//! and believes that they are plain: to lapin this is one more runtime, which connects in its own way.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_compat::Compat;
use async_rs::traits::Reactor;
use async_rs::util::RuntimeParts;
use async_rs::{Runtime, Tokio};
use futures::Stream;
use futures::io::{AsyncRead, AsyncWrite};
use lapin::ErrorKind;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{self, CertificateError, ClientConfig, RootCertStore};

use super::BrokerError;

/// To whom TLS is spoken, and who vouches for them.
#[derive(Clone)]
pub(super) struct Secure {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Secure {
    /// To the host of this name, which one of these authorities is to have certified. `None`: no host has such a name.
    pub(super) fn to(host: &str, authorities: RootCertStore) -> Option<Self> {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .ok()?
            .with_root_certificates(authorities)
            .with_no_client_auth();
        let name = ServerName::try_from(host.to_owned()).ok()?;
        Some(Self { connector: TlsConnector::from(Arc::new(config)), name })
    }

    /// What lapin connects with, on the runtime of whoever calls this.
    pub(super) fn runtime(&self) -> Runtime<RuntimeParts<Tokio, Connecting>> {
        let tokio = Tokio::current();
        let connecting = Connecting { tokio: tokio.clone(), secure: self.clone() };
        Runtime::new(RuntimeParts::new(tokio, connecting))
    }
}

/// The authorities that this machine knows, if any.
pub(super) fn of_machine() -> RootCertStore {
    let mut authorities = RootCertStore::empty();
    authorities.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    authorities
}

/// Those in a text. `None`: it has none (PEM), or something else.
pub(super) fn of_pem(pem: &[u8]) -> Option<RootCertStore> {
    let mut authorities = RootCertStore::empty();
    for authority in CertificateDer::pem_slice_iter(pem) {
        authorities.add(authority.ok()?).ok()?;
    }
    (!authorities.is_empty()).then_some(authorities)
}

/// Why there is no connection.
pub(super) fn refused(error: &lapin::Error) -> BrokerError {
    let ErrorKind::IOError(error) = error.kind() else { return BrokerError::NotConnected };
    match error.get_ref().and_then(|error| error.downcast_ref()) {
        Some(rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        )) => BrokerError::OtherName,
        Some(rustls::Error::InvalidCertificate(_)) => BrokerError::NotTrusted,
        _ => BrokerError::NotConnected,
    }
}

/// As tokio has it, but for its connections.
#[derive(Clone)]
pub(super) struct Connecting {
    tokio: Tokio,
    secure: Secure,
}

impl std::fmt::Debug for Connecting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Connecting({:?})", self.secure.name)
    }
}

impl Reactor for Connecting {
    type TcpStream = Compat<TlsStream<TcpStream>>;
    type Sleep = <Tokio as Reactor>::Sleep;

    fn register<H: Read + Write + AsFd + AsRawFd + Send + 'static>(
        &self,
        socket: H,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        self.tokio.register(socket)
    }

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        self.tokio.sleep(duration)
    }

    fn interval(&self, duration: Duration) -> impl Stream<Item = Instant> + Send + 'static {
        self.tokio.interval(duration)
    }

    fn tcp_connect_addr(
        &self,
        address: SocketAddr,
    ) -> impl Future<Output = io::Result<Self::TcpStream>> + Send + 'static {
        let (tokio, Secure { connector, name }) = (self.tokio.clone(), self.secure.clone());
        async move {
            let plain = tokio.tcp_connect_addr(address).await?.into_inner();
            Ok(Compat::new(connector.connect(name, plain).await?))
        }
    }
}
