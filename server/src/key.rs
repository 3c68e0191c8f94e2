//! `daybook key`

use anyhow::ensure;
use chrono::SecondsFormat;
use chrono_tz::Tz;
use daybook_domain::TenantId;
use daybook_store::keys::{self, KeyHolders, Scope};
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
        KeyCommand::Create { tenant, scope } => create(&parts, &tenant, &scope).await,
        KeyCommand::List { tenant } => list(parts.log().pool(), &tenant).await,
        KeyCommand::Revoke { tenant, key } => revoke(parts.log().pool(), &tenant, key).await,
    }
}

/// Makes a key and prints it, alone.
async fn create(parts: &Parts, tenant: &TenantId, scopes: &[Scope]) -> anyhow::Result<()> {
    let (pool, now) = (parts.log().pool(), parts.clock.now());
    tenants::create(pool, tenant, Tz::UTC.name(), now).await?;
    let scope = scopes.iter().copied().max().unwrap_or(Scope::Read);
    output::line(&keys::create(pool, tenant, scope, now).await?)
}

async fn list(pool: &PgPool, tenant: &TenantId) -> anyhow::Result<()> {
    for key in keys::list(pool, tenant).await? {
        let made = key.created_at.to_rfc3339_opts(SecondsFormat::Secs, true);
        output::line(&format!("{}  {:<6}  made {made}", key.holder.key_id, key.holder.scope))?;
    }
    Ok(())
}

async fn revoke(pool: &PgPool, tenant: &TenantId, key: Uuid) -> anyhow::Result<()> {
    let revoked = keys::revoke(pool, tenant, key).await?;
    ensure!(revoked, "{tenant} has no key {key}: `daybook key list --tenant {tenant}` shows all");
    let seconds = KeyHolders::KEPT.as_secs();
    output::line(&format!(
        "revoked {key}; programs that run take it for at most {seconds} s longer"
    ))
}
