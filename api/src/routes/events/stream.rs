//! `GET /v1/events/stream`: Server-Sent Events (HTML standard, section 9.2).

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use daybook_store::feed::CloudEvent;
use daybook_store::{Clock, Position};
use futures::stream::{self, StreamExt as _};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::asked::{Asked, EventFilters};
use super::streams::Opened;
use crate::App;
use crate::http::params::invalid;
use crate::http::{Caller, Params, Problem, Read};
use crate::routes::problems::ReadProblems;

/// How often something is sent where nothing happens, so that both sides see that the other is there.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// How often it is looked by itself whether the log goes on, should no wake-up come.
const TICK: Duration = Duration::from_secs(1);

/// How soon after a look the next one is worth it, however often the log moves on.
const PAUSE: Duration = Duration::from_millis(25);

/// How many events are read at once; so many may wait for a slow reader, and as many again in each of
/// a few parts that are on their way.
const PART: usize = 200;
const PARTS: usize = 4;

/// How long a reader may leave all these parts where they are.
const PATIENCE: Duration = Duration::from_secs(10);

/// How far the clocks of programs may differ: this long after `to`, nothing that is recorded was recorded before
/// it, also where nothing is recorded at all.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::minutes(1);

/// Stream events
///
/// As `GET /v1/events`, and then each event as it is recorded, as Server-Sent Events: `data` is a
/// CloudEvent and `id` its position. `Last-Event-ID`, which goes before `after`, resumes after it:
/// each position is seen once, however often the connection is lost. Where nothing passes the filter,
/// an `id` comes now and then by itself.
///
/// The last event of a stream that the server ends is called `end`, and its `data` says why: `to` is
/// over, the program is `stopping`, the reader is too `slow`, or it is `unavailable`; and where to
/// `resume_after`.
#[utoipa::path(
    get, path = "/v1/events/stream", tag = "events",
    params(EventFilters,
           ("Last-Event-ID" = Option<String>, Header, description = "The last `id` that was seen.")),
    security(("api_key" = ["read"])),
    responses((status = 200, description = "The log from there on", body = String,
               content_type = "text/event-stream"),
              ReadProblems)
)]
pub(crate) async fn stream_events(
    State(app): State<App>,
    caller: Caller<Read>,
    headers: HeaderMap,
    mut params: Params,
) -> Result<Response, Problem> {
    let last_seen = headers.get("last-event-id").map(|value| value.to_str()).transpose();
    let last_seen = last_seen.map_err(|_| invalid("Last-Event-ID", "a position"))?;
    let asked = Asked::take(&app, &caller, &mut params, last_seen).await?;
    params.finish()?;
    let opened = app.streams.open(&caller.tenant);
    let opened = opened.ok_or_else(|| Problem::unavailable("too many streams at once"))?;
    let (parts, sent) = mpsc::channel(PARTS);
    let (ended, end) = oneshot::channel();
    let teller = Teller {
        read_to: asked.after,
        asked,
        parts,
        clock: Arc::clone(app.engine.clock()),
        // From before the first look, so that no commit goes unseen between look and wait.
        wakeups: app.engine.log().wakeups(),
        stop: app.streams.stop.clone(),
        _opened: opened,
    };
    tokio::spawn(async move {
        let _ = ended.send(teller.tell().await);
    });
    let parts = stream::unfold(sent, async |mut sent| Some((sent.recv().await?, sent)));
    // Told when all that was sent before it has been taken.
    let end = stream::once(end).filter_map(async |end| end.ok().flatten());
    let body = Body::from_stream(parts.chain(end).map(Ok::<Bytes, Infallible>));
    let content =
        [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((content, body).into_response())
}

/// Tells one reader of the log.
struct Teller {
    asked: Asked,
    read_to: Position,
    parts: mpsc::Sender<Bytes>,
    clock: Arc<dyn Clock>,
    wakeups: watch::Receiver<u64>,
    stop: CancellationToken,
    _opened: Opened,
}

/// Why a stream ends.
#[derive(Clone, Copy)]
enum End {
    To,
    Stopping,
    Slow,
    Unavailable,
    /// The reader has gone: there is nobody to tell.
    Gone,
}

impl Teller {
    /// Tells until there is a reason not to; its last event, where there is somebody to tell.
    async fn tell(mut self) -> Option<Bytes> {
        let stop = self.stop.clone();
        let end = tokio::select! {
            end = self.tell_on() => end,
            () = stop.cancelled() => End::Stopping,
        };
        let reason = match end {
            End::To => "to",
            End::Stopping => "stopping",
            End::Slow => "slow",
            End::Unavailable => "unavailable",
            End::Gone => return None,
        };
        let read_to = self.read_to;
        let data = format!(r#"{{"reason":"{reason}","resume_after":"{read_to}"}}"#);
        Some(format!("event: end\ndata: {data}\n\n").into())
    }

    async fn tell_on(&mut self) -> End {
        let mut spoke = Instant::now();
        loop {
            // Seen up to here: what is committed from now on wakes.
            self.wakeups.borrow_and_update();
            let is_over = self.asked.to.is_some_and(|to| to + CLOCKS_DIFFER <= self.clock.now());
            let Ok(until) = self.asked.feed.until(self.asked.to).await else {
                return End::Unavailable;
            };
            while self.read_to < until.position {
                let stretch = self.asked.feed.read(self.read_to, until.position, PART).await;
                let Ok(stretch) = stretch else { return End::Unavailable };
                let part = match part(&stretch.events, stretch.read_to) {
                    Ok(part) => part,
                    Err(error) => {
                        tracing::error!(%error, "an event cannot be told");
                        return End::Unavailable;
                    }
                };
                if let Err(end) = self.send(part).await {
                    return end;
                }
                self.read_to = stretch.read_to;
                spoke = Instant::now();
            }
            if until.is_final || is_over {
                return End::To;
            }
            if spoke.elapsed() >= HEARTBEAT {
                if let Err(end) = self.send(part(&[], self.read_to).unwrap_or_default()).await {
                    return end;
                }
                spoke = Instant::now();
            }
            sleep(PAUSE).await;
            tokio::select! {
                woken = self.wakeups.changed() => {
                    if woken.is_err() {
                        return End::Stopping;
                    }
                }
                () = sleep(TICK) => {}
                () = self.parts.closed() => return End::Gone,
            }
        }
    }

    async fn send(&self, part: Bytes) -> Result<(), End> {
        match timeout(PATIENCE, self.parts.send(part)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Gone),
            Err(_) => Err(End::Slow),
        }
    }
}

/// These events; and an `id` by itself, where the last of them is not as far as has been read. A reader
/// takes note of that and is told of no event.
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
