//! `daybook projections`

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use daybook_projections::{Phase, Projection, Rebuilt, State, Status, verify};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::cli::{ProjectionsCommand, Which};
use crate::database::Database;
use crate::parts::Parts;
use crate::progress::ProgressLine;
use crate::{leftovers, output, parts};

/// How often the progress of a rebuild is shown.
const LOOK: Duration = Duration::from_millis(200);

pub(crate) async fn run(database: &Database, command: ProjectionsCommand) -> anyhow::Result<()> {
    let parts = parts::connected(database).await?;
    parts::prepare(&parts).await?;
    match command {
        ProjectionsCommand::List => list(&parts).await,
        ProjectionsCommand::Rebuild { which } => rebuild(&parts, &which).await,
        ProjectionsCommand::Verify { which } => verify_all(&parts, &which).await,
        ProjectionsCommand::Cancel { name } => cancel(&parts, &name).await,
        ProjectionsCommand::Prune { dry_run } => prune(&parts, dry_run).await,
    }
}

fn chosen(parts: &Parts, name: Option<&str>) -> anyhow::Result<Vec<Arc<dyn Projection>>> {
    let all = parts.projections();
    let names: Vec<&str> = all.iter().map(|projection| projection.id().name).collect();
    if let Some(name) = name {
        ensure!(names.contains(&name), "there is no projection {name:?}; there are {names:?}");
    }
    let mut all = all;
    all.retain(|projection| name.is_none_or(|name| projection.id().name == name));
    Ok(all)
}

async fn list(parts: &Parts) -> anyhow::Result<()> {
    for status in parts.progress().status().await? {
        output::line(&described(&status))?;
    }
    for leftover in leftovers::all(parts).await? {
        output::line(&format!("{}: left over; {}", leftover.schema(), leftovers::ADVICE))?;
    }
    Ok(())
}

fn described(status: &Status) -> String {
    let Status { projection, state, events_behind, tenants_stalled, .. } = status;
    let mut said = vec![format!("{projection}: {}", state.as_str())];
    if *state == State::Ready {
        said.push(format!("{events_behind} events behind"));
    }
    if *tenants_stalled > 0 {
        said.push(format!(
            "stalled for {tenants_stalled} tenants at an event that it cannot apply"
        ));
    }
    if let Some(rebuild) = &status.rebuild {
        let phase = rebuild.phase.map_or("waiting", Phase::as_str);
        let (done, total) = (rebuild.events_done, rebuild.events_total);
        said.push(format!("rebuilding: {phase}, {done} of {total} events"));
        said.extend(rebuild.failure.iter().map(|failure| format!("failed: {failure}")));
    }
    said.join(", ")
}

async fn rebuild(parts: &Parts, which: &Which) -> anyhow::Result<()> {
    for projection in chosen(parts, which.name.as_deref())? {
        let (id, begun) = (projection.id(), Instant::now());
        parts.progress().rebuild(id, parts.clock.now()).await?;
        let progress = ProgressLine::new(&id.to_string());
        tokio::select! {
            rebuilt = until_rebuilt(parts, &projection) => rebuilt?,
            looked = keep_showing(parts, &projection, &progress) => looked?,
        }
        progress.done();
        output::line(&format!("{id}: rebuilt in {:.1} s", begun.elapsed().as_secs_f64()))?;
    }
    Ok(())
}

async fn until_rebuilt(parts: &Parts, projection: &Arc<dyn Projection>) -> anyhow::Result<()> {
    let (rebuilder, never) = (parts.rebuilder(), CancellationToken::new());
    while rebuilder.rebuild(projection, &never).await? == Rebuilt::ByAnother {
        sleep(LOOK).await;
    }
    Ok(())
}

/// Until it is cancelled, or cannot look any more.
async fn keep_showing(
    parts: &Parts,
    projection: &Arc<dyn Projection>,
    progress: &ProgressLine,
) -> anyhow::Result<()> {
    loop {
        sleep(LOOK).await;
        let statuses = parts.progress().builds().await?;
        let status = statuses.into_iter().find(|status| status.projection == projection.id());
        if let Some(rebuild) = status.and_then(|status| status.rebuild) {
            progress.doing(rebuild.phase.map_or("", Phase::as_str));
            progress.show(rebuild.events_done, rebuild.events_total);
        }
    }
}

async fn verify_all(parts: &Parts, which: &Which) -> anyhow::Result<()> {
    let (rebuilder, never) = (parts.rebuilder(), CancellationToken::new());
    let mut different = Vec::new();
    for projection in chosen(parts, which.name.as_deref())? {
        let (id, begun) = (projection.id(), Instant::now());
        let verified = verify(&rebuilder, &projection, &never).await;
        let verified = verified.with_context(|| format!("{id} cannot be compared"))?;
        let (rows, tenants) = (verified.rows, verified.tenants);
        if let Some(out_of_step) = &verified.out_of_step {
            output::line(&format!("{id}: NOT up to date: {out_of_step}"))?;
        }
        if let Some(difference) = &verified.difference {
            output::line(&format!("{id}: NOT what the log says: {difference}"))?;
        }
        if verified.difference.is_some() || verified.out_of_step.is_some() {
            different.push(id.to_string());
        } else {
            let took = begun.elapsed().as_secs_f64();
            output::line(&format!(
                "{id}: {rows} rows of {tenants} tenants are what the log says ({took:.1} s)"
            ))?;
        }
    }
    ensure!(different.is_empty(), "not what the log says: {}", different.join(", "));
    Ok(())
}

async fn cancel(parts: &Parts, name: &str) -> anyhow::Result<()> {
    for projection in chosen(parts, Some(name))? {
        let id = projection.id();
        if !parts.progress().cancel(id, parts.clock.now()).await? {
            bail!("{id} is not being rebuilt");
        }
        // If nobody is at it, whatever there is of it is cleared away here.
        let _ = parts.rebuilder().rebuild(&projection, &CancellationToken::new()).await;
        output::line(&format!("{id}: cancelled"))?;
    }
    Ok(())
}

async fn prune(parts: &Parts, dry_run: bool) -> anyhow::Result<()> {
    for leftover in leftovers::all(parts).await? {
        let schema = leftover.schema();
        if dry_run {
            output::line(&format!("{schema}: would be dropped"))?;
        } else if leftover.drop(parts).await? {
            output::line(&format!("{schema}: dropped"))?;
        } else {
            output::line(&format!("{schema}: in use again"))?;
        }
    }
    Ok(())
}
