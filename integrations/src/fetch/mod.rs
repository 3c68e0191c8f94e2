//! Others that are asked by an URL that a tenant has named, so with care: whoever names an URL sees and does nothing through
//! daybook that they could not by themselves.
//!
//! * `address`, `outside`: whose addresses may be asked.
//! * [`Fetcher`]: documents that others publish, as a provider its keys.
//! * [`Poster`]: messages that others want to be told.

mod address;
mod outside;
mod post;

use std::time::Duration;

use ureq::{Agent, Error};

use outside::NotAsked;
pub use post::{PostError, Poster};

/// For all of it: looking the name up, connecting, TLS, and the answer.
const WHOLE: Duration = Duration::from_secs(5);

/// The largest document.
const MAX_BYTES: u64 = 64 * 1024;

/// Why there is no document. It never says what was answered: that is not the business of whoever named the URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    #[error("it is no https URL")]
    NotHttps,
    #[error("its address is not one that everybody reaches")]
    NotPublic,
    #[error("it answered {0}, and not 200")]
    Status(u16),
    #[error("its answer is larger than {MAX_BYTES} bytes")]
    TooLarge,
    #[error("{0}")]
    Failed(String),
}

/// Fetches documents. Clones share nothing but settings: no connection is kept.
#[derive(Debug, Clone)]
pub struct Fetcher {
    agent: Agent,
    is_local_allowed: bool,
}

impl Fetcher {
    /// With `is_local_allowed` also from this machine, and from there without TLS: for whoever tries daybook, and for tests.
    #[must_use]
    pub fn new(is_local_allowed: bool) -> Self {
        let agent = outside::agent(is_local_allowed, WHOLE);
        Self { agent, is_local_allowed }
    }

    #[must_use]
    pub const fn is_local_allowed(&self) -> bool {
        self.is_local_allowed
    }

    /// The document at this URL. It blocks, for five seconds at most.
    ///
    /// # Errors
    /// When it cannot be had, or may not.
    pub fn fetch(&self, url: &str) -> Result<Vec<u8>, FetchError> {
        let answer = self.agent.get(url).call().map_err(|error| FetchError::of(&error))?;
        let status = answer.status().as_u16();
        if status != 200 {
            return Err(FetchError::Status(status));
        }
        let body = answer.into_body().into_with_config().limit(MAX_BYTES).read_to_vec();
        body.map_err(|error| FetchError::of(&error))
    }
}

impl FetchError {
    fn of(error: &Error) -> Self {
        match error {
            Error::RequireHttpsOnly(_) => Self::NotHttps,
            Error::BodyExceedsLimit(_) => Self::TooLarge,
            error if outside::not_asked(error) == Some(NotAsked::NotPublic) => Self::NotPublic,
            error => Self::Failed(error.to_string()),
        }
    }
}

/// Servers of tests.
#[cfg(test)]
mod servers {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread;

    /// Answers each connection with this; where it is.
    pub(super) fn a_server(answer: impl Into<Vec<u8>>) -> String {
        let answer = answer.into();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for mut client in listener.incoming().map_while(Result::ok) {
                let _ = client.read(&mut [0; 4_096]);
                let _ = client.write_all(&answer);
            }
        });
        format!("http://{address}/keys")
    }

    pub(super) fn answer(status: &str, headers: &str, body: &str) -> String {
        let length = body.len();
        format!(
            "HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}connection: close\r\n\r\n{body}"
        )
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::Instant;

    use super::servers::{a_server, answer};
    use super::*;

    #[test]
    fn a_document_of_this_machine_is_fetched_only_where_that_is_allowed() {
        let url = a_server(answer("200 OK", "", "{}"));
        assert_eq!(Fetcher::new(true).fetch(&url), Ok(b"{}".to_vec()));
        assert_eq!(Fetcher::new(false).fetch(&url), Err(FetchError::NotHttps));
        let secure = url.replace("http:", "https:");
        assert_eq!(Fetcher::new(false).fetch(&secure), Err(FetchError::NotPublic));
    }

    #[test]
    fn an_address_that_is_not_everybodys_is_not_connected_to() {
        for is_local_allowed in [false, true] {
            let fetched = |host: &str| {
                let begun = Instant::now();
                let url = format!("https://{host}:9/keys");
                let fetched = Fetcher::new(is_local_allowed).fetch(&url);
                assert!(begun.elapsed() < Duration::from_secs(4), "{host}: it was tried");
                fetched
            };
            for host in [
                "10.0.0.1",
                "169.254.169.254",
                "192.168.1.1",
                "100.64.0.1",
                "0.0.0.0",
                "[::ffff:10.0.0.1]",
                "[fd00::1]",
                "[fe80::1]",
            ] {
                assert_eq!(fetched(host), Err(FetchError::NotPublic), "{host}");
            }
            // Other ways to write an address, which some systems know and others take for a name.
            for host in ["2852039166", "0xa9fea9fe", "10.1", "0251.0376.0251.0376"] {
                let fetched = fetched(host);
                let is_refused =
                    matches!(fetched, Err(FetchError::NotPublic | FetchError::Failed(_)));
                assert!(is_refused, "{host}: {fetched:?}");
            }
        }
        let here = Fetcher::new(false).fetch("https://localhost:9/keys");
        assert_eq!(here, Err(FetchError::NotPublic));
        // Without TLS it is this machine or none.
        let plain = Fetcher::new(true).fetch("http://10.0.0.1:9/keys");
        assert_eq!(plain, Err(FetchError::NotPublic));
    }

    #[test]
    fn nobody_is_sent_elsewhere() {
        let there = a_server(answer("200 OK", "", "{}"));
        let here = a_server(answer("302 Found", &format!("location: {there}\r\n"), ""));
        assert_eq!(Fetcher::new(true).fetch(&here), Err(FetchError::Status(302)));
    }

    #[test]
    fn what_is_too_large_or_too_slow_is_left() {
        let large = "a".repeat(64 * 1024 + 1);
        let fetched = Fetcher::new(true).fetch(&a_server(answer("200 OK", "", &large)));
        assert_eq!(fetched, Err(FetchError::TooLarge));
        let fits = Fetcher::new(true).fetch(&a_server(answer("200 OK", "", &large[1..])));
        assert_eq!(fits.map(|it| it.len()), Ok(64 * 1024));
        // One that says nothing.
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/keys", silent.local_addr().unwrap());
        let begun = Instant::now();
        assert!(matches!(Fetcher::new(true).fetch(&url), Err(FetchError::Failed(_))));
        assert!(begun.elapsed() < WHOLE + Duration::from_secs(2), "{:?}", begun.elapsed());
    }
}
