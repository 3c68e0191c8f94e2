//! `daybook seal`: a log in which something of before is in clear becomes one that is sealed.

use anyhow::Context as _;
use daybook_domain::TenantId;
use daybook_store::log::verify::verify;
use daybook_store::personal::SealedLog;
use daybook_store::{hex, tenants};

use crate::database::Database;
use crate::{master_key, output, parts};

/// What it cannot reach, and what to do about it.
const LEFT: &str = "what was in clear is still in dead rows (VACUUM FULL events), in write-ahead logs, replicas and backups until these are gone, in \
                    exports, and in read models: `daybook projections rebuild` makes catalogue, conflicts, sessions, appointments and utilisation anew; \
                    programs that run have it in memory until they are started again";

pub(crate) async fn run(database: &Database, tenant: &TenantId) -> anyhow::Result<()> {
    let parts = parts::connected(database).await?;
    parts::prepare(&parts).await?;
    let keyring = parts.engine.keyring().context(master_key::MISSING)?;
    let is_there = tenants::read(parts.log().pool(), tenant).await?.is_some();
    anyhow::ensure!(is_there, "there is no tenant {tenant}");
    whole(&parts, tenant, "the log").await?;
    let sealed = keyring.seal_log(tenant, |_| {}).await?;
    let SealedLog { events, members, references, answers, hash } = sealed;
    let hash = hex(&hash);
    output::line(&format!(
        "sealed {members} members that were in clear, in a log of {events} events"
    ))?;
    output::line(&format!(
        "proved: each event of positions 1 to {events}, opened, says what it said, and the chain over what is sealed is whole; its last hash is {hash}"
    ))?;
    output::line(&format!(
        "references that were claimed in clear and are claimed sealed: {references}; answers under idempotency keys in clear: {answers}"
    ))?;
    whole(&parts, tenant, "the sealed log").await?;
    output::line(&format!("left: {LEFT}"))?;
    output::line(&format!("`daybook tenant resume {tenant}` takes its keys again"))
}

async fn whole(parts: &parts::Parts, tenant: &TenantId, what: &str) -> anyhow::Result<()> {
    let verification = verify(parts.log().pool(), tenant, |_| {}).await?;
    match verification.finding {
        Some(finding) => anyhow::bail!("{what} of {tenant} is not whole: {finding}"),
        None => output::line(&format!("verified {what}: whole, {} events", verification.events)),
    }
}
