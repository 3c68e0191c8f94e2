//! `daybook verify`: is every log whole, and does all that is kept beside it agree with it?

use std::time::{Duration, Instant};

use daybook_domain::TenantId;
use daybook_store::log::verify::{self, Found, Progress, Verification, Verifier};
use daybook_store::{departures, tenants};
use sqlx::PgPool;

use crate::cli::Verify;
use crate::database::Database;
use crate::progress::ProgressLine;
use crate::{output, parts};

/// Verifies one tenant's log, or all of them. An error: one of them is not whole.
pub(crate) async fn run(database: &Database, options: &Verify) -> anyhow::Result<()> {
    // It changes nothing: tables that are missing are not made.
    let parts = parts::connected(database).await?;
    let pool = parts.log().pool();
    let mut done = Done::new(pool);
    if let Some(tenant) = &options.tenant {
        let there = parts.log().head(tenant).await?.is_some()
            || tenants::read(pool, tenant).await?.is_some();
        anyhow::ensure!(there, "there is no tenant {tenant}");
        let leaving = departures::is_leaving(pool, tenant).await?;
        anyhow::ensure!(!leaving, "{}", being_deleted(tenant));
        done.verify(tenant).await?;
    } else {
        let mut after = None;
        loop {
            // Never all of them in memory.
            let found = verify::tenants_after(pool, after.as_ref()).await?;
            let Some(last) = found.last() else { break };
            after = Some(last.tenant.clone());
            for Found { tenant, untouched, leaving } in &found {
                if *leaving {
                    output::line(&being_deleted(tenant))?;
                } else if *untouched {
                    done.untouched += 1;
                } else {
                    done.verify(tenant).await?;
                }
            }
            done.say_how_far()?;
        }
    }
    done.sum_up()
}

/// Of a tenant whose deletion was stopped in the middle.
fn being_deleted(tenant: &TenantId) -> String {
    format!(
        "{tenant} is being deleted, and not verified: `daybook tenant delete {tenant}` goes on with that"
    )
}

/// How often it is said how many logs were verified, where there are many.
const BETWEEN_LINES: Duration = Duration::from_secs(5);

/// What was verified up to now.
struct Done {
    verifier: Verifier,
    begun: Instant,
    said: Instant,
    events: u64,
    logs: u64,
    /// Logs in which nothing is.
    untouched: u64,
    broken: u64,
}

impl Done {
    fn new(pool: &PgPool) -> Self {
        let (verifier, begun) = (Verifier::new(pool.clone()), Instant::now());
        Self { verifier, begun, said: begun, events: 0, logs: 0, untouched: 0, broken: 0 }
    }

    async fn verify(&mut self, tenant: &TenantId) -> anyhow::Result<()> {
        let progress = ProgressLine::new(tenant.as_str());
        let show = |Progress { at, head }: Progress| progress.show(at.get(), head.get());
        let verification = self.verifier.verify(tenant, show).await;
        progress.done();
        let verification = verification?;
        report(tenant, &verification)?;
        self.events += verification.events;
        self.logs += 1;
        self.broken += u64::from(verification.finding.is_some());
        Ok(())
    }

    fn say_how_far(&mut self) -> anyhow::Result<()> {
        if self.said.elapsed() < BETWEEN_LINES {
            return Ok(());
        }
        self.said = Instant::now();
        let Self { logs, untouched, broken, .. } = self;
        output::line(&format!("{} logs up to now, not whole: {broken}", *logs + *untouched))
    }

    fn sum_up(self) -> anyhow::Result<()> {
        let Self { begun, events, logs, untouched, broken, .. } = self;
        let (took, logs) = (begun.elapsed(), logs + untouched);
        output::line(&format!(
            "logs: {logs}, not whole: {broken}; {events} events in {:.1} s, {} events/s; logs without events: \
             {untouched}",
            took.as_secs_f64(),
            per_second(events, took),
        ))?;
        anyhow::ensure!(broken == 0, "of {logs} logs, {broken} are not whole");
        Ok(())
    }
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
