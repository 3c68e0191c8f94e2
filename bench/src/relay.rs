//! `relay`: how fast a log is published to a broker, beside a publisher that does nothing else with the same messages.

use std::collections::VecDeque;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use daybook_store::Position;
use daybook_store::feed::{CloudEvent, Feed, FeedFilter};
use daybook_store::followers::{self, Follower};
use lapin::options::{
    BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions, QueueBindOptions,
    QueueDeclareOptions, QueueDeleteOptions, QueuePurgeOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, ExchangeKind,
};
use tokio::time::sleep;

use crate::catalogue::Size;
use crate::cli::Options;
use crate::cluster::Server;
use crate::daybook::Daybook;
use crate::http::server::{Program, Serving};
use crate::report::{Aim, Report};
use crate::samples::{Summary, float};

/// How often each is measured, in turn; the best counts.
const ROUNDS: usize = 3;

/// Messages on their way at once, as the relay has it.
const WINDOW: usize = 256;

/// The relay's exchange, and a queue that takes all.
const EXCHANGE: &str = "daybook";
const QUEUE: &str = "daybook-bench";

/// How long a log may take.
const PATIENCE: Duration = Duration::from_mins(10);

pub(crate) async fn run(
    server: &Server,
    options: &Options,
    appointments: u64,
    daybook: Option<&Path>,
    url: &str,
) -> anyhow::Result<Report> {
    let size = Size::new(options.smoke, if options.smoke { 2_000 } else { appointments });
    let program = Program::find(daybook)?;
    let database = Daybook::log_only(server, size).await?;
    database.settle().await?;
    let daybook = Daybook::open(&database, size)?;
    let connection = Connection::connect(url, ConnectionProperties::default()).await?;
    let channel = bound(&connection).await?;
    let events = all(&daybook).await?;
    let arguments = ["--roles", "api,relay", "--amqp-url", url];
    let log = server.scratch("daybook-relay.log");
    let serving = Serving::start_with(&program, &database, log, &arguments).await?;
    relayed(&daybook, &channel).await?;
    let (mut report, mut best) = (Report::default(), [0.0_f64; 2]);
    for _ in 0..ROUNDS {
        let rates = [published(&channel, &events).await?, relayed(&daybook, &channel).await?];
        for (n, (case, rate)) in ["publisher", "relay"].into_iter().zip(rates).enumerate() {
            report.add(case, WINDOW, Summary::of_rate(rate));
            best[n] = best[n].max(rate);
        }
    }
    serving.stop()?;
    channel.queue_delete(QUEUE.into(), QueueDeleteOptions::default()).await?;
    daybook.close().await;
    report.aim("relay: times a bare publisher", best[1] / best[0], Aim::AtLeast(0.8));
    Ok(report)
}

/// A channel of a broker that has the exchange, and a queue that takes all.
async fn bound(connection: &Connection) -> anyhow::Result<Channel> {
    let channel = connection.create_channel().await?;
    let durable = ExchangeDeclareOptions { durable: true, ..Default::default() };
    let (kind, none) = (ExchangeKind::Topic, FieldTable::default());
    channel.exchange_declare(EXCHANGE.into(), kind, durable, none).await?;
    let mut quorum = FieldTable::default();
    quorum.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    let durable = QueueDeclareOptions { durable: true, ..Default::default() };
    channel.queue_declare(QUEUE.into(), durable, quorum).await?;
    let (key, none) = ("#".into(), FieldTable::default());
    channel
        .queue_bind(QUEUE.into(), EXCHANGE.into(), key, QueueBindOptions::default(), none)
        .await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    Ok(channel)
}

/// The whole log, as it is published.
async fn all(daybook: &Daybook) -> anyhow::Result<Vec<CloudEvent>> {
    let feed = Feed::new(daybook.log(), daybook.tenant.clone(), FeedFilter::default());
    let (mut at, mut events) = (Position::START, Vec::new());
    let until = feed.until(None).await?.position;
    while at < until {
        let stretch = feed.read(at, until, 1_000).await?;
        (at, events) = (stretch.read_to, [events, stretch.events].concat());
    }
    Ok(events)
}

/// Events per second of somebody who has them in memory and keeps no account of what was confirmed.
async fn published(channel: &Channel, events: &[CloudEvent]) -> anyhow::Result<f64> {
    empty(channel).await?;
    let bodies: Vec<Vec<u8>> = events.iter().map(serde_json::to_vec).collect::<Result<_, _>>()?;
    let mut under_way = VecDeque::with_capacity(WINDOW);
    let begun = Instant::now();
    for (event, body) in events.iter().zip(&bodies) {
        if under_way.len() >= WINDOW {
            taken(under_way.pop_front().context("a window without messages")?).await?;
        }
        let CloudEvent { tenant, aggregate_type, event_type, .. } = event;
        let key = format!("{tenant}.{aggregate_type}.{event_type}").into();
        let options = BasicPublishOptions { mandatory: true, ..Default::default() };
        let persistent = BasicProperties::default().with_delivery_mode(2);
        let sent = channel.basic_publish(EXCHANGE.into(), key, options, body, persistent);
        under_way.push_back(sent.await?);
    }
    for sent in under_way {
        taken(sent).await?;
    }
    Ok(rate(events.len() as u64, begun.elapsed()))
}

async fn taken(sent: lapin::PublisherConfirm) -> anyhow::Result<()> {
    let answer = sent.await?;
    ensure!(matches!(answer, Confirmation::Ack(None)), "a message was not taken");
    Ok(())
}

/// Events per second of the relay, from the first that it has moved past to the last.
async fn relayed(daybook: &Daybook, channel: &Channel) -> anyhow::Result<f64> {
    empty(channel).await?;
    let (pool, broker) = (daybook.log().pool(), Follower::broker(daybook.tenant.clone()));
    followers::set_position(pool, &broker, Position::START).await?;
    let asked = Instant::now();
    let mut begun: Option<(Instant, Position)> = None;
    while asked.elapsed() < PATIENCE {
        let all = followers::status(pool, &broker.tenant, broker.kind).await?;
        let (position, head) =
            all.get(&broker.id).map(|it| (it.position, it.head)).unwrap_or_default();
        match begun {
            None if position > Position::START => begun = Some((Instant::now(), position)),
            Some((at, from)) if position >= head => {
                return Ok(rate(head.get() - from.get(), at.elapsed()));
            }
            _ => {}
        }
        sleep(Duration::from_millis(5)).await;
    }
    bail!("the log is not published after {PATIENCE:?}")
}

async fn empty(channel: &Channel) -> anyhow::Result<()> {
    channel.queue_purge(QUEUE.into(), QueuePurgeOptions::default()).await?;
    Ok(())
}

fn rate(count: u64, took: Duration) -> f64 {
    float(count) / took.as_secs_f64()
}
