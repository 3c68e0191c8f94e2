//! Messages that are published in order, and how many of them are the broker's.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use lapin::message::BasicReturnMessage;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Confirmation, Connection, PublisherConfirm};
use tokio::time::{sleep, timeout};

use super::{Broker, BrokerError, EXCHANGE};

/// So many messages are on their way at once.
const WINDOW: usize = 256;

/// How long the broker has for what is asked at once.
const TIMEOUT: Duration = Duration::from_secs(20);

/// How often it is looked whether the broker takes nothing more.
const LOOK: Duration = Duration::from_millis(250);

const PERSISTENT: u8 = 2;

/// Something to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// At most 255 bytes, as all names of AMQP.
    pub routing_key: String,
    /// The same each time that it is published, and no other message's. At most 255 bytes.
    pub id: String,
    pub kind: String,
    pub content_type: &'static str,
    /// In seconds since 1970.
    pub timestamp: u64,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

/// What has come of publishing some messages.
#[derive(Debug)]
pub struct Published {
    /// So many, from the first on, are the broker's.
    pub confirmed: usize,
    /// Why not all. Then nothing more can be published by this publisher.
    pub failure: Option<BrokerError>,
}

/// Publishes messages, on a channel of its own.
#[derive(Debug)]
pub struct Publisher {
    broker: Broker,
    connection: Arc<Connection>,
    channel: Channel,
}

impl Broker {
    /// Whoever publishes to it.
    ///
    /// # Errors
    /// When the broker cannot be reached, or takes nothing at present.
    pub async fn publisher(&self) -> Result<Publisher, BrokerError> {
        let connection = self.connected().await?;
        // It would take messages, and say nothing.
        if connection.status().blocked() {
            return Err(BrokerError::Blocked);
        }
        let made = timeout(TIMEOUT, async {
            let channel = connection.create_channel().await?;
            channel.confirm_select(ConfirmSelectOptions::default()).await?;
            Ok::<_, lapin::Error>(channel)
        });
        let made = made.await.map_err(|_| BrokerError::TimedOut);
        match made.and_then(|made| made.map_err(|_| BrokerError::Closed)) {
            Ok(channel) => Ok(Publisher { broker: self.clone(), connection, channel }),
            Err(error) => {
                self.forget(&connection).await;
                Err(error)
            }
        }
    }
}

impl Publisher {
    /// How long [`publish`](Self::publish) takes at most.
    pub const WHOLE: Duration = Duration::from_secs(25);

    /// Publishes these in order: persistent, and none that no queue takes. It returns when the broker has confirmed all of
    /// them, or something has failed.
    pub async fn publish(&self, messages: &[Message]) -> Published {
        let mut window = Window::new(messages);
        let failure = tokio::select! {
            sent = window.send_all(&self.channel) => sent.err(),
            () = self.is_blocked() => Some(BrokerError::Blocked),
            () = sleep(TIMEOUT) => Some(BrokerError::TimedOut),
        };
        let confirmed = if failure.is_some() { window.confirmed() } else { messages.len() };
        // One that is blocked stays: what was on its way cannot be taken back, and goes on when it may.
        if matches!(failure, Some(BrokerError::Closed | BrokerError::TimedOut)) {
            self.broker.forget(&self.connection).await;
        }
        Published { confirmed, failure }
    }

    async fn is_blocked(&self) {
        while !self.connection.status().blocked() {
            sleep(LOOK).await;
        }
    }
}

/// What is on its way.
struct Window<'a> {
    messages: &'a [Message],
    under_way: VecDeque<PublisherConfirm>,
    /// So many were answered well, from the first on.
    answered: usize,
    /// The first that came back, as no queue takes it.
    back: Option<usize>,
}

impl<'a> Window<'a> {
    fn new(messages: &'a [Message]) -> Self {
        let under_way = VecDeque::with_capacity(WINDOW.min(messages.len()));
        Self { messages, under_way, answered: 0, back: None }
    }

    async fn send_all(&mut self, channel: &Channel) -> Result<(), BrokerError> {
        for message in self.messages {
            if self.under_way.len() >= WINDOW {
                self.take_answer().await?;
            }
            let sent = send(channel, message).await.map_err(|_| BrokerError::Closed)?;
            self.under_way.push_back(sent);
        }
        while !self.under_way.is_empty() {
            self.take_answer().await?;
        }
        Ok(())
    }

    /// Waits for the broker's word on the first that is under way.
    async fn take_answer(&mut self) -> Result<(), BrokerError> {
        let Some(first) = self.under_way.front_mut() else { return Ok(()) };
        // It stays where it is until it is answered: whoever gives up waiting looks at all.
        let answer = first.await;
        self.under_way.pop_front();
        match answer.map_err(|_| BrokerError::Closed)? {
            Confirmation::Ack(None) => {
                self.answered += 1;
                Ok(())
            }
            Confirmation::Ack(Some(returned)) | Confirmation::Nack(Some(returned)) => {
                self.came_back(&returned);
                Err(BrokerError::Unroutable)
            }
            Confirmation::Nack(None) => Err(BrokerError::Refused),
            Confirmation::NotRequested => Err(BrokerError::Closed),
        }
    }

    /// A message that no queue takes is confirmed as others are, and comes back. lapin says so with *some* message that is
    /// confirmed at the same time or before, which may be a later one: a broker confirms many at once. What it is
    /// itself, its id says.
    fn came_back(&mut self, returned: &BasicReturnMessage) {
        let id = returned.properties.message_id().as_ref().map(ShortString::as_str);
        let at = self.messages.iter().position(|message| Some(&*message.id) == id).unwrap_or(0);
        self.back = Some(self.back.map_or(at, |back| back.min(at)));
    }

    /// How many are the broker's, from the first on, after something has failed.
    fn confirmed(&mut self) -> usize {
        for late in std::mem::take(&mut self.under_way) {
            if let Some(Ok(Confirmation::Ack(Some(it)) | Confirmation::Nack(Some(it)))) =
                late.now_or_never()
            {
                self.came_back(&it);
            }
        }
        self.back.map_or(self.answered, |back| back.min(self.answered))
    }
}

async fn send(channel: &Channel, message: &Message) -> Result<PublisherConfirm, lapin::Error> {
    let mut headers = FieldTable::default();
    for (name, value) in &message.headers {
        headers.insert((*name).into(), AMQPValue::LongString(value.clone().into()));
    }
    let properties = BasicProperties::default()
        .with_delivery_mode(PERSISTENT)
        .with_app_id("daybook".into())
        .with_content_type(message.content_type.into())
        .with_message_id(message.id.clone().into())
        .with_type(message.kind.clone().into())
        .with_timestamp(message.timestamp)
        .with_headers(headers);
    let options = BasicPublishOptions { mandatory: true, ..Default::default() };
    let key = message.routing_key.clone().into();
    channel.basic_publish(EXCHANGE.into(), key, options, &message.body, properties).await
}
