//! TLS by rustls, with *ring*: what a connection is encrypted with, read from files and again whenever these change.
//!
//! A certificate that cannot be used ends the program at its start; later, the one before it stays, and the log says why.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, ensure};
use clap::Args;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use tokio_util::sync::CancellationToken;

/// How often the files are looked at: a certificate that was renewed is used from then on.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// What a record of TLS that begins a handshake begins with (RFC 8446, section 5.1).
const HANDSHAKE: u8 = 22;

/// What is said to whoever speaks HTTP without TLS.
const NO_TLS: &str = "this port speaks TLS: ask by https://";

/// Where certificates and keys are, as PEM.
#[derive(Args, Clone)]
#[expect(clippy::struct_field_names, reason = "the options have these names")]
pub(crate) struct TlsFiles {
    /// The certificate, with those that it was signed by after it (PEM): the port speaks TLS 1.2 and 1.3 with it, and nothing
    /// else. Read again when the file changes [default: no TLS].
    #[arg(long, env = "DAYBOOK_TLS_CERT", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The key of the certificate (PEM).
    #[arg(long, env = "DAYBOOK_TLS_KEY", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// The authorities of clients (PEM): who has no certificate of theirs is not answered [default: anybody is].
    #[arg(long, env = "DAYBOOK_TLS_CLIENT_CA", requires = "tls_cert")]
    tls_client_ca: Option<PathBuf>,
}

/// What a connection is encrypted with at present. Clones are one.
#[derive(Clone)]
pub(crate) struct Tls {
    files: Files,
    current: Arc<RwLock<Arc<ServerConfig>>>,
}

#[derive(Clone)]
struct Files {
    cert: PathBuf,
    key: PathBuf,
    client_ca: Option<PathBuf>,
}

/// What tells that a file is another one.
type Stamp = Vec<Option<(SystemTime, u64)>>;

impl Tls {
    /// `None`: no TLS is asked for.
    pub(crate) fn of(files: TlsFiles) -> anyhow::Result<Option<Self>> {
        let TlsFiles { tls_cert: Some(cert), tls_key: Some(key), tls_client_ca } = files else {
            return Ok(None);
        };
        let files = Files { cert, key, client_ca: tls_client_ca };
        let current = Arc::new(RwLock::new(Arc::new(files.read()?)));
        Ok(Some(Self { files, current }))
    }

    /// For a connection that begins now.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        TlsAcceptor::from(Arc::clone(&current))
    }

    /// Follows the files until cancelled.
    pub(crate) async fn follow(self, cancel: CancellationToken) {
        cancel.run_until_cancelled(self.keep_up()).await;
    }

    async fn keep_up(&self) {
        let mut seen = self.files.stamp();
        loop {
            sleep(LOOK_AGAIN).await;
            let now = self.files.stamp();
            if now == seen {
                continue;
            }
            seen = now;
            // A certificate whose key is still to come does not fit the old one: it is looked at again when that has come.
            match self.files.read() {
                Ok(read) => {
                    *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(read);
                    tracing::info!("the certificate was read again; new connections have it");
                }
                Err(error) => {
                    tracing::warn!(
                        reason = format!("{error:#}"),
                        "the certificate cannot be used; the one before it stays"
                    );
                }
            }
        }
    }
}

impl Files {
    fn read(&self) -> anyhow::Result<ServerConfig> {
        let certificates = certificates(&self.cert)?;
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .with_context(|| format!("{} has no private key (PEM)", self.key.display()))?;
        let provider = Arc::new(ring::default_provider());
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?;
        let config = match &self.client_ca {
            None => config.with_no_client_auth(),
            Some(path) => {
                let mut roots = RootCertStore::empty();
                for authority in self::certificates(path)? {
                    roots
                        .add(authority)
                        .with_context(|| format!("an authority in {}", path.display()))?;
                }
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                config.with_client_cert_verifier(verifier.build()?)
            }
        };
        let mut config = config.with_single_cert(certificates, key).with_context(|| {
            format!("{} does not go with {}", self.cert.display(), self.key.display())
        })?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }

    fn stamp(&self) -> Stamp {
        let files = [Some(&self.cert), Some(&self.key), self.client_ca.as_ref()];
        let stamp = |path: &PathBuf| {
            let found = fs::metadata(path).ok()?;
            Some((found.modified().ok()?, found.len()))
        };
        files.into_iter().flatten().map(stamp).collect()
    }
}

/// Those of a file, which has at least one.
pub(crate) fn certificates(path: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let read =
        read.with_context(|| format!("{} cannot be read as certificates (PEM)", path.display()))?;
    ensure!(!read.is_empty(), "{} has no certificate (PEM)", path.display());
    Ok(read)
}

/// What speaks to a server whose certificate is one of the authorities in a file, which an option names.
pub(crate) fn with_authorities<T, E: Into<anyhow::Error>>(
    option: &str,
    path: &Path,
    take: impl FnOnce(Vec<u8>) -> Result<T, E>,
) -> anyhow::Result<T> {
    let about = || format!("{option} {}", path.display());
    certificates(path).with_context(about)?;
    let pem = fs::read(path).with_context(about)?;
    take(pem).map_err(Into::into).with_context(about)
}

/// Whether a client begins a handshake. Who speaks HTTP is told what to do.
pub(super) async fn begins(stream: &mut TcpStream) -> bool {
    let mut first = [0];
    match stream.peek(&mut first).await {
        Ok(1) if first[0] == HANDSHAKE => true,
        Ok(1) if first[0].is_ascii_uppercase() => {
            let problem = format!(
                r#"{{"type":"urn:daybook:problem:tls-needed","title":"TLS is needed","status":400,"detail":"{NO_TLS}"}}"#
            );
            let answer = format!(
                "HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\nContent-Length: {}\r\n\
                 Connection: close\r\n\r\n{problem}",
                problem.len()
            );
            // What cannot be said is not said.
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
            false
        }
        _ => false,
    }
}
