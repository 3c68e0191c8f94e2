//! A broker that speaks AMQP 0.9.1, as RabbitMQ does: messages are published to it, and it has confirmed them, or it has not.
//!
//! * `publisher`: messages in order, and how many of them are the broker's. `queue`: what waits in a queue. `error`: why not.
//!
//! What a broker has answered nothing to may have arrived or not. So whoever publishes begins again after the last message of which
//! the broker has said that it has it, and those who read drop what they have seen.
//!
//! There is one connection, and no recovery of it: after a failure it is dropped, and who comes next makes another one. A
//! connection that recovers by itself has messages of which nobody knows.

mod error;
mod publisher;
mod queue;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use lapin::options::ExchangeDeclareOptions;
use lapin::types::FieldTable;
use lapin::uri::{AMQPScheme, AMQPUri};
use lapin::{Connection, ConnectionProperties, ExchangeKind};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

pub use error::{BrokerError, InvalidBrokerUrl};
pub use publisher::{Message, Published, Publisher};

/// The exchange that all is published to: a topic exchange, which is made where it is missing.
pub const EXCHANGE: &str = "daybook";

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// After a connection could not be made no other is tried for so long.
const CONNECT_PAUSE: Duration = Duration::from_secs(1);

/// What a channel is closed with that is not needed any longer.
const DONE: u16 = 200;

/// A broker. Clones share a connection.
#[derive(Debug, Clone)]
pub struct Broker {
    uri: Arc<AMQPUri>,
    link: Arc<Mutex<Link>>,
}

#[derive(Default)]
struct Link {
    connection: Option<Arc<Connection>>,
    failed_at: Option<Instant>,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link({})", if self.connection.is_some() { "connected" } else { "none" })
    }
}

impl Broker {
    /// The broker at an URL: `amqp://user:password@host:5672/vhost`.
    ///
    /// # Errors
    /// When it is no such URL, or asks for TLS.
    pub fn new(url: &str) -> Result<Self, InvalidBrokerUrl> {
        let uri: AMQPUri = url.parse().map_err(|_| InvalidBrokerUrl)?;
        if uri.scheme != AMQPScheme::AMQP {
            return Err(InvalidBrokerUrl);
        }
        Ok(Self { uri: Arc::new(uri), link: Arc::default() })
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
            let connection = Connection::connect_uri((*self.uri).clone(), named).await?;
            let channel = connection.create_channel().await?;
            let durable = ExchangeDeclareOptions { durable: true, ..Default::default() };
            let (kind, none) = (ExchangeKind::Topic, FieldTable::default());
            channel.exchange_declare(EXCHANGE.into(), kind, durable, none).await?;
            channel.close(DONE, "".into()).await?;
            Ok::<_, lapin::Error>(connection)
        };
        match timeout(CONNECT_TIMEOUT, made).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(_)) | Err(_) => Err(BrokerError::NotConnected),
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
