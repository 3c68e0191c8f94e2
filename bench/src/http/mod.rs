//! `http`: bookings through `POST /v1/appointments` of a real server, beside pgbench.

pub(crate) mod booking;
pub(crate) mod client;
pub(crate) mod server;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use daybook_domain::rights::ScopeSet;
use daybook_store::keys::{self, NewKey};

use crate::calendar::Calendar;
use crate::catalogue::Size;
use crate::cli::{Options, Timing};
use crate::cluster::{Database, Server};
use crate::daybook::{AT_ONCE_TO_KNOW, Daybook, TENANT};
use crate::load::{self, Window, Work};
use crate::machine;
use crate::report::{Aim, Report};
use crate::rivals::pgbench::Pgbench;
use crate::samples::Samples;
use booking::{book, head};
use client::Connection;
use server::{Program, Serving};

const CASE: &str = "http";

const CONNECTIONS: [usize; 3] = [16, 64, 256];

pub(crate) async fn run(
    server: &Server,
    options: &Options,
    appointments: u64,
    daybook: Option<&Path>,
) -> anyhow::Result<Report> {
    let timing = options.timing(10);
    let size = Size { noted: options.notes, ..Size::new(options.smoke, appointments) };
    let program = Program::find(daybook)?;
    let mut report = Report::default();
    let template = Daybook::template(server, size).await?;
    let pgbench = Pgbench::prepare(server, options, timing).await?;
    if let Some(pgbench) = &pgbench {
        pgbench.before(&mut report).await?;
    }
    for connections in options.in_flight(&CONNECTIONS) {
        let database = server.copy(&template).await?;
        let key = key(&database, TENANT, size).await?;
        let log = server.scratch(&format!("daybook-{connections}.log"));
        let serving = Serving::start(&program, &database, log).await?;
        let people = People { address: serving.address, key, connections, size, case: CASE };
        cell(people, timing, &mut report).await?;
        serving.stop()?;
        server.drop(database).await?;
    }
    if let Some(pgbench) = &pgbench {
        pgbench.after(&mut report).await?;
    }
    aims(&mut report);
    Ok(report)
}

/// Somebody's key, who may book.
pub(crate) async fn key(database: &Database, tenant: &str, size: Size) -> anyhow::Result<String> {
    let daybook = Daybook::open(database, size)?;
    let (tenant, now) = (tenant.parse()?, daybook.engine.clock().now());
    let key = keys::create(daybook.log().pool(), &tenant, NewKey::of(ScopeSet::Book.scopes()), now)
        .await?
        .key;
    daybook.close().await;
    Ok(key)
}

/// Who books, and where.
pub(crate) struct People {
    pub(crate) address: SocketAddr,
    pub(crate) key: String,
    pub(crate) connections: usize,
    pub(crate) size: Size,
    /// What they say they did.
    pub(crate) case: &'static str,
}

async fn cell(people: People, timing: Timing, report: &mut Report) -> anyhow::Result<()> {
    let connections = people.connections;
    let before = machine::processor_seconds();
    // One thread for all of them: they are to leave the processors to the server.
    let samples = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(load(people, timing))
    });
    let samples = samples.await??;
    report.add(CASE, connections, samples.of(CASE)?);
    if let Some((before, after)) = before.zip(machine::processor_seconds()) {
        let all = timing.warm_up * 2 + timing.measured;
        let cores = (after - before) / all.as_secs_f64();
        report.remark(format!("at {connections} connections the clients used {cores:.2} cores"));
    }
    Ok(())
}

async fn load(people: People, timing: Timing) -> anyhow::Result<Samples> {
    let calendar = Arc::new(Calendar::new(people.size));
    // A server that has just been started knows nobody who books.
    let strangers = people.workers(AT_ONCE_TO_KNOW, &calendar).await?;
    load::run(Window::from_now(timing.only_warm_up()), strangers).await?;
    let workers = people.workers(people.connections, &calendar).await?;
    load::run(Window::from_now(timing), workers).await
}

impl People {
    pub(crate) async fn workers(
        &self,
        count: usize,
        calendar: &Arc<Calendar>,
    ) -> anyhow::Result<Vec<Person>> {
        let mut workers = Vec::with_capacity(count);
        for _ in 0..count {
            workers.push(Person {
                connection: Connection::open(self.address).await?,
                calendar: Arc::clone(calendar),
                head: head(self.address, &self.key),
                size: self.size,
                case: self.case,
            });
        }
        Ok(workers)
    }
}

pub(crate) struct Person {
    connection: Connection,
    calendar: Arc<Calendar>,
    head: String,
    size: Size,
    case: &'static str,
}

impl Work for Person {
    async fn once(&mut self) -> anyhow::Result<&'static str> {
        book(&mut self.connection, &self.head, self.calendar.take(), self.size).await?;
        Ok(self.case)
    }
}

fn aims(report: &mut Report) {
    let at = |connections: usize| report.rows(CASE).find(|row| row.in_flight == connections);
    let ratio = at(256).and_then(|row| row.ratio_to_pgbench_best);
    let rate = at(16).map(|row| row.per_second);
    if let Some(ratio) = ratio {
        report.aim("x pgbench's best, at 256 connections", ratio, Aim::AtLeast(1.0));
    }
    if let Some(rate) = rate {
        report.aim("bookings per second at 16 connections", rate, Aim::AtLeast(4_000.0));
    }
}
