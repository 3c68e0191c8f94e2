//! Where to listen, as it is given: an address, and a port where one is named.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

/// The port where none is named, neither with the address nor by itself.
const DEFAULT_PORT: u16 = 8080;

/// An address, and a port where one is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ListenAddress {
    ip: IpAddr,
    port: Option<u16>,
}

impl ListenAddress {
    /// With the port that was named by itself, where this names none.
    pub(crate) fn with_port(self, port: Option<u16>) -> SocketAddr {
        SocketAddr::new(self.ip, self.port.or(port).unwrap_or(DEFAULT_PORT))
    }
}

impl Default for ListenAddress {
    fn default() -> Self {
        Self { ip: Ipv4Addr::LOCALHOST.into(), port: None }
    }
}

/// A text that is no address.
#[derive(Debug, thiserror::Error)]
#[error("an address like 127.0.0.1:8080, 0.0.0.0 or [::1]:8080")]
pub(crate) struct NoAddress;

impl FromStr for ListenAddress {
    type Err = NoAddress;

    fn from_str(text: &str) -> Result<Self, NoAddress> {
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Ok(Self { ip: address.ip(), port: Some(address.port()) });
        }
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
        let ip = bare.unwrap_or(text).parse().map_err(|_| NoAddress)?;
        Ok(Self { ip, port: None })
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => SocketAddr::new(self.ip, port).fmt(f),
            None => self.ip.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_with_the_address_goes_before_the_one_by_itself() {
        let on = |text: &str, port| {
            text.parse::<ListenAddress>().map(|it| it.with_port(port).to_string()).ok()
        };
        assert_eq!(on("127.0.0.1:9000", Some(3000)).as_deref(), Some("127.0.0.1:9000"));
        assert_eq!(on("0.0.0.0", Some(3000)).as_deref(), Some("0.0.0.0:3000"));
        assert_eq!(on("0.0.0.0", None).as_deref(), Some("0.0.0.0:8080"));
        assert_eq!(on("[::1]:0", None).as_deref(), Some("[::1]:0"));
        for text in ["::1", "[::1]"] {
            assert_eq!(on(text, Some(1)).as_deref(), Some("[::1]:1"));
        }
        for bad in ["", "nowhere", "127.0.0.1:", "127.0.0.1:70000", "[::1", ":8080"] {
            assert_eq!(on(bad, None), None, "{bad}");
        }
        let by_default = ListenAddress::default();
        assert_eq!(by_default.to_string().parse::<ListenAddress>().ok(), Some(by_default));
    }
}
