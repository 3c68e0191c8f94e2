//! What this program measures of itself, kept in memory for `/metrics`: no answer waits for the database.

mod pools;
mod process;
mod sampler;

use std::time::Duration;

use daybook_store::metrics::{ALL, BUILD_INFO, Kind, begin, describe};
use metrics::gauge;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
pub(crate) use sampler::Sampler;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How often what was recorded is added up: a histogram keeps each value until then.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Starts to record what `/metrics` shows, whether anybody asks for it or not.
pub(crate) fn record() -> anyhow::Result<PrometheusHandle> {
    let mut builder = PrometheusBuilder::new();
    for metric in ALL {
        if let Kind::Histogram(bounds) = metric.kind {
            let name = Matcher::Full(metric.name.to_owned());
            builder = builder.set_buckets_for_metric(name, bounds)?;
        }
    }
    let handle = builder.install_recorder()?;
    describe();
    begin();
    gauge!(BUILD_INFO, "version" => env!("CARGO_PKG_VERSION")).set(1);
    process::began();
    Ok(handle)
}

/// Looks at the process, and adds up what was recorded, until cancelled.
pub(crate) async fn keep_up(recorded: PrometheusHandle, cancel: CancellationToken) {
    let keeps_up = async {
        loop {
            process::measure();
            recorded.run_upkeep();
            sleep(UPKEEP_INTERVAL).await;
        }
    };
    let _: Option<()> = cancel.run_until_cancelled(keeps_up).await;
}
