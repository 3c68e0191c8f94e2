//! `daybook serve`

use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::serve::Listener;
use daybook_api::App;
use daybook_store::engine::OfferTerms;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;

use crate::cli::{Place, Serve};
use crate::database::Database;
use crate::parts::{self, Parts};
use crate::waiting::Promoter;
use crate::{analysts, demo, metrics, output, sweeper};

/// How long the program waits for its database before it listens. It goes on trying after that,
/// and answers 503 meanwhile.
const START_TIMEOUT: Duration = Duration::from_secs(5);

const RETRY_INTERVAL: Duration = Duration::from_millis(500);

/// How long a connection may take to send the head of its next request: one that is idle, or dripped
/// into, is closed.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);

/// How long a write may wait for a client that takes nothing: a stream or a large answer to one that
/// does not read is cut off.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long requests that were accepted have to finish when the program is told to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);

/// Serves until told to stop, by Ctrl-C or SIGTERM.
pub(crate) fn run(place: &Place, options: Serve) -> anyhow::Result<()> {
    let database = Database::own(place)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(serve(place, &database, options));
    // Connections first, then the database that they lead to.
    runtime.shutdown_timeout(Duration::from_secs(1));
    database.close()?;
    served
}

async fn serve(place: &Place, database: &Database, options: Serve) -> anyhow::Result<()> {
    // Before anything that takes time, so that a stop at any moment is an orderly one.
    let stop = stop_signal()?;
    let listener = TcpListener::bind(options.listen)
        .await
        .with_context(|| format!("cannot listen on {}", options.listen))?;
    let parts = parts::connect(database);
    let work = CancellationToken::new();
    let mut tasks = JoinSet::new();
    let runner = parts.runner();
    let app = App::new(parts.engine.clone(), runner.progress())
        .with_holds_per_client(options.holds_per_client)
        .with_metrics(metrics::record()?)
        .with_stop(stop.clone());
    let mut prepared = tokio::spawn(prepared(parts.clone()));
    if timeout(START_TIMEOUT, &mut prepared).await.is_err() {
        tracing::warn!("the database is not there yet; answering 503 until it is");
    }
    let terms = OfferTerms {
        length: options.waiting_offer_minutes,
        holds_per_client: options.holds_per_client,
    };
    let promoter = Promoter::new(parts.clone(), runner.progress(), terms);
    tasks.spawn(work_until(parts.clone(), runner, promoter, prepared, work.clone()));
    if options.demo {
        demo::introduce(&parts, place, listener.local_addr()?).await?;
    }
    output::line(&format!("daybook is listening on http://{}", listener.local_addr()?))?;
    answer(listener, daybook_api::router(app), stop).await;
    work.cancel();
    let _ = timeout(STOP_TIMEOUT, tasks.join_all()).await;
    parts.log().pool().close().await;
    output::line("daybook has stopped")
}

/// Answers requests until `stop`, and then those that were accepted.
///
/// Not by `axum::serve`, which waits for the head of a request for ever.
async fn answer(mut listener: TcpListener, routes: Router, stop: CancellationToken) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    let connections = GracefulShutdown::new();
    loop {
        let stream = tokio::select! {
            () = stop.cancelled() => break,
            (stream, _) = Listener::accept(&mut listener) => stream,
        };
        let routes = TowerToHyperService::new(routes.clone());
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(WRITE_TIMEOUT));
        let stream = Box::pin(stream);
        let connection = connections.watch(http.serve_connection(TokioIo::new(stream), routes));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    drop(listener);
    if timeout(STOP_TIMEOUT, connections.shutdown()).await.is_err() {
        tracing::warn!("some requests were not finished in time");
    }
}

/// Makes the tables, trying until it succeeds.
async fn prepared(parts: Parts) {
    while let Err(error) = parts::prepare(&parts).await {
        tracing::warn!(error = format!("{error:#}"), "the database cannot be prepared yet");
        sleep(RETRY_INTERVAL).await;
    }
}

/// Runs the program's own work, once there is something to work on.
async fn work_until(
    parts: Parts,
    runner: daybook_projections::Runner,
    promoter: Promoter,
    prepared: tokio::task::JoinHandle<()>,
    cancel: CancellationToken,
) {
    if !prepared.is_finished() {
        tokio::select! {
            () = cancel.cancelled() => return,
            _ = prepared => {}
        }
    }
    tokio::join!(
        runner.run(cancel.clone()),
        parts.rebuilder().run(cancel.clone()),
        parts.deployment().run(cancel.clone()),
        analysts::publish(parts.clone(), cancel.clone()),
        sweeper::run(parts, cancel.clone()),
        promoter.run(cancel)
    );
}

/// Cancelled by the first Ctrl-C or SIGTERM.
fn stop_signal() -> anyhow::Result<CancellationToken> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("stopping: finishing what was accepted");
        stopped.cancel();
    });
    Ok(stop)
}
