//! Where a Redis is.

use std::fmt;
use std::str::FromStr;

use redis::{Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, TlsCertificates};

/// Where a Redis is: `redis://[[user]:password@]host[:port][/number]`, by TLS where it begins with `rediss://`, or
/// `redis+unix:///path[?db=number]`.
#[derive(Clone)]
pub struct RedisAddress(ConnectionInfo);

/// A text that is no address of a Redis. It never repeats it: it may have a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is redis://[[user]:password@]host[:port][/number], rediss:// for TLS, or redis+unix:///path[?db=number]"
)]
pub struct InvalidRedisAddress;

/// Authorities that cannot be read, or are named for one that is not reached by TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("they are certificates (PEM) of authorities, for a Redis at rediss://")]
pub struct InvalidRedisAuthorities;

impl FromStr for RedisAddress {
    type Err = InvalidRedisAddress;

    fn from_str(text: &str) -> Result<Self, InvalidRedisAddress> {
        let known = ["redis://", "rediss://", "redis+unix://"];
        if !known.iter().any(|scheme| text.starts_with(scheme)) {
            return Err(InvalidRedisAddress);
        }
        let info = text.into_connection_info().map_err(|_| InvalidRedisAddress)?;
        let settings = info.redis_settings();
        // A password that stands where the user does would be shown as one.
        let is_whole = settings.username().is_none() || settings.password().is_some();
        // No certificate is taken that nobody vouches for.
        let is_insecure = matches!(info.addr(), ConnectionAddr::TcpTls { insecure: true, .. });
        if !is_whole || is_insecure || !(0..=i64::from(u16::MAX)).contains(&settings.db()) {
            return Err(InvalidRedisAddress);
        }
        // It needs no rights to say who it is.
        let settings = settings.clone().set_skip_set_lib_name();
        Ok(Self(info.set_redis_settings(settings)))
    }
}

impl RedisAddress {
    /// The same, whose certificate is one of these authorities' (PEM), and no longer one of the machine's.
    ///
    /// # Errors
    /// When they cannot be read, or no TLS is spoken there.
    pub fn of_authorities(self, pem: Vec<u8>) -> Result<Self, InvalidRedisAuthorities> {
        let certificates = TlsCertificates { client_tls: None, root_cert: Some(pem) };
        let client = Client::build_with_tls(self.0, certificates);
        let client = client.map_err(|_| InvalidRedisAuthorities)?;
        let info = client.get_connection_info().clone();
        let ConnectionAddr::TcpTls { tls_params: Some(_), .. } = info.addr() else {
            return Err(InvalidRedisAuthorities);
        };
        Ok(Self(info))
    }

    pub(super) fn client(&self) -> redis::RedisResult<Client> {
        Client::open(self.0.clone())
    }
}

/// As it is shown: without its password.
impl fmt::Display for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.0.addr(), self.0.redis_settings().db())
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

    fn read(text: &str) -> Result<RedisAddress, InvalidRedisAddress> {
        text.parse()
    }

    #[test]
    fn an_address_is_read_and_shown_without_its_password() {
        for (text, user, password, shown) in [
            ("redis://cache", None, None, "cache:6379/0"),
            ("redis://cache:7000/3", None, None, "cache:7000/3"),
            ("redis://:s%40e:cret@cache/", None, Some("s@e:cret"), "cache:6379/0"),
            ("redis://book:secret@10.0.0.1:1", Some("book"), Some("secret"), "10.0.0.1:1/0"),
            ("redis://[::1]:7000", None, None, "::1:7000/0"),
            ("redis://[::1]", None, None, "::1:6379/0"),
            ("rediss://book:secret@cache:6380/1", Some("book"), Some("secret"), "cache:6380/1"),
            ("redis+unix:///run/redis.sock", None, None, "/run/redis.sock/0"),
            ("redis+unix:///run/redis.sock?db=2", None, None, "/run/redis.sock/2"),
        ] {
            let address = read(text).unwrap();
            let settings = address.0.redis_settings();
            assert_eq!((settings.username(), settings.password()), (user, password), "{text}");
            assert_eq!(address.to_string(), shown);
            assert!(!format!("{address:?}").contains("secret"));
            let is_tls = matches!(address.0.addr(), ConnectionAddr::TcpTls { .. });
            assert_eq!(is_tls, text.starts_with("rediss"), "{text}");
        }
        for bad in [
            "cache:6379",
            "redis://",
            "redis://cache:port",
            "redis://cache/x",
            "redis://cache/-1",
            "redis://secret@cache",
            "redis+unix://run/redis.sock",
            "rediss://cache/#insecure",
            "http://cache",
        ] {
            assert_eq!(read(bad).unwrap_err(), InvalidRedisAddress, "{bad}");
        }
    }

    #[test]
    fn authorities_are_of_a_redis_that_speaks_tls() {
        for text in ["redis://cache", "redis+unix:///run/redis.sock"] {
            let address = read(text).unwrap().of_authorities(Vec::new());
            assert_eq!(address.unwrap_err(), InvalidRedisAuthorities, "{text}");
        }
    }
}
