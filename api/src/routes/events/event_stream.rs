//! `GET /v1/events/stream`: Server-Sent Events (HTML standard, section 9.2).

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use daybook_store::feed::CloudEvent;
use daybook_store::{Clock, Position};
use futures::stream::{self, StreamExt as _};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep, timeout};

use super::query::{EventParams, EventQuery};
use super::streams::{Opened, Streams};
use crate::App;
use crate::http::auth::Credential;
use crate::http::limits::CountedApart;
use crate::http::query::invalid;
use crate::http::{Analytics, Caller, Problem, Query, Within};
use crate::routes::problems::ReadProblems;
use crate::schema::ServerSentEvent;

/// How often something is sent where nothing happens, so that both sides see that the other is there.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// How often the log is polled, should no wake-up come.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The least time between two polls, however often the log moves on.
const MIN_POLL_INTERVAL: Duration = Duration::from_millis(25);

/// How many events are read at once; so many may wait for a slow reader, and as many again in each of
/// a few parts that are on their way.
const PART: usize = 200;
const PARTS: usize = 4;

/// How long a reader may leave all these parts where they are.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// How far the clocks of programs may differ: this long after `to`, nothing that is recorded was recorded before
/// it, also where nothing is recorded at all.
const MAX_CLOCK_SKEW: TimeDelta = TimeDelta::minutes(1);

/// Stream events
///
/// As `GET /v1/events`, and then each event as it is recorded, as Server-Sent Events: `data` is a
/// CloudEvent and `id` its position. `Last-Event-ID`, which goes before `after`, resumes after it:
/// each position is seen once, however often the connection is lost. Where nothing passes the filter,
/// an `id` comes now and then by itself.
///
/// The last event of a stream that the server ends is called `end`, and its `data` says why: `to` is
/// over, the program is `stopping`, the reader is too `slow`, it is `unavailable`, or the reader's key
/// was revoked or has expired (`key-ended`); and where to `resume_after`. With it comes a `retry` time, so that not all readers come back at once.
#[utoipa::path(
    get, path = "/v1/events/stream", tag = "events",
    params(EventParams,
           ("Last-Event-ID" = Option<String>, Header, description = "The last `id` that was seen.",
            pattern = "^([0-9]{1,18}|latest)$")),
    security(("api_key" = ["analytics"])),
    responses((status = 200, description = "The log from there on", body = ServerSentEvent,
               content_type = "text/event-stream"),
              ReadProblems)
)]
pub(crate) async fn stream_events(
    State(app): State<App>,
    caller: Caller<Within<Analytics>>,
    headers: HeaderMap,
    Query(params): Query<EventParams>,
) -> Result<Response, Problem> {
    let last_seen = headers.get("last-event-id").map(|value| value.to_str()).transpose();
    let last_seen = last_seen.map_err(|_| invalid("Last-Event-ID", "a position"))?;
    let query = EventQuery::of(&app, &caller, params, last_seen).await?;
    let opened = app.streams.open(&caller.tenant);
    let opened =
        opened.ok_or_else(|| Problem::overloaded("too many streams and exports at once"))?;
    query.handed_out(&app, &caller).await?;
    let (parts, sent) = mpsc::channel(PARTS);
    let (ended, end) = oneshot::channel();
    let streamer = Streamer {
        read_to: query.after,
        query,
        parts,
        clock: Arc::clone(app.engine.clock()),
        // From before the first look, so that no commit goes unseen between look and wait.
        wakeups: app.engine.log().wakeups(),
        streams: app.streams.clone(),
        opened,
        app: app.clone(),
        credential: caller.credential,
    };
    tokio::spawn(async move {
        let _ = ended.send(streamer.run().await);
    });
    // At once, also where nothing happens: proxies hand the head of an answer on with its first byte.
    let opening = stream::once(async { Bytes::from_static(OPENING) });
    let parts = stream::unfold(sent, async |mut sent| Some((sent.recv().await?, sent)));
    // Sent when all that was sent before it has been taken.
    let end = stream::once(end).filter_map(async |end| end.ok().flatten());
    let all = opening.chain(parts).chain(end);
    let body = Body::from_stream(all.map(Ok::<Bytes, Infallible>));
    Ok((Extension(CountedApart), HEADERS, body).into_response())
}

/// What a stream begins with: a comment.
const OPENING: &[u8] = b": open\n\n";

