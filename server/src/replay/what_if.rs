//! `daybook replay --what-if`: what would have become of the recorded commands by other rules.

use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use daybook_store::Position;
use daybook_store::what_if::{self, Policy, Refused, Report, Utilisation, WhatIf};
use indicatif::ProgressBar;
use tokio_util::sync::CancellationToken;

use crate::cli::Replay;
use crate::database::Database;
use crate::feed::{Selected, select};
use crate::{output, parts};

/// How often it is said how far it has come, where there is no terminal for a bar.
const BETWEEN_LINES: Duration = Duration::from_secs(5);

/// How many refusals are told in words; as JSON there are more.
const TOLD: usize = 20;

/// Asks, and says what the difference is; where it is told to stop, nothing is left behind.
pub(crate) async fn run(
    database: &Database,
    options: &Replay,
    file: &Path,
    told: CancellationToken,
) -> anyhow::Result<()> {
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let policy: Policy =
        toml::from_str(&text).with_context(|| format!("{} is no policy", file.display()))?;
    let parts = parts::connected(database).await?;
    let Selected { tenant, after, until, .. } =
        select(&parts.engine, &options.part, &[], false).await?;
    let asked = WhatIf { tenant, policy, after, until };
    let bar = ProgressBar::new(until.get());
    let (begun, said) = (Instant::now(), Cell::new(Instant::now()));
    let progress = |at: Position| {
        bar.set_position(at.get());
        if bar.is_hidden() && said.get().elapsed() >= BETWEEN_LINES {
            said.set(Instant::now());
            tracing::info!("{at} of {until} events");
        }
    };
    let report = what_if::run(parts.log(), &asked, progress, told.cancelled()).await;
    bar.finish_and_clear();
    let report = report?.context("stopped; nothing is left of it")?;
    let per_second = u128::from(report.events) * 1_000_000 / begun.elapsed().as_micros().max(1);
    tracing::info!("{} events in {:.1?}, {per_second} a second", report.events, begun.elapsed());
    if options.json {
        return output::line(&serde_json::to_string_pretty(&report)?);
    }
    tell(&report)
}

fn tell(report: &Report) -> anyhow::Result<()> {
    let Report { events, commands, bookings_refused, others_refused, in_vain, .. } = report;
    output::line(&format!("{commands} commands of {events} events by these rules:"))?;
    output::line(&format!("  bookings that would have been refused: {bookings_refused}"))?;
    output::line(&format!("  other commands that would have been refused: {others_refused}"))?;
    output::line(&format!("  commands about what would not have been booked: {in_vain}"))?;
    for (reason, count) in &report.reasons {
        output::line(&format!("  {reason}: {count}"))?;
    }
    for Refused { position, at, event_type, reason, detail, .. } in report.refused.iter().take(TOLD)
    {
        output::line(&format!("{position} {at} {event_type} {reason}: {detail}"))?;
    }
    let more = (bookings_refused + others_refused).saturating_sub(TOLD as u64);
    if more > 0 {
        output::line(&format!("and {more} more (--json tells the first {})", what_if::MAX_TOLD))?;
    }
    output::line("booked minutes, before and after:")?;
    for Utilisation { name, resource_id, minutes_before, minutes_after } in &report.utilisation {
        let change = minutes_after - minutes_before;
        output::line(&format!(
            "  {name} ({resource_id}): {minutes_before} -> {minutes_after} ({change:+})"
        ))?;
    }
    Ok(())
}
