//! `daybook tenant`

use anyhow::Context as _;
use chrono::SecondsFormat;
use chrono_tz::Tz;
use clap::Args;
use daybook_domain::notice::Notices;
use daybook_domain::service::{ClientEntryLimit, EntryLimit, HoldLimit};
use daybook_domain::time::OfferLength;
use daybook_domain::{
    ImportDays, LeastBookedDays, RetentionDays, TenantId, TenantSettings, Titles,
};
use daybook_store::departures;
use daybook_store::tenants::{self, NewSettings, Tenant};
use sqlx::PgPool;

use crate::cli::{TenantCommand, number};
use crate::database::Database;
use crate::parts::Parts;
use crate::{output, parts};

pub(crate) async fn run(database: &Database, command: TenantCommand) -> anyhow::Result<()> {
    let parts = parts::connected(database).await?;
    parts::prepare(&parts).await?;
    let pool = parts.log().pool();
    match command {
        TenantCommand::List => list(pool).await,
        TenantCommand::Create { tenant, time_zone, titles } => {
            let made = tenants::create(pool, &tenant, time_zone.name(), parts.clock.now()).await?;
            let is_gone = !made && tenants::read(pool, &tenant).await?.is_none();
            anyhow::ensure!(!is_gone, "{tenant} has been deleted, and its name is not given again");
            anyhow::ensure!(made, "there is a tenant {tenant} already");
            if titles != Titles::default() {
                let new = NewSettings { titles: Some(titles), ..NewSettings::default() };
                tenants::set(pool, &tenant, new).await?;
            }
            output::line(&format!("made tenant {tenant}, whose dates are read in {time_zone}"))
        }
        TenantCommand::Set { tenant, settings } => {
            let changed = tenants::set(pool, &tenant, settings.into()).await?;
            show(&tenant, changed)
        }
        TenantCommand::Show { tenant } => show(&tenant, tenants::read(pool, &tenant).await?),
        TenantCommand::Suspend { tenant } => {
            departures::suspend(pool, &tenant, parts.clock.now()).await?;
            output::line(&format!("suspended {tenant}: its keys are refused, its data stay"))
        }
        TenantCommand::Resume { tenant } => {
            departures::resume(pool, &tenant, parts.clock.now()).await?;
            output::line(&format!("resumed {tenant}"))
        }
        TenantCommand::Delete { tenant, yes } => delete(&parts, &tenant, &yes).await,
    }
}

async fn delete(parts: &Parts, tenant: &TenantId, yes: &TenantId) -> anyhow::Result<()> {
    anyhow::ensure!(
        yes == tenant,
        "it would be {tenant}, and --yes says {yes}: nothing is deleted"
    );
    // Whose rows analysts see is the owner's to change.
    let pool = parts.log().owners_pool();
    let ids: Vec<_> = parts.projections().iter().map(|projection| projection.id()).collect();
    let schemas = daybook_projections::all_schemas(pool, &ids).await?;
    let rows = departures::delete(pool, tenant, &schemas, parts.clock.now()).await?;
    output::line(&format!("deleted {tenant}: {rows} rows; backups made before have them still"))
}

/// How many are read at a time.
const PAGE: u32 = 1_000;

async fn list(pool: &PgPool) -> anyhow::Result<()> {
    let mut last = None;
    loop {
        let page = tenants::after(pool, last.as_ref(), PAGE).await?;
        let suspended = departures::suspended(pool, &page).await?;
        for tenant in &page {
            let since = suspended.get(tenant);
            let since = since.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true));
            let since = since.map(|at| format!("  suspended since {at}")).unwrap_or_default();
            output::line(&format!("{tenant}{since}"))?;
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
    for (name, chosen) in told(settings) {
        output::line(&format!("{}: {chosen}", name.replace('_', " ")))?;
    }
    Ok(())
}

macro_rules! settings {
    (
        numbers {$(
            $(#[$doc:meta])* $name:ident: $type:ident as $number:ty, $min:tt to $max:tt;
        )+}
        words {$(
            $(#[$word_doc:meta])* $word:ident: $words:ident;
        )+}
    ) => {
        #[derive(Args)]
        #[group(required = true, multiple = true)]
        pub(crate) struct SettingsOptions {
            $(
                $(#[$doc])*
                #[arg(long, value_parser = number::<$number, $type>)]
                $name: Option<$type>,
            )+
            $(
                $(#[$word_doc])*
                #[arg(long)]
                $word: Option<$words>,
            )+
            /// The IANA zone in which its dates are read.
            #[arg(long)]
            time_zone: Option<Tz>,
        }

        impl From<SettingsOptions> for NewSettings {
            fn from(SettingsOptions { $($name,)+ $($word,)+ time_zone }: SettingsOptions) -> Self {
                Self { $($name,)+ $($word,)+ time_zone }
            }
        }

        fn told(TenantSettings { $($name,)+ $($word),+ }: TenantSettings) -> Vec<(&'static str, String)> {
            vec![
                $((stringify!($name), <$number>::from($name).to_string()),)+
                $((stringify!($word), $word.to_string()),)+
            ]
        }
    };
}

daybook_domain::with_tenant_settings!(settings);
