//! What nobody records when it happens, looked at now and then.

use std::time::Duration;

use daybook_projections::{Heard, Progress, State};
use daybook_store::metrics::{
    DATABASE_UP, PROGRAMS_ALIVE, PROJECTION_BUILD_EVENTS, PROJECTION_BUILD_EVENTS_DONE,
    PROJECTION_READY,
};
use daybook_store::{Log, Repeated, Role};
use metrics::gauge;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::pools;

/// How often what is in memory is looked at.
const INTERVAL: Duration = Duration::from_secs(1);

/// How often the database is asked how far the projections are made, and for how long.
const BUILDS_INTERVAL: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(2);

/// Programs send a heartbeat each second: whoever has heard nothing for so long does not reach the database.
const SILENCE: Duration = Duration::from_millis(3_500);

/// Looks at the program's parts.
pub(crate) struct Sampler {
    pub(crate) log: Log,
    pub(crate) progress: Progress,
    pub(crate) heard: watch::Receiver<Heard>,
}

impl Sampler {
    /// Looks until cancelled.
    pub(crate) async fn run(self, cancel: CancellationToken) {
        let both = async { tokio::join!(self.sample_for_ever(), pools::sample(&self.log)) };
        let _ = cancel.run_until_cancelled(both).await;
    }

    async fn sample_for_ever(&self) {
        let builds = Repeated::new("see how far the projections are made");
        let mut builds_due = Instant::now();
        loop {
            let is_up = self.sample_programs();
            if is_up && Instant::now() >= builds_due {
                builds.note(&self.sample_builds().await);
                builds_due = Instant::now() + BUILDS_INTERVAL;
            }
            sleep(INTERVAL).await;
        }
    }

    /// Whether the database answers, and who else is there.
    fn sample_programs(&self) -> bool {
        let heard = self.heard.borrow();
        let is_up = heard.at.is_some_and(|at| at.elapsed() < SILENCE);
        gauge!(DATABASE_UP).set(u8::from(is_up));
        if is_up {
            for role in Role::ALL {
                let alive = heard.programs.iter().filter(|program| program.has(role)).count();
                let alive = u32::try_from(alive).unwrap_or(u32::MAX);
                gauge!(PROGRAMS_ALIVE, "role" => role.as_str()).set(alive);
            }
        }
        is_up
    }

    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
    async fn sample_builds(&self) -> anyhow::Result<()> {
        for status in timeout(TIMEOUT, self.progress.builds()).await?? {
            let labels = [
                ("projection", status.projection.name.to_owned()),
                ("version", status.projection.version.to_string()),
            ];
            let (done, all) =
                status.rebuild.map_or((0, 0), |build| (build.events_done, build.events_total));
            let is_ready = status.state == State::Ready;
            gauge!(PROJECTION_READY, &labels).set(u8::from(is_ready));
            gauge!(PROJECTION_BUILD_EVENTS_DONE, &labels).set(done as f64);
            gauge!(PROJECTION_BUILD_EVENTS, &labels).set(all as f64);
        }
        Ok(())
    }
}
