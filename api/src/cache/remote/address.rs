//! Where a Redis is.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Where a Redis is: `redis://[[user]:password@]host[:port][/number]`, or `redis+unix:///path[?db=number]`.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisAddress {
    pub(super) place: Place,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) database: u16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Host(String, u16),
    Socket(PathBuf),
}

/// A text that is no address of a Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRedisAddress {
    /// TLS is not spoken.
    #[error(
        "rediss:// is not spoken: let a proxy on this machine speak TLS (stunnel, a mesh), and name that"
    )]
    Tls,
    /// It is none.
    #[error(
        "it is redis://[[user]:password@]host[:port][/number] or redis+unix:///path[?db=number]"
    )]
    Form,
}

const PORT: u16 = 6379;

impl FromStr for RedisAddress {
    type Err = InvalidRedisAddress;

    fn from_str(text: &str) -> Result<Self, InvalidRedisAddress> {
        use InvalidRedisAddress::{Form, Tls};
        if text.starts_with("rediss://") {
            return Err(Tls);
        }
        if let Some(path) = text.strip_prefix("redis+unix://") {
            let (path, database) = match path.split_once("?db=") {
                Some((path, number)) => (path, number.parse().map_err(|_| Form)?),
                None => (path, 0),
            };
            let is_path = path.starts_with('/') && !path.contains('?');
            let place = is_path.then(|| Place::Socket(path.into())).ok_or(Form)?;
            return Ok(Self { place, user: None, password: None, database });
        }
        let rest = text.strip_prefix("redis://").ok_or(Form)?;
        let (authority, database) = match rest.split_once('/') {
            Some((authority, "")) => (authority, 0),
            Some((authority, number)) => (authority, number.parse().map_err(|_| Form)?),
            None => (rest, 0),
        };
        let (who, at) = match authority.rsplit_once('@') {
            Some((who, at)) => (Some(who), at),
            None => (None, authority),
        };
        let (user, password) = match who {
            Some(who) => {
                let (user, password) = who.split_once(':').ok_or(Form)?;
                let user = (!user.is_empty()).then(|| decoded(user)).transpose()?;
                (user, Some(decoded(password)?))
            }
            None => (None, None),
        };
        let (host, port) = match at.rsplit_once(':') {
            // The last colon of an IPv6 address is none of a port.
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().map_err(|_| Form)?),
            _ => (at, PORT),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(Form);
        }
        Ok(Self { place: Place::Host(host.to_owned(), port), user, password, database })
    }
}

/// Without percent signs (RFC 3986 section 2.1).
fn decoded(text: &str) -> Result<String, InvalidRedisAddress> {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2).ok_or(InvalidRedisAddress::Form)?;
        let digits = std::str::from_utf8(digits).map_err(|_| InvalidRedisAddress::Form)?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| InvalidRedisAddress::Form)?);
        rest = after;
    }
    String::from_utf8(bytes).map_err(|_| InvalidRedisAddress::Form)
}

/// As it is shown: without its password.
impl fmt::Display for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Host(host, port) => write!(f, "{host}:{port}/{}", self.database),
            Place::Socket(path) => write!(f, "{}/{}", path.display(), self.database),
        }
    }
}

impl fmt::Debug for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisAddress({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_and_shown_without_its_password() {
        let read = |text: &str| text.parse::<RedisAddress>();
        for (text, user, password, shown) in [
            ("redis://cache", None, None, "cache:6379/0"),
            ("redis://cache:7000/3", None, None, "cache:7000/3"),
            ("redis://:s%40e:cret@cache/", None, Some("s@e:cret"), "cache:6379/0"),
            ("redis://book:secret@10.0.0.1:1", Some("book"), Some("secret"), "10.0.0.1:1/0"),
            ("redis://[::1]:7000", None, None, "::1:7000/0"),
            ("redis://[::1]", None, None, "::1:6379/0"),
            ("redis+unix:///run/redis.sock", None, None, "/run/redis.sock/0"),
            ("redis+unix:///run/redis.sock?db=2", None, None, "/run/redis.sock/2"),
        ] {
            let address = read(text).unwrap();
            let (is_user, is_password) = (address.user.as_deref(), address.password.as_deref());
            assert_eq!((is_user, is_password), (user, password), "{text}");
            assert_eq!(address.to_string(), shown);
            assert!(!format!("{address:?}").contains("secret"));
        }
        for bad in [
            "cache:6379",
            "redis://",
            "redis://cache:port",
            "redis://cache/x",
            "redis://secret@cache",
            "redis://:%4@cache",
            "redis+unix://run/redis.sock",
            "http://cache",
        ] {
            assert_eq!(read(bad), Err(InvalidRedisAddress::Form), "{bad}");
        }
        assert_eq!(read("rediss://cache"), Err(InvalidRedisAddress::Tls));
    }
}
