//! Keeps a copy of what has happened in a database of its own (PostgreSQL), from a queue that daybook's relay fills: as
//! `consumer.py` does in `SQLite`. It uses nothing of daybook's.
//!
//! Each event has its effect exactly once, whatever is killed when: what was seen is kept in the transaction of the effect, and a
//! message is acknowledged after that. Positions of a tenant's log have no gaps, so a copy that has taken 1, 2, 3, ... has all. One
//! that is ahead of its turn is left: the relay publishes it again after those that the broker has refused. Where one stays missing,
//! this stops and says which.

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use clap::Parser;
use futures::StreamExt as _;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicQosOptions, ExchangeDeclareOptions,
    QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Connection, ConnectionProperties, ExchangeKind};
use serde_json::Value;
use sqlx::{Connection as _, PgConnection};
use tokio::time::sleep;

const EXCHANGE: &str = "daybook";

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS inbox (source text PRIMARY KEY, position bigint NOT NULL);
    CREATE TABLE IF NOT EXISTS copied (
        source text, subject text, last_event text NOT NULL, events bigint NOT NULL, PRIMARY KEY (source, subject));";

/// How long it is waited after the broker or the database was away.
const PAUSE: Duration = Duration::from_millis(500);

#[derive(Parser)]
struct Options {
    #[arg(long)]
    amqp_url: String,
    #[arg(long, default_value = "copy")]
    queue: String,
    #[arg(long)]
    database_url: String,
    /// For how many seconds it is waited for an event that is missing, while others come.
    #[arg(long, default_value_t = 60)]
    patience: u64,
}

/// Of each source: since when later events come than the one that is next.
type Ahead = HashMap<String, Instant>;

#[tokio::main]
async fn main() -> ExitCode {
    let (options, mut ahead) = (Options::parse(), Ahead::new());
    loop {
        match consume(&options, &mut ahead).await {
            Ok(missing) => {
                let _ = writeln!(io::stderr(), "an event is missing: {missing}");
                return ExitCode::FAILURE;
            }
            Err(away) => {
                let _ = writeln!(io::stderr(), "something is away: {away:#}");
                sleep(PAUSE).await;
            }
        }
    }
}

/// Reads until an event is missing: which.
async fn consume(options: &Options, ahead: &mut Ahead) -> Result<String> {
    let mut database = PgConnection::connect(&options.database_url).await?;
    sqlx::raw_sql(SCHEMA).execute(&mut database).await?;
    let broker = Connection::connect(&options.amqp_url, ConnectionProperties::default()).await?;
    let channel = broker.create_channel().await?;
    declare(&channel, &options.queue).await?;
    channel.basic_qos(200, BasicQosOptions::default()).await?;
    let (reads, none) = (BasicConsumeOptions::default(), FieldTable::default());
    let queue = options.queue.as_str().into();
    let mut messages = channel.basic_consume(queue, "".into(), reads, none).await?;
    while let Some(message) = messages.next().await {
        let message = message?;
        let event: Value = serde_json::from_slice(&message.data)?;
        let source = event["source"].as_str().context("an event without source")?;
        match take(&mut database, source, &event).await? {
            Taken::Before => {}
            Taken::Now => drop(ahead.remove(source)),
            Taken::Ahead { seen, position } => {
                let since = *ahead.entry(source.to_owned()).or_insert_with(Instant::now);
                if since.elapsed() > Duration::from_secs(options.patience) {
                    return Ok(format!("{source}: after {seen} comes {position}"));
                }
            }
        }
        message.ack(BasicAckOptions::default()).await?;
    }
    anyhow::bail!("the broker has closed the connection")
}

enum Taken {
    /// It was seen before.
    Before,
    Now,
    /// Others are to come before it.
    Ahead {
        seen: i64,
        position: i64,
    },
}

/// The effect of an event, once and in its turn.
async fn take(database: &mut PgConnection, source: &str, event: &Value) -> Result<Taken> {
    let text = |name| event[name].as_str().with_context(|| format!("an event without {name}"));
    let (subject, kind) = (text("subject")?, text("type")?);
    let position: i64 = text("id")?.parse()?;
    let mut transaction = database.begin().await?;
    let seen: Option<i64> = sqlx::query_scalar("SELECT position FROM inbox WHERE source = $1")
        .bind(source)
        .fetch_optional(&mut *transaction)
        .await?;
    let seen = seen.unwrap_or_default();
    if position <= seen {
        return Ok(Taken::Before);
    }
    if position != seen + 1 {
        return Ok(Taken::Ahead { seen, position });
    }
    if subject.starts_with("appointment/") {
        sqlx::query(
            "INSERT INTO copied VALUES ($1, $2, $3, 1) ON CONFLICT (source, subject) DO UPDATE
                SET last_event = $3, events = copied.events + 1",
        )
        .bind(source)
        .bind(subject)
        .bind(kind)
        .execute(&mut *transaction)
        .await?;
    }
    sqlx::query(
        "INSERT INTO inbox VALUES ($1, $2) ON CONFLICT (source) DO UPDATE SET position = $2",
    )
    .bind(source)
    .bind(position)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(Taken::Now)
}

/// A queue of its own, on several machines where there are several, with one reader at a time, so that it reads in order.
async fn declare(channel: &Channel, queue: &str) -> Result<()> {
    let durable = ExchangeDeclareOptions { durable: true, ..Default::default() };
    let (kind, none) = (ExchangeKind::Topic, FieldTable::default());
    channel.exchange_declare(EXCHANGE.into(), kind, durable, none.clone()).await?;
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    arguments.insert("x-single-active-consumer".into(), AMQPValue::Boolean(true));
    let durable = QueueDeclareOptions { durable: true, ..Default::default() };
    channel.queue_declare(queue.into(), durable, arguments).await?;
    let all = QueueBindOptions::default();
    channel.queue_bind(queue.into(), EXCHANGE.into(), "#".into(), all, none).await?;
    Ok(())
}
