//! Fetches a package and verifies that it is the one that is pinned.

use std::io::{self, Read as _};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sha2::{Digest as _, Sha512};
use tracing::info;
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

use super::{DownloadError, Package};

/// The largest of the packages has 24 MB.
const LARGEST_BYTES: u64 = 128 * 1024 * 1024;
const CONNECT: Duration = Duration::from_secs(15);
/// For all of it, on a slow line.
const WHOLE: Duration = Duration::from_mins(15);

/// The package's bytes, verified.
pub(super) fn package(package: &Package, registry: &str) -> Result<Vec<u8>, DownloadError> {
    let url = package.url(registry);
    let shown = without_password(&url);
    info!(url = shown, "fetching PostgreSQL");
    let bytes = match body(&url) {
        Ok(bytes) => bytes,
        Err(error) => return Err(DownloadError::Fetch { url: shown, reason: error.to_string() }),
    };
    let found = format!("sha512-{}", BASE64_STANDARD.encode(Sha512::digest(&bytes)));
    if found == package.integrity {
        Ok(bytes)
    } else {
        Err(DownloadError::Checksum { url: shown, found })
    }
}

fn body(url: &str) -> Result<Vec<u8>, ureq::Error> {
    let answer = agent().get(url).call()?;
    let length = answer.body().content_length();
    let bar = progress_bar(length);
    let mut bytes = Vec::new();
    let body = answer.into_body().into_with_config().limit(LARGEST_BYTES).reader();
    let fetched = bar.wrap_read(body).read_to_end(&mut bytes);
    bar.finish_and_clear();
    let fetched = fetched?;
    // A connection that breaks off can look like an end.
    match length {
        Some(length) if length != fetched as u64 => {
            Err(io::Error::from(io::ErrorKind::UnexpectedEof).into())
        }
        _ => Ok(bytes),
    }
}

/// The machine's own certificates (`SSL_CERT_FILE` among them) and proxy: a company's registry has a
/// company's certificate.
fn agent() -> Agent {
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    Agent::config_builder()
        .tls_config(tls)
        .timeout_connect(Some(CONNECT))
        .timeout_global(Some(WHOLE))
        .build()
        .into()
}

/// On stderr, and only where a person looks.
fn progress_bar(length: Option<u64>) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
    let style = "{msg} {bar:30} {bytes}/{total_bytes} {eta}";
    // The template is fixed; were it wrong, the plain bar would do.
    bar.set_style(
        ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    bar.set_message("Fetching PostgreSQL");
    bar
}

/// A registry's address may carry a password, which no log needs.
fn without_password(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => match rest.split_once('/') {
            Some((host, path)) => {
                let host = host.rsplit('@').next().unwrap_or(host);
                format!("{scheme}://{host}/{path}")
            }
            None => url.to_owned(),
        },
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_the_registrys_address_is_not_shown() {
        assert_eq!(without_password("https://me:pw@host.test/a/b"), "https://host.test/a/b");
        assert_eq!(without_password("https://host.test/@scope/b"), "https://host.test/@scope/b");
    }
}
