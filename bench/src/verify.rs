//! `verify`: how fast a log is walked, beside what PostgreSQL needs to hand it over.

use std::time::Instant;

use anyhow::ensure;
use daybook_store::log::verify;
use futures::TryStreamExt as _;

use crate::catalogue::Size;
use crate::cli::Options;
use crate::cluster::{Database, Server};
use crate::daybook::Daybook;
use crate::report::{Aim, Report};
use crate::samples::Summary;

/// How often each is measured; the best counts.
const ROUNDS: usize = 3;

/// Events per second.
const AIM: f64 = 300_000.0;

pub(crate) async fn run(
    server: &Server,
    options: &Options,
    appointments: u64,
) -> anyhow::Result<Report> {
    let size = Size::new(options.smoke, if options.smoke { 2_000 } else { appointments });
    let database = Daybook::log_only(server, size).await?;
    database.settle().await?;
    let daybook = Daybook::open(&database, size)?;
    let mut report = Report::default();
    let mut best = 0.0_f64;
    for _ in 0..ROUNDS {
        let copied = copied(&daybook).await?;
        report.add("verify-copy", 1, Summary::of_rate(copied));
        let verified = verified(&daybook, &database).await?;
        report.add("verify", 1, Summary::of_rate(verified));
        best = best.max(verified);
    }
    daybook.close().await;
    report.aim("events verified per second", best, Aim::AtLeast(AIM));
    Ok(report)
}

async fn verified(daybook: &Daybook, database: &Database) -> anyhow::Result<f64> {
    let begun = Instant::now();
    let verified = verify::verify(daybook.log().pool(), &daybook.tenant, |_| {}).await?;
    ensure!(verified.finding.is_none(), "{}: {verified:?}", database.name());
    Ok(per_second(verified.events, begun))
}

/// The same rows in the same order, and nothing done with them.
async fn copied(daybook: &Daybook) -> anyhow::Result<f64> {
    let begun = Instant::now();
    let mut connection = daybook.log().pool().acquire().await?;
    let query = format!(
        "COPY (SELECT position, aggregate_type, aggregate_id, sequence, event_type, event_version,
                      payload, metadata, recorded_at, hash
                 FROM events WHERE tenant_id = '{}' ORDER BY position) TO STDOUT (FORMAT binary)",
        daybook.tenant
    );
    let mut rows = connection.copy_out_raw(&query).await?;
    let mut events = 0;
    while rows.try_next().await?.is_some() {
        events += 1;
    }
    Ok(per_second(events, begun))
}

#[expect(clippy::cast_precision_loss, reason = "a rate")]
fn per_second(events: u64, begun: Instant) -> f64 {
    events as f64 / begun.elapsed().as_secs_f64()
}
