//! `daybook holidays import`: closes resources on the holidays of an iCalendar file.
//!
//! Each resource gets an ordinary command. What it observes already is known by its id, which is made
//! from the file's own UIDs, so importing again changes nothing, and a file in which a holiday has
//! moved moves it.

use std::time::Duration;

use anyhow::{Context, bail};
use chrono::Datelike;
use daybook_domain::TenantId;
use daybook_domain::resource::{Resource, ResourceCommand};
use daybook_domain::time::Holidays;
use daybook_integrations::calendar::{HolidayCalendar, read_holidays};
use daybook_projections::Limit;
use daybook_projections::catalogue::{Catalogue, CatalogueFilter, CatalogueStatus};
use daybook_store::{Clock, CommandContext, ExecuteError, SystemClock, Target, tenants};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::cli::ImportHolidays;
use crate::database::Database;
use crate::output;
use crate::parts::{self, Parts};

/// The years after this one in which a holiday that recurs is observed.
const YEARS_AHEAD: i32 = 5;

/// How long the list of resources may take to be up to date.
const PATIENCE: Duration = Duration::from_mins(5);

/// Reads the file. One that is not a whole calendar is an error, before anything is changed.
pub(crate) fn read(options: &ImportHolidays) -> anyhow::Result<HolidayCalendar> {
    let name = options.file.display();
    let bytes = std::fs::read(&options.file).with_context(|| format!("cannot read {name}"))?;
    let year = SystemClock.now().year();
    let calendar = read_holidays(&bytes, &(year..=year + YEARS_AHEAD));
    calendar.with_context(|| format!("{name} is not imported"))
}

/// Gives the resources the holidays, and says what became of them.
pub(crate) async fn run(
    database: &Database,
    options: &ImportHolidays,
    calendar: HolidayCalendar,
) -> anyhow::Result<()> {
    let parts = parts::connected(database).await?;
    parts::prepare(&parts).await?;
    let tenant = &options.tenant;
    if tenants::read(parts.log().pool(), tenant).await?.is_none() {
        bail!("there is no tenant {tenant}");
    }
    let HolidayCalendar { holidays, refused } = calendar;
    for refusal in &refused {
        output::line(&format!("refused: {refusal}"))?;
    }
    let resources =
        if options.all { active(&parts, tenant).await? } else { options.resource.clone() };
    let (mut changed, mut unchanged, mut failed) = (0, 0, 0);
    for id in resources {
        match observe(&parts, tenant, id, &holidays).await? {
            Outcome::Changed => changed += 1,
            Outcome::Unchanged => unchanged += 1,
            Outcome::Failed(why) => {
                failed += 1;
                output::line(&format!("failed: resource {id}: {why}"))?;
            }
        }
    }
    output::line(&format!(
        "holidays {}, refused {}; resources changed {changed}, unchanged {unchanged}, \
         failed {failed}",
        holidays.len(),
        refused.len()
    ))?;
    if failed > 0 {
        bail!("{failed} resources do not observe the holidays");
    }
    Ok(())
}

enum Outcome {
    Changed,
    Unchanged,
    Failed(String),
}

async fn observe(
    parts: &Parts,
    tenant: &TenantId,
    id: Uuid,
    holidays: &Holidays,
) -> anyhow::Result<Outcome> {
    let there = parts.engine.load::<Resource>(tenant, id).await?;
    if let Some((Resource::Active(profile), _)) = there {
        let observed = &profile.opening_hours.holidays;
        if observed.with(holidays).is_ok_and(|all| all == *observed) {
            return Ok(Outcome::Unchanged);
        }
    }
    let context = CommandContext::new(tenant.clone(), "daybook:holidays");
    let command = ResourceCommand::AddResourceHolidays(holidays.clone());
    match parts.engine.execute::<Resource>(&context, Target::Existing(id), command).await {
        Ok(_) => Ok(Outcome::Changed),
        Err(ExecuteError::Refused(refusal)) => Ok(Outcome::Failed(refusal.to_string())),
        Err(error) => Err(error.into()),
    }
}

/// Every resource that takes bookings, as of now: the list is brought up to date first, since no
/// server may be running.
async fn active(parts: &Parts, tenant: &TenantId) -> anyhow::Result<Vec<Uuid>> {
    let runner = parts.runner();
    let progress = runner.progress();
    let cancel = CancellationToken::new();
    let running = tokio::spawn(runner.run(cancel.clone()));
    let head = parts.log().head(tenant).await?.unwrap_or_default();
    let deadline = Instant::now() + PATIENCE;
    let waited = progress.wait_until(tenant, Catalogue::ID, head, deadline).await;
    cancel.cancel();
    running.await?;
    waited.context("the list of resources is not up to date")?;
    let catalogue = parts.catalogue();
    let (mut ids, mut cursor) = (Vec::new(), None);
    loop {
        let active =
            CatalogueFilter { status: Some(CatalogueStatus::Active), ..CatalogueFilter::default() };
        let asked = (cursor.as_ref(), Limit::default());
        let page = catalogue.page::<Resource>(tenant, &active, asked).await?;
        ids.extend(page.items.iter().map(|resource| resource.id.uuid()));
        cursor = page.next;
        if cursor.is_none() {
            return Ok(ids);
        }
    }
}
