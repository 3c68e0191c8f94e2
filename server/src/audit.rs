//! `daybook audit`: is the audit log whole?

use daybook_domain::TenantId;
use daybook_store::audit::{self, AuditVerified};
use daybook_store::{hex, tenants};
use sqlx::PgPool;

use crate::cli::AuditCommand;
use crate::database::Database;
use crate::{output, parts};

/// How many tenants are read at a time.
const PAGE: u32 = 1_000;

/// An error: a chain is not whole.
pub(crate) async fn run(database: &Database, command: AuditCommand) -> anyhow::Result<()> {
    let AuditCommand::Verify { tenant } = command;
    // It changes nothing: tables that are missing are not made.
    let parts = parts::connected(database).await?;
    let pool = parts.log().pool();
    if let Some(tenant) = tenant {
        let is_there = tenants::read(pool, &tenant).await?.is_some();
        anyhow::ensure!(is_there, "there is no tenant {tenant}");
        let is_whole = verify(pool, Some(&tenant)).await?;
        anyhow::ensure!(is_whole, "the audit log of {tenant} is not whole");
        return Ok(());
    }
    let (mut logs, mut broken, mut last) = (1, u64::from(!verify(pool, None).await?), None);
    loop {
        let page = tenants::after(pool, last.as_ref(), PAGE).await?;
        for tenant in &page {
            logs += 1;
            broken += u64::from(!verify(pool, Some(tenant)).await?);
        }
        last = page.into_iter().next_back();
        if last.is_none() {
            break;
        }
    }
    output::line(&format!("audit logs: {logs}, not whole: {broken}"))?;
    anyhow::ensure!(broken == 0, "of {logs} audit logs, {broken} are not whole");
    Ok(())
}

/// `false`: it is not whole. The hash at its end is for whoever keeps it elsewhere, to find it again later.
async fn verify(pool: &PgPool, tenant: Option<&TenantId>) -> anyhow::Result<bool> {
    let whose = tenant.map_or("whoever runs daybook", TenantId::as_str);
    let AuditVerified { entries, first, last_hash, finding } = audit::verify(pool, tenant).await?;
    if let Some(finding) = finding {
        output::line(&format!("{whose}: NOT WHOLE, {finding}"))?;
        return Ok(false);
    }
    let from = first.filter(|first| *first > 1).map(|first| format!(" from {first} on"));
    let end = last_hash.map(|hash| format!(", the last is {}", hex(&hash)));
    let (from, end) = (from.unwrap_or_default(), end.unwrap_or_default());
    output::line(&format!("{whose}: whole, {entries} entries{from}{end}"))?;
    Ok(true)
}