/// nginx holds back what it passes on unless it is told not to.
const HEADERS: [(HeaderName, &str); 3] = [
    (header::CONTENT_TYPE, "text/event-stream"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("x-accel-buffering"), "no"),
];

/// The least time after which a reader whose stream was ended comes back; twice that at most.
const RETRY: Duration = Duration::from_secs(1);

/// Sends the log to one reader.
struct Streamer {
    query: EventQuery,
    read_to: Position,
    parts: mpsc::Sender<Bytes>,
    clock: Arc<dyn Clock>,
    wakeups: watch::Receiver<u64>,
    streams: Streams,
    opened: Opened,
    app: App,
    /// By which it was opened.
    credential: Credential,
}

/// Why a stream ends.
#[derive(Clone, Copy)]
enum End {
    To,
    Stopping,
    Slow,
    Unavailable,
    KeyEnded,
    /// The reader has gone.
    Gone,
}

impl Streamer {
    /// Sends until there is a reason to end; its last event, where the reader is still there.
    async fn run(mut self) -> Option<Bytes> {
        let (streams, app) = (self.streams.clone(), self.app.clone());
        let credential = self.credential.clone();
        let end = tokio::select! {
            end = self.send_events() => end,
            () = streams.stopped() => End::Stopping,
            () = credential.ended(&app) => End::KeyEnded,
        };
        let reason = match end {
            End::To => "to",
            End::Stopping => "stopping",
            End::Slow => "slow",
            End::Unavailable => "unavailable",
            End::KeyEnded => "key-ended",
            End::Gone => return None,
        };
        let read_to = self.read_to;
        let data = format!(r#"{{"reason":"{reason}","resume_after":"{read_to}"}}"#);
        // By themselves, browsers come back after this time: not all of them at once.
        let retry = RETRY.mul_f64(1.0 + rand::random::<f64>()).as_millis();
        Some(format!("retry: {retry}\nevent: end\ndata: {data}\n\n").into())
    }

    async fn send_events(&mut self) -> End {
        let mut last_sent = Instant::now();
        loop {
            // Seen up to here: what is committed from now on wakes.
            self.wakeups.borrow_and_update();
            let is_over = self.query.to.is_some_and(|to| to + MAX_CLOCK_SKEW <= self.clock.now());
            let Ok(until) = self.query.until().await else {
                return End::Unavailable;
            };
            while self.read_to < until.position {
                // It is never closed; and whoever waits for a reader waits without a turn.
                let turn = self.opened.turns().acquire().await;
                let page = self.query.feed.read(self.read_to, until.position, PART).await;
                drop(turn);
                let Ok(page) = page else { return End::Unavailable };
                let part = match part(&page.events, page.read_to) {
                    Ok(part) => part,
                    Err(error) => {
                        tracing::error!(%error, "an event cannot be written");
                        return End::Unavailable;
                    }
                };
                if let Err(end) = self.send(part).await {
                    return end;
                }
                self.read_to = page.read_to;
                last_sent = Instant::now();
            }
            if until.is_final || is_over {
                return End::To;
            }
            if last_sent.elapsed() >= HEARTBEAT {
                if let Err(end) = self.send(part(&[], self.read_to).unwrap_or_default()).await {
                    return end;
                }
                last_sent = Instant::now();
            }
            sleep(MIN_POLL_INTERVAL).await;
            tokio::select! {
                woken = self.wakeups.changed() => {
                    if woken.is_err() {
                        return End::Stopping;
                    }
                }
                () = sleep(POLL_INTERVAL) => {}
                () = self.parts.closed() => return End::Gone,
            }
        }
    }

    async fn send(&self, part: Bytes) -> Result<(), End> {
        match timeout(SEND_TIMEOUT, self.parts.send(part)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Gone),
            Err(_) => Err(End::Slow),
        }
    }
}

/// These events; and an `id` by itself, where the last of them is not as far as has been read. A reader
/// takes note of that and sees no event.
fn part(events: &[CloudEvent], read_to: Position) -> Result<Bytes, serde_json::Error> {
    let mut part = Vec::with_capacity(events.len() * 1_024 + 64);
    for event in events {
        part.extend_from_slice(format!("id: {}\ndata: ", event.position).as_bytes());
        // JSON has no line breaks of its own.
        serde_json::to_writer(&mut part, event)?;
        part.extend_from_slice(b"\n\n");
    }
    if events.last().is_none_or(|last| last.position < read_to) {
        part.extend_from_slice(format!(": up to here\nid: {read_to}\n\n").as_bytes());
    }
    Ok(part.into())
}
