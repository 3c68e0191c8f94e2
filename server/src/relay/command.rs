//! `daybook relay`: how far the broker was told each log, and whether what waits in a queue is what the logs say.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use anyhow::ensure;
use daybook_domain::TenantId;
use daybook_integrations::broker::Broker;
use daybook_store::Position;
use daybook_store::feed::{CloudEvent, Feed, FeedFilter};
use daybook_store::followers::{self, Follower, FollowerKind, FollowerStatus};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::cli::RelayCommand;
use crate::database::Database;
use crate::output;
use crate::parts::{self, Parts};
use crate::relay::broker_at;

pub(crate) async fn run(database: &Database, command: RelayCommand) -> anyhow::Result<()> {
    let parts = parts::connected(database).await?;
    match command {
        RelayCommand::Status => status(&parts).await,
        RelayCommand::Replay { tenant, after } => replay(&parts, tenant.as_ref(), after).await,
        RelayCommand::Verify { queue, amqp_url, amqp_ca } => {
            verify(&parts, &broker_at(&amqp_url, amqp_ca.as_deref())?, &queue).await
        }
    }
}

/// How each log's follower is, page by page.
async fn for_each(
    parts: &Parts,
    mut each: impl AsyncFnMut(Follower, FollowerStatus) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut after = None;
    loop {
        let page =
            followers::of_kind(parts.log().pool(), FollowerKind::Broker, after.as_ref()).await?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        after = Some(last.tenant.clone());
        for (follower, status) in page {
            each(follower, status).await?;
        }
    }
}

/// A line for each log, and one for all.
async fn status(parts: &Parts) -> anyhow::Result<()> {
    let (mut logs, mut behind) = (0_u64, 0_u64);
    for_each(parts, async |follower, status| {
        let left = status.head.get().saturating_sub(status.position.get());
        (logs, behind) = (logs + 1, behind + left);
        let fails = match (&status.failure, status.failing_since) {
            (Some(failure), Some(since)) => format!("  failing since {since}: {failure}"),
            _ => String::new(),
        };
        let (tenant, position, head) = (&follower.tenant, status.position, status.head);
        output::line(&format!("{tenant}  {position} of {head}{fails}"))
    })
    .await?;
    output::line(&format!("{logs} logs, {behind} events that the broker has not confirmed"))
}

/// Sets back all logs' followers, or one's.
async fn replay(parts: &Parts, tenant: Option<&TenantId>, after: u64) -> anyhow::Result<()> {
    let (position, mut logs) = (Position::START.plus(after), 0_u64);
    for_each(parts, async |follower, status| {
        if tenant.is_none_or(|tenant| *tenant == follower.tenant) {
            ensure!(position <= status.head, "its log ends at {}", status.head);
            followers::set_position(parts.log().pool(), &follower, position).await?;
            logs += 1;
        }
        Ok(())
    })
    .await?;
    ensure!(logs > 0, "no relay has published such a log yet");
    output::line(&format!("{logs} logs are published again after {position}"))
}

/// What was seen of a log in a queue.
#[derive(Default)]
struct Seen {
    /// By position: what the event was when it was published first.
    events: BTreeMap<u64, Digest>,
    /// How many were published more than once.
    again: u64,
}

/// An event, in few bytes: a queue may have millions.
type Digest = [u8; 32];

fn digest(event: &Value) -> Digest {
    Sha256::digest(event.to_string()).into()
}

async fn verify(parts: &Parts, broker: &Broker, queue: &str) -> anyhow::Result<()> {
    let (mut seen, mut strange) = (BTreeMap::<TenantId, Seen>::new(), 0_u64);
    let note = |body: &[u8]| match read(body) {
        Some((tenant, position, event)) => {
            let of_log = seen.entry(tenant).or_default();
            match of_log.events.entry(position) {
                Entry::Occupied(_) => of_log.again += 1,
                Entry::Vacant(first) => drop(first.insert(digest(&event))),
            }
        }
        None => strange += 1,
    };
    let count = broker.waiting_in(queue, note).await?;
    let mut wrong = strange;
    for (tenant, Seen { events, again }) in &seen {
        let Compared { missing, other } = compare(parts, tenant, events).await?;
        wrong += missing + other;
        let (first, last) = (events.keys().next(), events.keys().next_back());
        let (first, last) = (first.copied().unwrap_or_default(), last.copied().unwrap_or_default());
        output::line(&format!(
            "{tenant}  {first} to {last}, missing: {missing}, not as in the log: {other}, again: {again}"
        ))?;
    }
    output::line(&format!("{count} messages of {} logs, strange: {strange}", seen.len()))?;
    ensure!(wrong == 0, "what waits in {queue} is not what the logs say");
    Ok(())
}

/// Whose log an event is of, and where in it it is.
fn read(body: &[u8]) -> Option<(TenantId, u64, Value)> {
    let event: Value = serde_json::from_slice(body).ok()?;
    let tenant = event["source"].as_str()?.strip_prefix(CloudEvent::SOURCE_PREFIX)?.parse().ok()?;
    let position = event["id"].as_str()?.parse().ok()?;
    Some((tenant, position, event))
}

/// What was published, beside what the log says.
struct Compared {
    /// So many are in the log between the first and the last, and were not seen.
    missing: u64,
    /// So many are not as the log has them, or are not in it at all.
    other: u64,
}

async fn compare(
    parts: &Parts,
    tenant: &TenantId,
    events: &BTreeMap<u64, Digest>,
) -> anyhow::Result<Compared> {
    let feed = Feed::new(parts.log(), tenant.clone(), FeedFilter::default());
    let (mut missing, mut same) = (0, 0);
    if let (Some((first, _)), Some((last, _))) = (events.first_key_value(), events.last_key_value())
    {
        let head = feed.until(None).await?.position;
        let until = Position::START.plus(*last).min(head);
        let mut at = Position::START.plus(first.saturating_sub(1));
        while at < until {
            let stretch = feed.read(at, until, 1_000).await?;
            for event in &stretch.events {
                match events.get(&event.position.get()) {
                    None => missing += 1,
                    Some(seen) if *seen == digest(&serde_json::to_value(event)?) => same += 1,
                    Some(_) => {}
                }
            }
            at = stretch.read_to;
        }
    }
    Ok(Compared { missing, other: u64::try_from(events.len())? - same })
}
