//! `daybook serve`

mod operations_port;
mod running;
mod work;

use std::io::IsTerminal as _;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use daybook_api::operations::{self, Operations};
use daybook_api::{App, Checker, Readiness, RedisAddress};
use daybook_integrations::broker::Broker;
use daybook_projections::Heard;
use daybook_store::{Program, Role};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::cli::{Place, Serve};
use crate::database::Database;
use crate::import::Imports;
use crate::listener::{Listener, Signals, Stop, Tls, raise_open_files, with_authorities};
use crate::mailing::{Mailer, Mailing};
use crate::metrics::Sampler;
use crate::parts::Parts;
use crate::relay::{Relay, broker_at};
use crate::roles::{self, Task};
use crate::waiting::Promoter;
use crate::webhooks::Deliverer;
use crate::{demo, issuer, metrics, output, parts};
use operations_port::OperationsPort;
use running::Running;
use work::Work;

/// How long the program waits for its database before it listens. It goes on trying after that,
/// and answers 503 meanwhile.
const START_TIMEOUT: Duration = Duration::from_secs(5);

/// For how long the program goes on accepting connections after it was told to stop, where nothing else is said and
/// nobody sits in front of it: balancers notice within this time that it is not ready.
const DRAIN: Duration = Duration::from_secs(5);

/// How long what was accepted has to finish after that.
const FINISH_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the connections to the database have to close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Serves until told to stop, by Ctrl-C or SIGTERM; told again, it stops at once.
pub(crate) fn run(place: &Place, options: Serve) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let tls = Tls::of(options.tls.clone())?;
    let mailing = options.smtp.mailing()?;
    let broker = broker(options.amqp_url.as_deref(), options.amqp_ca.as_deref())?;
    let redis = shared_cache(options.redis_url.as_deref(), options.redis_ca.as_deref())?;
    // First of all: an address that is taken is said at once, and nothing was started for it.
    let listeners = runtime.block_on(Listeners::bind(&options, tls.clone()))?;
    let database = Database::own(place)?;
    let served = runtime.block_on(async {
        // Before anything that takes time, so that a stop at any moment is an orderly one.
        let Signals { first, second } = Signals::hear()?;
        tokio::select! {
            served = serve(place, &database, options, (Outside { mailing, broker, redis }, listeners, tls), first) => served,
            () = second.cancelled() => bail!("told to stop again: what was under way is cut off"),
        }
    });
    // Connections first, then the database that they lead to.
    runtime.shutdown_timeout(Duration::from_secs(1));
    database.close()?;
    served
}

/// What the program speaks to beside its database, where there is some.
struct Outside {
    mailing: Option<Mailing>,
    broker: Option<Broker>,
    redis: Option<RedisAddress>,
}

/// Where requests come in.
struct Listeners {
    operations: OperationsPort,
    /// `None`: by its roles the program answers none.
    api: Option<Listener>,
}

impl Listeners {
    async fn bind(options: &Serve, tls: Option<Tls>) -> anyhow::Result<Self> {
        let operations = OperationsPort::bind(options.operations_listen).await?;
        if !roles::have(&options.roles, Task::Answer) {
            return Ok(Self { operations, api: None });
        }
        let connections = raise_open_files(options.max_connections.into());
        let address = options.listen.with_port(options.port);
        let api = Listener::bind(address, "--listen or --port", connections);
        Ok(Self { operations, api: Some(api.await?.counted().with_tls(tls)) })
    }
}

/// How long the program goes on accepting connections after it was told to stop.
fn drain(seconds: Option<u16>) -> Duration {
    let at_once = std::io::stdout().is_terminal();
    let otherwise = if at_once { Duration::ZERO } else { DRAIN };
    seconds.map_or(otherwise, |seconds| Duration::from_secs(seconds.into()))
}

