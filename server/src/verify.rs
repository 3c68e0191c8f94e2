//! `daybook verify`: is every log whole, and does all that is kept beside it agree with it?

use std::time::{Duration, Instant};

use daybook_domain::TenantId;
use daybook_store::log::verify::{self, Progress, Verification};

use crate::cli::Verify;
use crate::database::Database;
use crate::progress::ProgressLine;
use crate::{output, parts};

/// Verifies one tenant's log, or all of them. An error: one of them is not whole.
pub(crate) async fn run(database: &Database, options: &Verify) -> anyhow::Result<()> {
    // It changes nothing: tables that are missing are not made.
    let parts = parts::connected(database).await?;
    let pool = parts.log().pool();
    let mut tenants = verify::tenants(pool).await?;
    if let Some(tenant) = &options.tenant {
        anyhow::ensure!(tenants.contains(tenant), "there is no tenant {tenant}");
        tenants = vec![tenant.clone()];
    }
    let begun = Instant::now();
    let (mut events, mut broken) = (0, 0);
    for tenant in &tenants {
        let progress = ProgressLine::new(tenant.as_str());
        let show = |Progress { at, head }: Progress| progress.show(at.get(), head.get());
        let verification = verify::verify(pool, tenant, show).await;
        progress.done();
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
