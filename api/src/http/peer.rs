//! Where a request comes from, before anything is known of who sends it; and how many without a good key may come from there.
//!
//! Whoever sends many of these is told to come back, and costs no query. But what was good within the hour is looked up all the
//! same, and so is a token that a provider has signed: nobody can make these up. So what one client of a network does keeps
//! those out of it alone whose key this program has not seen for an hour.

use std::net::{IpAddr, Ipv6Addr};
use std::num::{NonZeroU32, ParseIntError};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use tokio::time::Instant;

use super::Problem;
use super::buckets::Buckets;
use super::rate::Quota;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// As many may come at once as come in so long.
const HOLDS: Duration = Duration::from_secs(10);

/// Where the connection of a request comes from: an extension of the request.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

/// That the connection of a request is encrypted: an extension of the request.
#[derive(Debug, Clone, Copy)]
pub struct Encrypted;

/// A network whose proxies say for whom they ask: `10.0.0.0/8`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

/// Why a text names no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNetwork {
    #[error("it is an address, or an address, a slash and a number of bits: 10.0.0.0/8")]
    Form,
    #[error("an address has {0} bits at most")]
    Bits(u8),
}

impl From<ParseIntError> for InvalidNetwork {
    fn from(_: ParseIntError) -> Self {
        Self::Form
    }
}

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let (address, bits) =
            text.split_once('/').map_or((text, None), |(a, bits)| (a, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| InvalidNetwork::Form)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), str::parse)?;
        if bits > most {
            return Err(InvalidNetwork::Bits(most));
        }
        Ok(Self { address, bits })
    }
}

impl Network {
    fn has(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let shift = 32 - u32::from(self.bits);
                own.to_bits().checked_shr(shift) == other.to_bits().checked_shr(shift)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let shift = 128 - u32::from(self.bits);
                own.to_bits().checked_shr(shift) == other.to_bits().checked_shr(shift)
            }
            _ => false,
        }
    }
}

/// Who may send how many requests without a good key. Clones are one.
#[derive(Clone, Default)]
pub(crate) struct Peers {
    trusted: Arc<[Network]>,
    failures: Option<Arc<Buckets<IpAddr>>>,
}

impl Peers {
    pub(crate) fn new(trusted: Vec<Network>, failures_per_second: Option<NonZeroU32>) -> Self {
        let failures = failures_per_second.map(|rate| Arc::new(Buckets::new(rate, HOLDS)));
        Self { trusted: trusted.into(), failures }
    }

    /// Where a request comes from; `None`: nobody has said so.
    pub(crate) fn of(&self, parts: &Parts) -> Option<IpAddr> {
        let Peer(peer) = *parts.extensions.get()?;
        Some(shared(self.client(&parts.headers, peer.to_canonical())))
    }

    /// Refuses a request without a key that is known to be good, from where too many have come.
    pub(crate) fn admit(&self, from: Option<IpAddr>, now: Instant) -> Result<(), Problem> {
        let (Some(failures), Some(from)) = (&self.failures, from) else { return Ok(()) };
        let refused =
            |left| Problem::too_many_failures().with_quota(Quota { policy: "address", left });
        failures.has_some(&from, now).map_err(refused)
    }

    /// One more has come from there.
    pub(crate) fn failed(&self, from: Option<IpAddr>, now: Instant) {
        if let (Some(failures), Some(from)) = (&self.failures, from) {
            // Where there is no room any more, that is known already.
            let _ = failures.take(from, now);
        }
    }

    /// Whether nobody on the way can read a request: it was encrypted, or has never left its machine. A proxy of ours says of
    /// those that it hands on how they came to it.
    pub(crate) fn is_private(&self, parts: &Parts) -> bool {
        let peer = parts.extensions.get().map(|Peer(peer)| peer.to_canonical());
        let said = parts.headers.get_all(FORWARDED_PROTO).iter().next_back();
        if let Some(said) = said.filter(|_| peer.is_some_and(|peer| self.is_trusted(peer))) {
            let last = said.to_str().ok().and_then(|said| said.rsplit(',').next());
            return last.is_some_and(|last| last.trim().eq_ignore_ascii_case("https"));
        }
        // What says that it was handed on has not stayed on its machine, whoever says so.
        let is_handed_on =
            [FORWARDED_FOR, FORWARDED_PROTO].iter().any(|name| parts.headers.contains_key(name));
        parts.extensions.get::<Encrypted>().is_some()
            || !is_handed_on && peer.is_some_and(|peer| peer.is_loopback())
    }

    fn is_trusted(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.has(address))
    }

    /// The rightmost address that no proxy of ours has: what stands left of it, anybody could have written.
    fn client(&self, headers: &HeaderMap, peer: IpAddr) -> IpAddr {
        if !self.is_trusted(peer) {
            return peer;
        }
        let said = headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
        let said: Vec<&str> = said.flat_map(|value| value.split(',')).collect();
        let mut client = peer;
        for address in said.into_iter().rev() {
            let Ok(address) = address.trim().parse::<IpAddr>() else { break };
            client = address.to_canonical();
            if !self.is_trusted(client) {
                break;
            }
        }
        client
    }
}

