//! `daybook verify`: is every log whole, and does all that is kept beside it agree with it?

use std::cell::Cell;
use std::time::{Duration, Instant};

use daybook_domain::TenantId;
use daybook_store::log::verify::{self, Progress, Verification};
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::Verify;
use crate::database::Database;
use crate::{output, parts};

/// How often it is said how far it has come, where there is no terminal for a bar.
const BETWEEN_LINES: Duration = Duration::from_secs(5);

/// Verifies one tenant's log, or all of them. An error: one of them is not whole.
pub(crate) async fn run(database: &Database, options: &Verify) -> anyhow::Result<()> {
    // It changes nothing: tables that are missing are not made.
    let parts = parts::connect(database);
    let pool = parts.log().pool();
    let mut tenants = verify::tenants(pool).await?;
    if let Some(tenant) = &options.tenant {
        anyhow::ensure!(tenants.contains(tenant), "there is no tenant {tenant}");
        tenants = vec![tenant.clone()];
    }
    let begun = Instant::now();
    let (mut events, mut broken) = (0, 0);
    for tenant in &tenants {
        let shown = Shown::new(tenant);
        let verification = verify::verify(pool, tenant, |progress| shown.show(progress)).await;
        shown.done();
        let verification = verification?;
        report(tenant, &verification)?;
        events += verification.events;
        broken += usize::from(verification.finding.is_some());
    }
    let (took, logs) = (begun.elapsed(), tenants.len());
    output::line(&format!(
        "logs: {logs}, not whole: {broken}; {events} events in {:.1} s, {} events/s",
        took.as_secs_f64(),
        per_second(events, took),
    ))?;
    anyhow::ensure!(broken == 0, "of {logs} logs, {broken} are not whole");
    Ok(())
}

fn report(tenant: &TenantId, verification: &Verification) -> anyhow::Result<()> {
    let Verification { events, streams, claims, lapsed_claims, answers, checkpoints, finding } =
        verification;
    output::line(&format!(
        "{tenant}: {events} events (positions, hashes, times, content) in {streams} streams"
    ))?;
    if let Some(finding) = finding {
        return output::line(&format!("{tenant}: NOT WHOLE, {finding}"));
    }
    output::line(&format!(
        "{tenant}: {claims} claims are what the log says (beside {lapsed_claims} of lapsed holds), \
         {answers} idempotency keys and {checkpoints} checkpoints agree with it"
    ))?;
    output::line(&format!("{tenant}: whole"))
}

fn per_second(events: u64, took: Duration) -> u128 {
    u128::from(events) * 1_000_000 / took.as_micros().max(1)
}

/// How far it has come: a bar on a terminal, a line now and then elsewhere.
struct Shown {
    tenant: TenantId,
    bar: ProgressBar,
    said: Cell<Instant>,
}

impl Shown {
    fn new(tenant: &TenantId) -> Self {
        let style = ProgressStyle::with_template(
            "{prefix} {bar:40} {pos}/{len} events, {per_sec}, {eta} left",
        );
        let bar = ProgressBar::new(0).with_prefix(tenant.to_string());
        let bar = match style {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        };
        Self { tenant: tenant.clone(), bar, said: Cell::new(Instant::now()) }
    }

    fn show(&self, Progress { at, head }: Progress) {
        self.bar.set_length(head.get());
        self.bar.set_position(at.get());
        if self.bar.is_hidden() && self.said.get().elapsed() >= BETWEEN_LINES {
            self.said.set(Instant::now());
            // Whoever reads it may have gone away; the end is told all the same.
            let _ = output::line(&format!("{}: {at} of {head} events", self.tenant));
        }
    }

    fn done(&self) {
        self.bar.finish_and_clear();
    }
}
