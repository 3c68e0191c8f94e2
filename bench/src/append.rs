//! `append`: the command path without HTTP, beside pgbench and postgres-es.

use std::sync::Arc;

use crate::catalogue::Size;
use crate::cli::{Options, Timing};
use crate::cluster::{Database, Server};
use crate::daybook::{Books, Daybook};
use crate::load::{self, Window};
use crate::report::{Aim, Report};
use crate::rivals::pgbench::{AFTER, BEFORE, Pgbench};
use crate::rivals::postgres_es;

const CASE: &str = "append";

const IN_FLIGHT: [usize; 5] = [1, 16, 64, 256, 1_024];

pub(crate) async fn run(
    server: &Server,
    options: &Options,
    appointments: u64,
) -> anyhow::Result<Report> {
    let timing = options.timing(10);
    let size = Size { noted: options.notes, ..Size::new(options.smoke, appointments) };
    let mut report = Report::default();
    let template = Daybook::template(server, size).await?;
    let pgbench = Pgbench::prepare(server, options, timing).await?;
    if let Some(pgbench) = &pgbench {
        pgbench.before(&mut report).await?;
    }
    postgres_es::measure(server, options, timing, &mut report).await?;
    for in_flight in options.in_flight(&IN_FLIGHT) {
        cell(server, &template, size, timing, in_flight, &mut report).await?;
    }
    if let Some(pgbench) = &pgbench {
        pgbench.after(&mut report).await?;
        aims(&mut report);
    }
    Ok(report)
}

async fn cell(
    server: &Server,
    template: &Database,
    size: Size,
    timing: Timing,
    in_flight: usize,
    report: &mut Report,
) -> anyhow::Result<()> {
    let database = server.copy(template).await?;
    let daybook = Arc::new(Daybook::open(&database, size)?);
    daybook.get_to_know_all().await?;
    let workers = Books::many(&daybook, CASE, in_flight);
    let samples = load::run(Window::from_now(timing), workers).await?;
    report.add(CASE, in_flight, samples.of(CASE)?);
    drop(daybook);
    server.drop(database).await
}

fn aims(report: &mut Report) {
    let ratio_at = |wanted: fn(usize) -> bool| {
        let rows = report.rows(CASE).filter(|row| wanted(row.in_flight));
        rows.filter_map(|row| row.ratio_to_pgbench_best).reduce(f64::max)
    };
    let p99_at_64 = |case| {
        let rows = report.rows(case).filter(|row| row.in_flight == 64);
        rows.map(|row| row.p99_ms).reduce(f64::min)
    };
    let (large, small) = (ratio_at(|n| n >= 256), ratio_at(|n| n == 16));
    let theirs = [BEFORE, AFTER].into_iter().filter_map(p99_at_64).reduce(f64::min);
    let p99s = p99_at_64(CASE).zip(theirs);
    if let Some(large) = large {
        report.aim("x pgbench's best, at 256 in flight or more", large, Aim::AtLeast(3.0));
    }
    if let Some(small) = small {
        report.aim("x pgbench's best, at 16 in flight", small, Aim::AtLeast(1.0));
    }
    if let Some((ours, theirs)) = p99s {
        report.aim("x pgbench's p99 at 64, at 64 in flight", ours / theirs, Aim::Below(3.0));
    }
}
