//! Messages that others want to be told, at an URL that they have named.

use std::time::Duration;

use ureq::{Agent, Error, Timeout};

use super::outside::{self, NotAsked};

/// For all of it: looking the name up, connecting, TLS, and the answer.
const WHOLE: Duration = Duration::from_secs(15);

/// The most bytes of an answer's body that are read: what it says is nobody's business.
const MAX_BYTES: u64 = 64 * 1024;

/// Why there was no answer. It never has a text of whoever was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    #[error("it is no URL that can be asked, or without TLS")]
    NotHttps,
    #[error("its address is not one that everybody reaches")]
    NotPublic,
    #[error("its name is not found")]
    NoSuchName,
    #[error("nobody answers there")]
    NotConnected,
    #[error("it has no certificate that is trusted for its name")]
    Tls,
    #[error("it took too long")]
    TimedOut,
    #[error("the connection ended before there was an answer, or it was none")]
    BrokenOff,
}

impl PostError {
    /// In a word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotHttps => "not-https",
            Self::NotPublic => "not-public",
            Self::NoSuchName => "no-such-name",
            Self::NotConnected => "not-connected",
            Self::Tls => "tls",
            Self::TimedOut => "timed-out",
            Self::BrokenOff => "broken-off",
        }
    }

    fn of(error: &Error) -> Self {
        use std::io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable};
        match outside::not_asked(error) {
            Some(NotAsked::NotPublic) => return Self::NotPublic,
            Some(NotAsked::NoSuchName) => return Self::NoSuchName,
            None => {}
        }
        match error {
            Error::RequireHttpsOnly(_) | Error::BadUri(_) | Error::Http(_) => Self::NotHttps,
            Error::Timeout(Timeout::Resolve) => Self::NoSuchName,
            Error::Timeout(_) => Self::TimedOut,
            Error::ConnectionFailed => Self::NotConnected,
            Error::Io(error)
                if [ConnectionRefused, HostUnreachable, NetworkUnreachable]
                    .contains(&error.kind()) =>
            {
                Self::NotConnected
            }
            Error::Tls(_) | Error::Rustls(_) => Self::Tls,
            _ => Self::BrokenOff,
        }
    }
}

/// Posts messages. Clones share nothing but settings: no connection is kept.
#[derive(Debug, Clone)]
pub struct Poster {
    agent: Agent,
}

impl Poster {
    /// How long a message may take, from looking the name up to the end of the answer.
    pub const WHOLE: Duration = WHOLE;

    /// With `is_local_allowed` also to this machine, and there without TLS: for whoever tries daybook, and for tests.
    #[must_use]
    pub fn new(is_local_allowed: bool) -> Self {
        Self { agent: outside::agent(is_local_allowed, WHOLE) }
    }

    /// Posts a message; the status of the answer. It blocks, for 15 seconds at most.
    ///
    /// # Errors
    /// When there is no answer, or nobody may be asked there.
    pub fn post(&self, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<u16, PostError> {
        let request = self.agent.post(url);
        let request = headers.iter().fold(request, |all, (name, value)| all.header(*name, *value));
        let answer = request.send(body).map_err(|error| PostError::of(&error))?;
        let status = answer.status().as_u16();
        // Whoever gets no further than its head has answered all the same.
        let _ = answer.into_body().into_with_config().limit(MAX_BYTES).read_to_vec();
        Ok(status)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::Instant;

    use super::super::servers::{a_server, answer};
    use super::*;

    fn posted(is_local_allowed: bool, url: &str) -> Result<u16, PostError> {
        Poster::new(is_local_allowed).post(url, &[("webhook-id", "1")], b"{}")
    }

    #[test]
    fn the_status_is_told_and_nobody_is_sent_elsewhere() {
        let url = a_server(answer("204 No Content", "", ""));
        assert_eq!(posted(true, &url), Ok(204));
        let moved = a_server(answer("307 Temporary Redirect", &format!("location: {url}\r\n"), ""));
        assert_eq!(posted(true, &moved), Ok(307));
    }

    #[test]
    fn nobody_is_told_anything_whose_address_is_not_everybodys() {
        let here = a_server(answer("200 OK", "", ""));
        assert_eq!(posted(false, &here), Err(PostError::NotHttps));
        let here = here.replace("http:", "https:");
        for url in [
            &*here,
            "https://localhost:9/",
            "https://10.0.0.1/",
            "https://169.254.169.254/latest/meta-data/",
            "https://[::1]/",
            "https://[fd00:ec2::254]/",
            "https://[::ffff:127.0.0.1]/",
        ] {
            let begun = Instant::now();
            assert_eq!(posted(false, url), Err(PostError::NotPublic), "{url}");
            assert!(begun.elapsed() < Duration::from_secs(4), "{url}: it was tried");
        }
        // Where this machine is allowed, others without TLS are not.
        assert_eq!(posted(true, "http://10.0.0.1/"), Err(PostError::NotPublic));
    }

    #[test]
    fn an_answer_that_goes_on_and_on_is_one() {
        let large = "a".repeat(128 * 1024);
        assert_eq!(posted(true, &a_server(answer("200 OK", "", &large))), Ok(200));
    }

    #[test]
    fn why_there_is_no_answer_is_told_in_a_word() {
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert_eq!(posted(true, &format!("http://{closed}/")), Err(PostError::NotConnected));
        assert_eq!(posted(true, &a_server("")), Err(PostError::BrokenOff));
        assert_eq!(posted(true, &a_server("SSH-2.0-OpenSSH\r\n\r\n")), Err(PostError::BrokenOff));
        assert_eq!(posted(true, "https://daybook.invalid/"), Err(PostError::NoSuchName));
    }

    #[test]
    fn whoever_does_not_answer_is_not_waited_for_without_end() {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let begun = Instant::now();
        let url = format!("http://{}/", silent.local_addr().unwrap());
        assert_eq!(posted(true, &url), Err(PostError::TimedOut));
        assert!(begun.elapsed() < WHOLE + Duration::from_secs(2), "{:?}", begun.elapsed());
    }
}
