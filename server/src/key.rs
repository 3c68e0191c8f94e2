//! `daybook key`

use anyhow::{Context as _, bail};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use chrono_tz::Tz;
use daybook_domain::TenantId;
use daybook_domain::rights::Scopes;
use daybook_store::keys::{self, CreateKeyError, ListedKey, NewKey};
use daybook_store::tenants;
use sqlx::PgPool;
use uuid::Uuid;

use crate::cli::KeyCommand;
use crate::database::Database;
use crate::parts::Parts;
use crate::{output, parts};

pub(crate) async fn run(database: &Database, command: KeyCommand) -> anyhow::Result<()> {
    let parts = parts::connected(database).await?;
    parts::prepare(&parts).await?;
    match command {
        KeyCommand::Create { tenant, create_tenant, good_for, limits, name, expires_in_days } => {
            let limits = limits.limits()?;
            if let Some(role) = good_for.role() {
                role.fits(&limits)?;
            }
            if create_tenant {
                let (pool, now) = (parts.log().pool(), parts.clock.now());
                tenants::create(pool, &tenant, Tz::UTC.name(), now).await?;
            }
            let new = NewKey { name, scopes: good_for.scopes(), limits, ..NewKey::default() };
            create(&parts, &tenant, new, expires_in_days).await
        }
        KeyCommand::List { tenant } => list(parts.log().pool(), &tenant).await,
        KeyCommand::Revoke { tenant, key } => revoke(&parts, &tenant, key).await,
        KeyCommand::Rotate { tenant, key, overlap_hours, expires_in_days } => {
            let now = parts.clock.now();
            let ends = (TimeDelta::hours(overlap_hours.into()), end(now, expires_in_days));
            let pool = parts.log().pool();
            let rotated = keys::rotate(pool, &tenant, key, ends, Scopes::ALL, now).await?;
            output::line(&rotated.key)
        }
    }
}

/// Makes a key and prints it, alone.
async fn create(
    parts: &Parts,
    tenant: &TenantId,
    new: NewKey,
    expires_in_days: Option<u16>,
) -> anyhow::Result<()> {
    let (pool, now) = (parts.log().pool(), parts.clock.now());
    let new = NewKey { expires_at: end(now, expires_in_days), ..new };
    match keys::create(pool, tenant, new, now).await {
        Ok(created) => output::line(&created.key),
        Err(CreateKeyError::NoTenant) => bail!(
            "there is no tenant {tenant}: `daybook tenant list` shows all, and --create-tenant makes one"
        ),
        Err(error) => Err(error.into()),
    }
}

pub(crate) fn end(now: DateTime<Utc>, days: Option<u16>) -> Option<DateTime<Utc>> {
    days.map(|days| now + TimeDelta::days(days.into()))
}

async fn list(pool: &PgPool, tenant: &TenantId) -> anyhow::Result<()> {
    for key in keys::list(pool, tenant).await? {
        output::line(&told(&key))?;
    }
    Ok(())
}

/// A key in a line.
pub(crate) fn told(key: &ListedKey) -> String {
    let ListedKey { id, scopes, limits, created_at, .. } = key;
    // An operator's has none.
    let scopes = if scopes.is_empty() { String::new() } else { format!("  {scopes}") };
    let limits = if limits.are_none() { String::new() } else { format!("  only {limits}") };
    let at = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let others = [
        ("made", Some(*created_at)),
        ("expires", key.expires_at),
        ("used last", key.last_used_at),
        ("revoked", key.revoked_at),
    ];
    let others =
        others.iter().filter_map(|(what, when)| Some(format!("  {what} {}", at((*when)?))));
    let name = key.name.iter().map(|name| format!("  {name}"));
    format!("{id}{scopes}{limits}{}", others.chain(name).collect::<String>())
}

async fn revoke(parts: &Parts, tenant: &TenantId, key: Uuid) -> anyhow::Result<()> {
    let (pool, now) = (parts.log().pool(), parts.clock.now());
    let revoked = keys::revoke(pool, tenant, key, now).await?;
    revoked.with_context(|| {
        format!("{tenant} has no key {key}: `daybook key list --tenant {tenant}` shows all")
    })?;
    output::line(&format!("revoked {key}; programs that run are told, and end its streams"))
}