async fn serve(
    place: &Place,
    database: &Database,
    options: Serve,
    (outside, listeners, tls): (Outside, Listeners, Option<Tls>),
    told: CancellationToken,
) -> anyhow::Result<()> {
    let Listeners { operations, api: listener } = listeners;
    let Outside { mailing, broker, redis } = outside;
    let roles = options.roles;
    if let Some(idle) = roles::named_in_vain(&roles) {
        tracing::warn!("in this version there is nothing to do yet for {idle}");
    }
    let parts = parts::connect_with(database, roles::log_settings(&roles, database.budget));
    let me = parts.log().program();
    let deployment = parts.deployment(Program::new(me, roles.clone(), hostname()));
    let runner = parts.runner().with_programs(deployment.heard());
    let (progress, heard) = (runner.progress(), deployment.heard());
    let readiness = Readiness::of(roles::readiness(&roles));
    let recorded = metrics::record()?;
    let shown = Operations { readiness: readiness.clone(), metrics: recorded.clone() };
    let sampler =
        Sampler { log: parts.log().clone(), progress: progress.clone(), heard: heard.clone() };
    output::line(&format!("the operations port is http://{}", operations.address()?))?;
    let (stop, operations_stop) = (Stop::default(), Stop::default());
    let drain = drain(options.drain_seconds);
    if let Ok(found) = timeout(START_TIMEOUT, parts.log().primary().found()).await {
        found?;
    }
    let app = App::new(parts.engine.clone(), progress.clone(), readiness.clone())
        .with_programs(heard.clone())
        .with_imports(Arc::new(Imports::new(parts.engine.clone(), stop.draining.clone())))
        .with_cache(u64::from(options.cache_mib) << 20, redis)
        .with_cors(options.cors_origin)
        .with_rate_limit(options.requests_per_second)
        .with_peers(options.trusted_proxies, NonZeroU32::new(options.failures_per_second))
        .with_issuers(issuer::providers(options.allow_insecure_issuers))
        .with_insecure_webhooks(options.allow_insecure_webhooks)
        .with_stop(stop.draining.clone(), drain);
    let mut for_operators = Running::default();
    let answered = operations.answer(operations::router(shown), operations_stop.clone());
    for_operators.start_fallible("operations port", answered);
    for_operators.start("sampler", sampler.run(operations_stop.over.clone()));
    let kept_up = metrics::keep_up(recorded, operations_stop.over.clone());
    for_operators.start("record of metrics", kept_up);
    let mut prepared = tokio::spawn(work::prepare(parts.clone()));
    prepared_in_time(&parts, &mut prepared).await?;
    let sweep = Arc::new(Notify::new());
    let work = Work {
        checker: Checker::new(
            parts.engine.clone(),
            progress.clone(),
            heard.clone(),
            readiness.clone(),
        ),
        promoter: Promoter::new(parts.clone(), progress, Arc::clone(&sweep)),
        relay: broker.map(|broker| Relay::new(parts.log().clone(), broker)),
        deliverer: Deliverer::new(parts.clone(), options.allow_insecure_webhooks),
        mailer: Mailer::new(parts.clone(), mailing)?,
        sweep,
        audit_months: options.audit_months,
        parts: parts.clone(),
        app: app.clone(),
        roles: roles.clone(),
        deployment,
        runner,
    };
    let (work_over, audited) = (CancellationToken::new(), app.clone());
    let mut working = Running::default();
    working.start_fallible("work", work.run(prepared, told.clone(), work_over.clone()));
    if let Some(listener) = listener {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", listener.address()?);
        if options.demo {
            demo::introduce(&parts, place, &url).await?;
        }
        output::line(&format!("daybook is listening on {url}"))?;
        if let Some(tls) = tls {
            working.start("follower of the certificate", tls.follow(stop.closing.clone()));
        }
        working.start("listener", listener.answer(daybook_api::router(app), stop.clone()));
    } else {
        output::line("daybook does not listen: it has not the role api")?;
    }
    let (worked, showed) = tokio::join!(working.until_told(&told), for_operators.until_told(&told));
    tracing::info!(drain_seconds = drain.as_secs(), "stopping");
    readiness.drain();
    stop.draining.cancel();
    if !is_needed(&roles, me, &heard) {
        work_over.cancel();
    }
    tokio::time::sleep(drain).await;
    work_over.cancel();
    stop.closing.cancel();
    let finished = working.all_ended(FINISH_TIMEOUT).await;
    stop.over.cancel();
    operations_stop.closing.cancel();
    operations_stop.over.cancel();
    let ended = for_operators.all_ended(CLOSE_TIMEOUT).await;
    close(&parts, &audited).await;
    worked.and(showed).and(finished).and(ended)?;
    output::line("daybook has stopped")
}

/// Waits a while until the database is prepared.
async fn prepared_in_time(
    parts: &Parts,
    prepared: &mut JoinHandle<anyhow::Result<()>>,
) -> anyhow::Result<()> {
    if let Ok(done) = timeout(START_TIMEOUT, prepared).await {
        return done?;
    }
    let reason = parts.log().primary().last_failure();
    let reason = reason.as_deref().unwrap_or("it takes long to prepare");
    tracing::warn!(reason, "the database is not there yet; answering 503 until it is");
    Ok(())
}

/// Whether the projections stand still without this program, while others may still wait for them.
fn is_needed(roles: &[Role], me: Uuid, heard: &watch::Receiver<Heard>) -> bool {
    let heard = heard.borrow();
    let mut others = heard.programs.iter().filter(|program| program.id != me);
    roles::have(roles, Task::Run) && !others.any(|program| program.has(Role::Projector))
}

/// Writes what is left of the audit log, and closes the connections to the database, in bounded time.
async fn close(parts: &Parts, audited: &App) {
    if !matches!(timeout(CLOSE_TIMEOUT, audited.flush_audit()).await, Ok(true)) {
        tracing::error!("the last second of the audit log could not be written");
    }
    if timeout(CLOSE_TIMEOUT, parts.log().pool().close()).await.is_err() {
        tracing::warn!("the database does not answer: its connections are left to it");
    }
}

/// The name of this machine.
fn hostname() -> String {
    let name = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    name.unwrap_or_else(|| "unknown".to_owned())
}

fn broker(url: Option<&str>, authorities: Option<&Path>) -> anyhow::Result<Option<Broker>> {
    let url = url.filter(|url| !url.is_empty());
    url.map(|url| broker_at(url, authorities)).transpose()
}

/// The Redis that programs share.
fn shared_cache(
    url: Option<&str>,
    authorities: Option<&Path>,
) -> anyhow::Result<Option<RedisAddress>> {
    let address = url.filter(|url| !url.is_empty()).map(str::parse::<RedisAddress>);
    let address = address.transpose().context("--redis-url is not understood")?;
    let (Some(address), Some(path)) = (address.clone(), authorities) else { return Ok(address) };
    with_authorities("--redis-ca", path, |pem| address.of_authorities(pem)).map(Some)
}
