//! Why messages are not the broker's.

/// A text that is no URL of a broker. It never repeats it: it may have a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a broker's URL is like amqp://user:password@host:5672/vhost, or amqps://user:password@host:5671/vhost for TLS; the \
     host is a name or an IPv4 address"
)]
pub struct InvalidBrokerUrl;

/// Authorities that cannot be read, or are named for a broker to which no TLS is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("they are certificates (PEM) of authorities, for a broker at amqps://")]
pub struct InvalidBrokerAuthorities;

/// Why a broker has not confirmed a message, or has none to show. It never has a text of the broker's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BrokerError {
    #[error("the broker cannot be reached, or does not take the URL's user and password")]
    NotConnected,
    #[error("the broker's certificate is of no authority that is trusted, or out of date")]
    NotTrusted,
    #[error("the broker's certificate is for another name than that in the URL")]
    OtherName,
    #[error("the broker takes nothing at present: its memory or disk is full")]
    Blocked,
    #[error("the broker did not answer in time")]
    TimedOut,
    #[error("the broker has refused a message")]
    Refused,
    #[error("no queue takes a message: bind one to the exchange")]
    Unroutable,
    #[error("the channel or the connection was closed")]
    Closed,
    #[error("the broker has no queue of this name")]
    NoQueue,
    #[error("somebody reads this queue, and has some of what is in it: stop them first")]
    IsRead,
}

impl BrokerError {
    /// In a word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotConnected => "not-connected",
            Self::NotTrusted => "not-trusted",
            Self::OtherName => "other-name",
            Self::Blocked => "blocked",
            Self::TimedOut => "timed-out",
            Self::Refused => "refused",
            Self::Unroutable => "unroutable",
            Self::Closed => "closed",
            Self::NoQueue => "no-queue",
            Self::IsRead => "is-read",
        }
    }
}
