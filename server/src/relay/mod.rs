//! The relay: publishes each tenant's log to a broker, in the order of positions, and moves on when the broker has confirmed.
//!
//! The log is the outbox: nothing is published from a request, and nothing is passed over. Each log has one follower
//! (`daybook_store::followers`); what becomes of a broker that is away, full, or has no queue, is that it is told later.

mod command;

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use daybook_integrations::broker::{Broker, BrokerError, Message, Published, Publisher};
use daybook_store::feed::{CloudEvent, Feed, FeedFilter};
use daybook_store::followers::{self, Follow, FollowerKind, Pauses, Taken, Turn};
use daybook_store::metrics::RELAY_EVENTS;
use daybook_store::{Log, Repeated};
use metrics::counter;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::listener::with_authorities;

pub(crate) use command::run as run_command;

/// So many events are read and published at once.
const EVENTS: usize = 500;

const CONTENT_TYPE: &str = "application/cloudevents+json; charset=utf-8";

static RELAY: Repeated = Repeated::shared("publish the log to the broker");
static BEGIN: Repeated = Repeated::new("begin to publish the log to the broker");

/// The broker at an URL, whose certificate is one of these authorities'.
pub(crate) fn broker_at(url: &str, authorities: Option<&Path>) -> anyhow::Result<Broker> {
    let broker = Broker::new(url).context("--amqp-url is not understood")?;
    let Some(path) = authorities else { return Ok(broker) };
    with_authorities("--amqp-ca", path, |pem| broker.of_authorities(&pem))
}

/// Publishes logs. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Relay {
    log: Log,
    broker: Broker,
}

impl Relay {
    pub(crate) const fn new(log: Log, broker: Broker) -> Self {
        Self { log, broker }
    }

    /// Publishes until cancelled. Logs that were there before are published from their beginning.
    pub(crate) async fn run(self, cancel: CancellationToken) {
        let log = self.log.clone();
        let begun = async {
            loop {
                let made = followers::add_for_all(log.pool(), FollowerKind::Broker).await;
                BEGIN.note(&made);
                if made.is_ok() {
                    break;
                }
                sleep(Duration::from_secs(1)).await;
            }
        };
        if cancel.run_until_cancelled(begun).await.is_some() {
            followers::run(self.log.clone(), self, cancel).await;
        }
    }

    /// Publishes what comes after where it is, as long as a turn lasts.
    async fn publish(
        &self,
        taken: &mut Taken,
        feed: &Feed,
        publisher: &Publisher,
    ) -> Result<Turn, sqlx::Error> {
        let end = Instant::now() + Self::TURN;
        loop {
            let until = feed.until(None).await?.position;
            if taken.position >= until {
                return Ok(Turn::CaughtUp);
            }
            if Instant::now() > end || !taken.is_ours_for(Publisher::WHOLE) {
                return Ok(Turn::More);
            }
            // After a failure one goes ahead: where no queue takes it, those after it are not published again and again.
            let count = if taken.failures == 0 { EVENTS } else { 1 };
            let events = feed.read(taken.position, until, count).await?.events;
            let messages: Result<Vec<_>, _> = events.iter().map(message).collect();
            let messages = messages.map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
            let Published { confirmed, failure } = publisher.publish(&messages).await;
            counter!(RELAY_EVENTS, "outcome" => "confirmed").increment(confirmed as u64);
            if let Some(last) = confirmed.checked_sub(1).and_then(|last| events.get(last)) {
                let mut connection = self.log.pool().acquire().await?;
                if !taken.advance(&mut connection, last.position).await? {
                    return Ok(Turn::Lost);
                }
            }
            if let Some(failure) = failure {
                return Ok(failed(failure));
            }
        }
    }
}

fn failed(why: BrokerError) -> Turn {
    counter!(RELAY_EVENTS, "outcome" => why.as_str()).increment(1);
    RELAY.failed(&why);
    Turn::Failed(why.as_str().to_owned())
}

impl Follow for Relay {
    const KIND: FollowerKind = FollowerKind::Broker;

    const PAUSES: Pauses = Pauses {
        first: Duration::from_millis(500),
        factor: 2,
        most: Duration::from_secs(15),
        // What is not published is never given up: nobody could tell that it is missing.
        patience: None,
    };

    const OF_EACH_LOG: bool = true;

    const TASK: &'static Repeated = &RELAY;

    async fn turn(&self, taken: &mut Taken) -> Result<Turn, sqlx::Error> {
        // What is personal is withheld, as from everybody who has no right to it: a broker keeps it for whom it likes.
        let tenant = taken.follower.tenant.clone();
        let feed = Feed::new(&self.log, tenant, FeedFilter::default());
        if taken.position >= feed.until(None).await?.position {
            return Ok(Turn::CaughtUp);
        }
        match self.broker.publisher().await {
            Ok(publisher) => self.publish(taken, &feed, &publisher).await,
            Err(why) => Ok(failed(why)),
        }
    }
}

/// An event as a message: a CloudEvent in structured mode, for the protocol binding is of another AMQP.
fn message(event: &CloudEvent) -> serde_json::Result<Message> {
    let CloudEvent { tenant, aggregate_type, aggregate_id, event_type, traceparent, .. } = event;
    // By the stream, so that an exchange that hashes it keeps each stream in one queue.
    let mut headers = vec![("partitionkey", format!("{tenant}/{aggregate_type}/{aggregate_id}"))];
    headers.extend(traceparent.clone().map(|traceparent| ("traceparent", traceparent)));
    Ok(Message {
        routing_key: format!("{tenant}.{aggregate_type}.{event_type}"),
        id: event.message_id(),
        kind: format!("{}{event_type}", CloudEvent::TYPE_PREFIX),
        content_type: CONTENT_TYPE,
        timestamp: event.recorded_at.timestamp().unsigned_abs(),
        headers,
        body: serde_json::to_vec(event)?,
    })
}
