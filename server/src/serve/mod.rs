//! `daybook serve`

mod work;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::serve::Listener;
use daybook_api::operations::{self, Operations};
use daybook_api::{App, Checker, Readiness};
use daybook_store::Program;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;

use crate::cli::{Place, Serve};
use crate::database::Database;
use crate::metrics::Sampler;
use crate::roles::{self, Task};
use crate::waiting::Promoter;
use crate::{demo, metrics, output, parts};
use work::Work;

/// How long the program waits for its database before it listens. It goes on trying after that,
/// and answers 503 meanwhile.
const START_TIMEOUT: Duration = Duration::from_secs(5);

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
    let roles = options.roles;
    let operations = bind(options.operations_listen).await?;
    let answers = roles::have(&roles, Task::Answer);
    let listener = if answers { Some(bind(options.listen).await?) } else { None };
    let parts = parts::connect_with(database, roles::log_settings(&roles, database.budget));
    let program = Program::new(parts.log().program(), roles.clone(), gethostname());
    let deployment = parts.deployment(program);
    let runner = parts.runner().with_programs(deployment.heard());
    let readiness = Readiness::of(roles::readiness(&roles));
    let (progress, heard) = (runner.progress(), deployment.heard());
    let shown = Operations { readiness: readiness.clone(), metrics: metrics::record()? };
    let sampler =
        Sampler { log: parts.log().clone(), progress: progress.clone(), heard: heard.clone() };
    output::line(&format!("the operations port is http://{}", operations.local_addr()?))?;
    let over = CancellationToken::new();
    let mut ends = JoinSet::new();
    ends.spawn(answer(operations, operations::router(shown), over.clone()));
    ends.spawn(sampler.run(over.clone()));
    if let Ok(found) = timeout(START_TIMEOUT, parts.log().primary().found()).await {
        found?;
    }
    let app = App::new(parts.engine.clone(), progress.clone(), readiness.clone())
        .with_programs(heard.clone())
        .with_stop(stop.clone());
    let mut prepared = tokio::spawn(work::prepare(parts.clone()));
    if timeout(START_TIMEOUT, &mut prepared).await.is_err() {
        tracing::warn!("the database is not there yet; answering 503 until it is");
    }
    let sweep = Arc::new(Notify::new());
    let work = Work {
        checker: Checker::new(parts.engine.clone(), progress.clone(), heard, readiness.clone()),
        promoter: Promoter::new(parts.clone(), progress, Arc::clone(&sweep)),
        sweep,
        parts: parts.clone(),
        roles,
        deployment,
        runner,
    };
    let work_over = CancellationToken::new();
    let mut tasks = JoinSet::new();
    tasks.spawn(work.run(prepared, work_over.clone()));
    if let Some(listener) = listener {
        if options.demo {
            demo::introduce(&parts, place, listener.local_addr()?).await?;
        }
        output::line(&format!("daybook is listening on http://{}", listener.local_addr()?))?;
        answer(listener, daybook_api::router(app), stop).await;
    } else {
        stop.cancelled().await;
    }
    readiness.drain();
    work_over.cancel();
    let _ = timeout(STOP_TIMEOUT, tasks.join_all()).await;
    over.cancel();
    ends.join_all().await;
    parts.log().pool().close().await;
    output::line("daybook has stopped")
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))
}

/// The name of this machine, as others may know it.
fn gethostname() -> String {
    let name = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    name.unwrap_or_else(|| "unknown".to_owned())
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
