//! `daybook tenant`

use anyhow::Context as _;
use daybook_domain::TenantId;
use daybook_store::tenants::{self, NewSettings, Tenant};
use sqlx::PgPool;

use crate::cli::{SettingsOptions, TenantCommand};
use crate::database::Database;
use crate::{output, parts};

pub(crate) async fn run(database: &Database, command: TenantCommand) -> anyhow::Result<()> {
    let parts = parts::connected(database).await?;
    parts::prepare(&parts).await?;
    let pool = parts.log().pool();
    match command {
        TenantCommand::List => list(pool).await,
        TenantCommand::Create { tenant, time_zone } => {
            let made = tenants::create(pool, &tenant, time_zone.name(), parts.clock.now()).await?;
            anyhow::ensure!(made, "there is a tenant {tenant} already");
            output::line(&format!("made tenant {tenant}, whose dates are read in {time_zone}"))
        }
        TenantCommand::Set { tenant, settings } => {
            let changed = tenants::set(pool, &tenant, settings.into()).await?;
            show(&tenant, changed)
        }
        TenantCommand::Show { tenant } => show(&tenant, tenants::read(pool, &tenant).await?),
    }
}

/// How many are read at a time.
const PAGE: u32 = 1_000;

async fn list(pool: &PgPool) -> anyhow::Result<()> {
    let mut last = None;
    loop {
        let page = tenants::after(pool, last.as_ref(), PAGE).await?;
        for tenant in &page {
            output::line(tenant.as_str())?;
        }
        last = page.into_iter().next_back();
        if last.is_none() {
            return Ok(());
        }
    }
}

fn show(tenant: &TenantId, found: Option<Tenant>) -> anyhow::Result<()> {
    let Tenant { time_zone, settings } =
        found.with_context(|| format!("there is no tenant {tenant}"))?;
    output::line(&format!("time zone: {}", time_zone.name()))?;
    output::line(&format!("holds per client: {}", settings.holds_per_client.get()))?;
    output::line(&format!("offer minutes: {}", settings.offer_minutes.minutes()))?;
    output::line(&format!("waiting per client: {}", settings.waiting_per_client.get()))?;
    output::line(&format!("waiting list: {}", settings.waiting_list.get()))?;
    output::line(&format!("import days: {}", settings.import_days.get()))?;
    output::line(&format!("least booked days: {}", settings.least_booked_days.get()))
}

impl From<SettingsOptions> for NewSettings {
    fn from(options: SettingsOptions) -> Self {
        let SettingsOptions {
            holds_per_client,
            offer_minutes,
            waiting_per_client,
            waiting_list,
            import_days,
            least_booked_days,
            time_zone,
        } = options;
        Self {
            holds_per_client,
            offer_minutes,
            waiting_per_client,
            waiting_list,
            import_days,
            least_booked_days,
            time_zone,
        }
    }
}
