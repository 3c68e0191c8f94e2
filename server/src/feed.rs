//! The part of a log that a subcommand is about.

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use daybook_domain::TenantId;
use daybook_store::audit::{self, AuditEntry, AuditKind};
use daybook_store::feed::{Feed, FeedFilter, Privacy};
use daybook_store::{Engine, Log, Position, tenants};

use crate::cli::Part;
use crate::master_key;

/// A part of a log, from after one position up to another.
pub(crate) struct Selected {
    pub(crate) tenant: TenantId,
    pub(crate) feed: Feed,
    pub(crate) after: Position,
    pub(crate) until: Position,
}

/// Finds the part that is meant.
pub(crate) async fn select(
    engine: &Engine,
    part: &Part,
    types: &[String],
    personal: bool,
) -> anyhow::Result<Selected> {
    let log = engine.log();
    let mut filter = FeedFilter::default();
    for name in types {
        filter.add_type(name)?;
    }
    if personal {
        let keyring = engine.keyring().context(master_key::MISSING)?;
        keyring.apply_ledger().await?;
        filter.privacy = Privacy::Told;
    }
    let tenant = tenant(log, part.tenant.as_ref()).await?;
    let (from, to) = moments(log, &tenant, part).await?;
    let feed = Feed::new(log, tenant.clone(), filter).opened_by(engine.keyring().cloned());
    let after = match from {
        Some(from) => feed.before(from).await?,
        None => Position::START,
    };
    let until = feed.until(to).await?.position;
    if personal {
        record(engine, &tenant).await?;
    }
    Ok(Selected { tenant, feed, after, until })
}

/// Tells the audit log that all that is personal in it is handed out, before it is.
async fn record(engine: &Engine, tenant: &TenantId) -> anyhow::Result<()> {
    let entry = audit::entry(engine.clock().now(), AuditKind::PersonalDataExported);
    let entry = AuditEntry { all_subjects: true, ..entry };
    let mut tx = engine.log().pool().begin().await?;
    audit::append(&mut tx, &[(Some(tenant.clone()), entry)]).await?;
    Ok(tx.commit().await?)
}

/// The tenant that is named, or else the only one.
async fn tenant(log: &Log, named: Option<&TenantId>) -> anyhow::Result<TenantId> {
    if let Some(named) = named {
        anyhow::ensure!(log.head(named).await?.is_some(), "there is no tenant {named}");
        return Ok(named.clone());
    }
    let tenants = tenants::after(log.pool(), None, 2).await?;
    match &*tenants {
        [] => anyhow::bail!("there is no tenant"),
        [only] => Ok(only.clone()),
        [..] => anyhow::bail!("there is more than one tenant: name one"),
    }
}

type Bound = Option<DateTime<Utc>>;

async fn moments(log: &Log, tenant: &TenantId, part: &Part) -> anyhow::Result<(Bound, Bound)> {
    let own = tenants::read(log.pool(), tenant).await?.map(|tenant| tenant.time_zone);
    let zone = part.time_zone.or(own).unwrap_or(Tz::UTC);
    let from = part.from.map(|boundary| boundary.from(zone));
    let to = part.to.map(|boundary| boundary.to(zone));
    if let (Some(from), Some(to)) = (from, to) {
        anyhow::ensure!(from <= to, "--to is before --from");
    }
    Ok((from, to))
}
