//! A broker that speaks AMQP 0.9.1, as RabbitMQ does: messages are published to it, and it has confirmed them, or it has not.
//!
//! * `publisher`: messages in order, and how many of them are the broker's. `queue`: what waits in a queue. `error`: why not.
//! * `secure`: TLS.
//!
//! What a broker has answered nothing to may have arrived or not. So whoever publishes begins again after the last message of which
//! the broker has said that it has it, and those who read drop what they have seen.
//!
//! There is one connection, and no recovery of it: after a failure it is dropped, and who comes next makes another one. A
//! connection that recovers by itself has messages of which nobody knows.

mod error;
mod publisher;
mod queue;
mod secure;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use lapin::options::ExchangeDeclareOptions;
use lapin::types::FieldTable;
use lapin::uri::{AMQPScheme, AMQPUri};
use lapin::{Connection, ConnectionProperties, ExchangeKind};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

pub use error::{BrokerError, InvalidBrokerAuthorities, InvalidBrokerUrl};
pub use publisher::{Message, Published, Publisher};
use secure::Secure;

/// The exchange that all is published to: a topic exchange, which is made where it is missing.
pub const EXCHANGE: &str = "daybook";

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// After a connection could not be made no other is tried for so long.
const CONNECT_PAUSE: Duration = Duration::from_secs(1);

/// What a channel is closed with that is not needed any longer.
const DONE: u16 = 200;

/// A broker. Clones share a connection.
#[derive(Clone)]
pub struct Broker {
    uri: Arc<AMQPUri>,
    /// `None`: it is spoken to without TLS.
    secure: Option<Secure>,
    link: Arc<Mutex<Link>>,
}

#[derive(Default)]
struct Link {
    connection: Option<Arc<Connection>>,
    failed_at: Option<Instant>,
}

/// As it is shown: without its password.
impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Broker({})", self.uri.authority.host)
    }
}

impl Broker {
    /// The broker at an URL: `amqp://user:password@host:5672/vhost`, or `amqps://` for TLS, whose certificate is one of an authority
    /// that the machine knows.
    ///
    /// # Errors
    /// When it is no such URL.
    pub fn new(url: &str) -> Result<Self, InvalidBrokerUrl> {
        let mut uri: AMQPUri = url.parse().map_err(|_| InvalidBrokerUrl)?;
        // An address of IPv6 is taken for none at all, and nobody for this machine.
        if !url.to_lowercase().contains(&uri.authority.host.to_lowercase()) {
            return Err(InvalidBrokerUrl);
        }
        let secure = match std::mem::take(&mut uri.scheme) {
            AMQPScheme::AMQP => None,
            AMQPScheme::AMQPS => {
                let secure = Secure::to(&uri.authority.host, secure::of_machine());
                Some(secure.ok_or(InvalidBrokerUrl)?)
            }
        };
        Ok(Self { uri: Arc::new(uri), secure, link: Arc::default() })
    }

    /// The same, whose certificate is one of these authorities' (PEM), and no longer one of the machine's.
    ///
    /// # Errors
    /// When they cannot be read, or no TLS is spoken there.
    pub fn of_authorities(self, pem: &[u8]) -> Result<Self, InvalidBrokerAuthorities> {
        let host = &self.uri.authority.host;
        let authorities = self.secure.as_ref().and_then(|_| secure::of_pem(pem));
        let secure = authorities.and_then(|authorities| Secure::to(host, authorities));
        Ok(Self { secure: Some(secure.ok_or(InvalidBrokerAuthorities)?), ..self })
    }

    async fn connected(&self) -> Result<Arc<Connection>, BrokerError> {
        let mut link = self.link.lock().await;
        if let Some(connection) = link.connection.as_ref().filter(|it| it.status().connected()) {
            return Ok(Arc::clone(connection));
        }
        link.connection = None;
        if link.failed_at.is_some_and(|at| at.elapsed() < CONNECT_PAUSE) {
            return Err(BrokerError::NotConnected);
        }
        match self.connect().await {
            Ok(connection) => {
                let connection = Arc::new(connection);
                *link = Link { connection: Some(Arc::clone(&connection)), failed_at: None };
                Ok(connection)
            }
            Err(error) => {
                link.failed_at = Some(Instant::now());
                Err(error)
            }
        }
    }

    /// A connection to a broker that has the exchange.
    async fn connect(&self) -> Result<Connection, BrokerError> {
        let named = ConnectionProperties::default().with_connection_name("daybook relay".into());
        let made = async {
            let uri = (*self.uri).clone();
            let connection = match &self.secure {
                None => Connection::connect_uri(uri, named).await?,
                Some(secure) => {
                    Connection::connect_uri_with_runtime(uri, named, secure.runtime()).await?
                }
            };
            let channel = connection.create_channel().await?;
            let durable = ExchangeDeclareOptions { durable: true, ..Default::default() };
            let (kind, none) = (ExchangeKind::Topic, FieldTable::default());
            channel.exchange_declare(EXCHANGE.into(), kind, durable, none).await?;
            channel.close(DONE, "".into()).await?;
            Ok::<_, lapin::Error>(connection)
        };
        match timeout(CONNECT_TIMEOUT, made).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => Err(secure::refused(&error)),
            Err(_) => Err(BrokerError::NotConnected),
        }
    }

    /// The next one who asks makes another connection.
    async fn forget(&self, failed: &Arc<Connection>) {
        let mut link = self.link.lock().await;
        if link.connection.as_ref().is_some_and(|it| Arc::ptr_eq(it, failed)) {
            link.connection = None;
        }
    }
}
