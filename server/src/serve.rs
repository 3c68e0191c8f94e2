//! `daybook serve`

use std::time::Duration;

use anyhow::Context;
use axum::Router;
use daybook_api::App;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::cli::{Place, Serve};
use crate::database::Database;
use crate::parts::{self, Parts};
use crate::{demo, output, sweeper};

/// How long the program waits for its database before it listens. It goes on trying after that,
/// and answers 503 meanwhile.
const PATIENCE_AT_START: Duration = Duration::from_secs(5);

const PAUSE_BETWEEN_TRIES: Duration = Duration::from_millis(500);

/// How long requests that were accepted have to finish when the program is told to stop.
const PATIENCE_AT_STOP: Duration = Duration::from_secs(30);

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
    let app = App::new(parts.engine.clone(), runner.progress());
    let mut prepared = tokio::spawn(prepared(parts.clone()));
    if timeout(PATIENCE_AT_START, &mut prepared).await.is_err() {
        tracing::warn!("the database is not there yet; answering 503 until it is");
    }
    tasks.spawn(work_until(parts.clone(), runner, prepared, work.clone()));
    if options.demo {
        demo::introduce(&parts, place, listener.local_addr()?).await?;
    }
    output::line(&format!("daybook is listening on http://{}", listener.local_addr()?))?;
    answer(listener, daybook_api::router(app), stop).await?;
    work.cancel();
    let _ = timeout(PATIENCE_AT_STOP, tasks.join_all()).await;
    parts.log().pool().close().await;
    output::line("daybook has stopped")
}

/// Answers requests until `stop`, and then those that were accepted.
async fn answer(
    listener: TcpListener,
    routes: Router,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let serving =
        axum::serve(listener, routes).with_graceful_shutdown(stop.clone().cancelled_owned());
    let too_late = async {
        stop.cancelled().await;
        sleep(PATIENCE_AT_STOP).await;
    };
    tokio::select! {
        served = serving.into_future() => served?,
        () = too_late => tracing::warn!("some requests were not finished in time"),
    }
    Ok(())
}

/// Makes the tables, trying until it succeeds.
async fn prepared(parts: Parts) {
    while let Err(error) = parts::prepare(&parts).await {
        tracing::warn!(error = format!("{error:#}"), "the database cannot be prepared yet");
        sleep(PAUSE_BETWEEN_TRIES).await;
    }
}

/// Runs the program's own work, once there is something to work on.
async fn work_until(
    parts: Parts,
    runner: daybook_projections::Runner,
    prepared: tokio::task::JoinHandle<()>,
    cancel: CancellationToken,
) {
    if !prepared.is_finished() {
        tokio::select! {
            () = cancel.cancelled() => return,
            _ = prepared => {}
        }
    }
    tokio::join!(runner.run(cancel.clone()), sweeper::run(parts, cancel));
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