/// Whoever has one address of IPv6 has all that begin with the same 64 bits.
fn shared(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(own) => Ipv6Addr::from_bits(own.to_bits() & (u128::MAX << 64)).into(),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn from(peers: &Peers, peer: &str, forwarded: &[&str]) -> String {
        let mut request = Request::builder();
        for value in forwarded {
            request = request.header("x-forwarded-for", *value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        parts.extensions.insert(Peer(peer.parse().unwrap()));
        peers.of(&parts).unwrap().to_string()
    }

    #[test]
    fn a_network_has_the_addresses_that_begin_alike() {
        let of = |text: &str| text.parse::<Network>();
        let has = |network: &str, address: &str| of(network).unwrap().has(address.parse().unwrap());
        assert!(has("10.0.0.0/8", "10.255.0.1") && !has("10.0.0.0/8", "11.0.0.1"));
        assert!(has("192.0.2.7", "192.0.2.7") && !has("192.0.2.7", "192.0.2.6"));
        assert!(has("0.0.0.0/0", "198.51.100.1") && !has("0.0.0.0/0", "::1"));
        assert!(has("2001:db8::/32", "2001:db8:1::1") && !has("2001:db8::/32", "2001:db9::1"));
        assert_eq!(of("10.0.0.0/33"), Err(InvalidNetwork::Bits(32)));
        for bad in ["", "ten", "10.0.0.0/", "10.0.0.0/-1", "10.0.0/8"] {
            assert_eq!(of(bad), Err(InvalidNetwork::Form), "{bad}");
        }
    }

    #[test]
    fn only_a_proxy_of_ours_says_for_whom_it_asks_and_only_the_last_that_is_not_ours_counts() {
        let trusted = ["10.0.0.0/8", "::1"].map(|network| network.parse().unwrap());
        let peers = Peers::new(trusted.to_vec(), None);
        assert_eq!(from(&peers, "198.51.100.1", &["192.0.2.9"]), "198.51.100.1");
        assert_eq!(from(&peers, "10.0.0.1", &["203.0.113.5, 192.0.2.9"]), "192.0.2.9");
        assert_eq!(from(&peers, "10.0.0.1", &["203.0.113.5", "192.0.2.9, 10.9.9.9"]), "192.0.2.9");
        assert_eq!(from(&peers, "10.0.0.1", &["192.0.2.9, nonsense"]), "10.0.0.1");
        assert_eq!(from(&peers, "::ffff:10.0.0.1", &["192.0.2.9"]), "192.0.2.9");
        assert_eq!(from(&peers, "::1", &[]), "::");
        assert_eq!(from(&Peers::default(), "10.0.0.1", &["192.0.2.9"]), "10.0.0.1");
    }

    #[test]
    fn a_request_is_private_that_was_encrypted_on_all_its_way_or_has_never_left_its_machine() {
        let peers = Peers::new(vec!["10.0.0.0/8".parse().unwrap()], None);
        let is_private = |peer: &str, is_encrypted: bool, proto: Option<&str>| {
            let mut request = Request::builder();
            if let Some(proto) = proto {
                request = request.header("x-forwarded-proto", proto);
            }
            let (mut parts, ()) = request.body(()).unwrap().into_parts();
            parts.extensions.insert(Peer(peer.parse().unwrap()));
            if is_encrypted {
                parts.extensions.insert(Encrypted);
            }
            peers.is_private(&parts)
        };
        assert!(is_private("127.0.0.1", false, None) && is_private("::1", false, None));
        assert!(is_private("192.0.2.1", true, None) && !is_private("192.0.2.1", false, None));
        assert!(!is_private("192.0.2.1", false, Some("https")), "anybody can say so");
        assert!(is_private("10.0.0.1", false, Some("https")));
        assert!(is_private("10.0.0.1", false, Some("http, HTTPS")));
        assert!(!is_private("10.0.0.1", true, Some("http")), "it came to the proxy in the open");
        assert!(!is_private("127.0.0.1", false, Some("https")), "no proxy of ours is there");
        let (unknown, ()) = Request::builder().body(()).unwrap().into_parts();
        assert!(!peers.is_private(&unknown));
    }

    #[test]
    fn those_who_share_a_network_of_ipv6_share_a_bucket() {
        let peers = Peers::new(Vec::new(), NonZeroU32::new(1));
        let one = from(&peers, "2001:db8:0:7::1", &[]).parse().unwrap();
        let other = from(&peers, "2001:db8:0:7:ffff::2", &[]).parse().unwrap();
        let now = Instant::now();
        for _ in 0..10 {
            peers.admit(Some(other), now).unwrap();
            peers.failed(Some(one), now);
        }
        let refused = peers.admit(Some(other), now).unwrap_err();
        assert_eq!(refused.name(), "too-many-failures");
        let another = from(&peers, "2001:db8:0:8::1", &[]).parse().unwrap();
        peers.admit(Some(another), now).unwrap();
        peers.admit(Some(one), now + Duration::from_secs(1)).unwrap();
    }
}
