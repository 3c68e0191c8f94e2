//! The part of a log that a subcommand is about.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use daybook_domain::TenantId;
use daybook_store::feed::{Feed, FeedFilter, Privacy};
use daybook_store::{Log, Position, tenants};

use crate::cli::Part;

/// A part of a log, from after one position up to another.
pub(crate) struct Selected {
    pub(crate) tenant: TenantId,
    pub(crate) feed: Feed,
    pub(crate) after: Position,
    pub(crate) until: Position,
}

/// Finds the part that is meant.
pub(crate) async fn select(
    log: &Log,
    part: &Part,
    types: &[String],
    personal: bool,
) -> anyhow::Result<Selected> {
    let mut filter = FeedFilter::default();
    for name in types {
        filter.add_type(name)?;
    }
    if personal {
        filter.privacy = Privacy::Told;
    }
    let tenant = tenant(log, part.tenant.as_ref()).await?;
    let (from, to) = moments(log, &tenant, part).await?;
    let feed = Feed::new(log, tenant.clone(), filter);
    let after = match from {
        Some(from) => feed.before(from).await?,
        None => Position::START,
    };
    let until = feed.until(to).await?.position;
    Ok(Selected { tenant, feed, after, until })
}

/// The tenant that is named, or else the only one.
async fn tenant(log: &Log, named: Option<&TenantId>) -> anyhow::Result<TenantId> {
    let mut tenants: Vec<TenantId> =
        log.heads().await?.into_iter().map(|(tenant, _)| tenant).collect();
    if let Some(named) = named {
        anyhow::ensure!(tenants.contains(named), "there is no tenant {named}");
        return Ok(named.clone());
    }
    anyhow::ensure!(tenants.len() < 2, "there are {} tenants: name one", tenants.len());
    tenants.pop().ok_or_else(|| anyhow::anyhow!("there is no tenant"))
}

type Bound = Option<DateTime<Utc>>;

async fn moments(log: &Log, tenant: &TenantId, part: &Part) -> anyhow::Result<(Bound, Bound)> {
    let own = tenants::time_zone(log.pool(), tenant).await?;
    let own = own.and_then(|name| name.parse().ok());
    let zone = part.time_zone.or(own).unwrap_or(Tz::UTC);
    let from = part.from.map(|boundary| boundary.from(zone));
    let to = part.to.map(|boundary| boundary.to(zone));
    if let (Some(from), Some(to)) = (from, to) {
        anyhow::ensure!(from <= to, "--to is before --from");
    }
    Ok((from, to))
}
