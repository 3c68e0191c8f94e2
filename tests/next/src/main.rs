//! What the next version of daybook may be, to be deployed beside the present one: the same routes over
//! the same log, and an appointments projection of the next version, with one more column.
//!
//! It is part of the tests. It puts daybook's own parts together, and is started as `daybook serve` is.

mod appointments;

use std::env;
use std::io::{Write as _, stdout};
use std::iter;
use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::Context as _;
use appointments::NextAppointments;
use daybook_api::{App, Check, Checker, Readiness};
use daybook_projections::{Deployment, Projection, Rebuilder, Runner};
use daybook_store::personal::{Keyring, MasterKeys};
use daybook_store::{Clock, Engine, Log, LogSettings, Program, Role, SystemClock, migrate};
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The routes are of the present version, so what they read is there too.
fn projections(pool: &PgPool, keyring: &Keyring) -> Vec<Arc<dyn Projection>> {
    let next: Arc<dyn Projection> = Arc::new(NextAppointments::new());
    iter::once(next).chain(daybook_projections::all(pool, Some(keyring))).collect()
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = env::var("DAYBOOK_DATABASE_URL").context("DAYBOOK_DATABASE_URL is not set")?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let log = Log::open(&url.parse::<PgConnectOptions>()?, &clock, LogSettings::default());
    let key = env::var("DAYBOOK_KEY_OF_TESTS").context("DAYBOOK_KEY_OF_TESTS is not set")?;
    let keyring = Keyring::new(&log, MasterKeys::new(&[key.parse()?])?);
    let projections = projections(log.pool(), &keyring);
    let engine = Engine::new(log.clone(), Arc::clone(&clock)).with_keyring(keyring);
    let ids = projections.iter().map(|projection| projection.id()).collect();
    migrate(log.pool()).await?;
    if let Some(keyring) = engine.keyring() {
        keyring.register().await?;
    }
    daybook_projections::prepare(log.pool(), &projections).await?;

    let runner = Runner::new(log.clone(), projections.clone());
    let program = Program::new(log.program(), Role::ALL.to_vec(), String::from("next"));
    let deployment = Deployment::new(log.heartbeat_pool().clone(), program, ids);
    let readiness = Readiness::of([Check::Readers, Check::Committers, Check::Projections]);
    let checks =
        Checker::new(engine.clone(), runner.progress(), deployment.heard(), readiness.clone());
    let routes = daybook_api::router(App::new(engine, runner.progress(), readiness));
    let stop = CancellationToken::new();
    let work = [
        tokio::spawn(runner.run(stop.clone())),
        tokio::spawn(Rebuilder::new(log.clone(), clock, projections).run(stop.clone())),
        tokio::spawn(deployment.run(stop.clone())),
        tokio::spawn(checks.run(stop.clone())),
    ];
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    writeln!(stdout(), "daybook is listening on http://{}", listener.local_addr()?)?;
    axum::serve(listener, routes).with_graceful_shutdown(interrupted()?).await?;
    stop.cancel();
    for task in work {
        task.await?;
    }
    Ok(())
}

/// Ready when the program is told to stop.
fn interrupted() -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        interrupt.recv().await;
    })
}
