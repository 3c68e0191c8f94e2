//! One connection, from when it was accepted to its end.

use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Request, header};
use daybook_api::{Encrypted, Peer};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::server::TlsStream;

use super::Stop;
use super::activity::{Activity, Doing};
use super::open::Opened;
use super::stream::NotedStream;
use super::tls::{self, Tls};

/// How often a connection that is to be closed is looked at while it is not idle.
const CLOSING_INTERVAL: Duration = Duration::from_millis(50);

/// Answers its requests until it ends, has waited for too long, makes room for another, or `stop` ends it.
pub(super) async fn serve(
    stream: TcpStream,
    tls: Option<Tls>,
    routes: Router,
    opened: Opened,
    stop: Stop,
) {
    let peer = stream.peer_addr().ok().map(|address| Peer(address.ip()));
    let Some(tls) = tls else {
        let stream = NotedStream::new(stream, Arc::clone(&opened.activity));
        return answer(stream, (peer, None), routes, opened, stop).await;
    };
    let stream = tokio::select! {
        stream = shaken_hands(stream, &tls, &opened) => stream,
        () = opened.activity.evicted() => return,
        () = stop.over.cancelled() => return,
    };
    if let Some(stream) = stream {
        answer(stream, (peer, Some(Encrypted)), routes, opened, stop).await;
    }
}

/// The same connection, encrypted. A handshake may take as long as the head of a request.
async fn shaken_hands(
    mut stream: TcpStream,
    tls: &Tls,
    opened: &Opened,
) -> Option<TlsStream<NotedStream>> {
    let activity = &opened.activity;
    let handshake = async {
        if !tls::begins(&mut stream).await {
            return None;
        }
        let stream = NotedStream::new(stream, Arc::clone(activity));
        let shaken = tls.acceptor().accept(stream).await;
        shaken.inspect_err(|error| tracing::debug!(%error, "no handshake")).ok()
    };
    let shaken = timeout(activity.head_timeout(), handshake).await.ok().flatten();
    // Its first request is still to come.
    activity.is_ready();
    shaken
}

async fn answer<S>(
    stream: S,
    (peer, encrypted): (Option<Peer>, Option<Encrypted>),
    routes: Router,
    opened: Opened,
    stop: Stop,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let activity = &opened.activity;
    let io = TokioIo::new(stream);
    let routes = TowerToHyperService::new(routes);
    let service = service_fn(|mut request: Request<Incoming>| {
        activity.has_request();
        if let Some(peer) = peer {
            request.extensions_mut().insert(peer);
        }
        if let Some(encrypted) = encrypted {
            request.extensions_mut().insert(encrypted);
        }
        let answer = routes.call(request);
        let (draining, activity) = (&stop.draining, Arc::clone(activity));
        async move {
            let mut answer = answer.await?;
            if draining.is_cancelled() {
                answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(answer.map(|body| NotedBody { body, activity }))
        }
    });
    let mut http = http1::Builder::new();
    let mut connection = pin!(http.header_read_timeout(None).serve_connection(io, service));
    let mut closes = false;
    loop {
        let closing = stop.closing.is_cancelled();
        let look_again_at = if closing && !closes {
            Instant::now() + CLOSING_INTERVAL
        } else {
            activity.look_again_at()
        };
        tokio::select! {
            // First what has come: a request that is there is read before its connection makes room for another.
            biased;
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "a connection ended early");
                }
                return;
            }
            () = stop.over.cancelled() => return,
            () = stop.closing.cancelled(), if !closing => {}
            () = activity.evicted() => return,
            () = sleep_until(look_again_at) => {
                if activity.is_over() {
                    return;
                }
            }
        }
        // Of a request that is being answered, the answer is the last.
        let closable =
            activity.is_closable() || matches!(activity.doing(), Doing::Request | Doing::Sending);
        if stop.closing.is_cancelled() && !closes && closable {
            connection.as_mut().graceful_shutdown();
            closes = true;
        }
    }
}

/// The body of an answer; dropped when all of it is on its way, or was given up.
struct NotedBody {
    body: Body,
    activity: Arc<Activity>,
}

impl hyper::body::Body for NotedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for NotedBody {
    fn drop(&mut self) {
        self.activity.has_answered();
    }
}
