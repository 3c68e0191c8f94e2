//! Is a log whole, and does everything that is kept beside it agree with it?
//!
//! The work is shared: one task reads the events, others follow the hash chain and decode each
//! event ([`events`]), a batch each, and one follows the streams and the claims ([`walk`]). What is
//! compared at the end is read in the snapshot that the end itself was read in, so it is exact however
//! much is appended meanwhile.

mod answers;
mod chain;
mod checkpoints;
mod claims;
mod decoded;
mod events;
mod finding;
mod strings;
#[cfg(test)]
mod tests;
mod walk;

use daybook_domain::TenantId;
use sqlx::{Connection, PgConnection, PgPool};
use tokio::sync::mpsc;
use tokio::task::JoinError;

pub use finding::{Finding, Problem};

use super::Position;
use super::head::Head;
use events::{Batch, DecodedBatch, Read};
use walk::Walk;

/// Batches of events that may wait to be decoded and followed: who follows the streams stands still
/// while what it keeps grows, and the others go on.
const WAITING: usize = 64;

/// How far verification has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The last position that was looked at.
    pub at: Position,
    /// The end of the log, when it was last looked at.
    pub head: Position,
}

/// What was verified, and the first thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verification {
    /// Events, each in its place, unaltered, readable, and possible after those before it.
    pub events: u64,
    /// Streams, numbered without a gap.
    pub streams: u64,
    /// Claims that are in the table as the log says.
    pub claims: u64,
    /// Claims of lapsed holds that are still in the table: they are in nobody's way.
    pub lapsed_claims: u64,
    /// Idempotency keys that answer with a version that is there.
    pub answers: u64,
    /// Checkpoints that are not beyond the end of the log.
    pub checkpoints: u64,
    /// The first thing that is wrong. What comes after it was not looked at.
    pub finding: Option<Finding>,
}

/// Every tenant that has a log, or should have one: a look at the whole house.
///
/// # Errors
/// When the database fails.
pub async fn tenants(pool: &PgPool) -> Result<Vec<TenantId>, sqlx::Error> {
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT tenant_id FROM tenants UNION SELECT tenant_id FROM log_heads ORDER BY tenant_id",
    )
    .fetch_all(pool)
    .await?;
    let tenant = |name: String| name.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)));
    names.into_iter().map(tenant).collect()
}

/// Verifies a tenant's log and what is kept beside it. Needs a Tokio runtime, and one connection of
/// the pool's.
///
/// # Errors
/// When the database fails.
pub async fn verify(
    pool: &PgPool,
    tenant: &TenantId,
    progress: impl Fn(Progress),
) -> Result<Verification, sqlx::Error> {
    // Not to be given back: what was not read to its end would have to be read by the next.
    let connection = pool.acquire().await?.detach();
    let (sender, mut batches) = mpsc::channel::<Batch>(WAITING);
    let reading = tokio::spawn(events::read(connection, tenant.clone(), sender));
    let mut walk = Walk::default();
    let mut verification = Verification::default();
    while let Some(Batch { decoded, head }) = batches.recv().await {
        let DecodedBatch { events, broken } = decoded.await.map_err(died)??;
        for event in events {
            if let Err(finding) = walk.step(event) {
                return Ok(Verification { finding: Some(finding), ..verification });
            }
            verification.events += 1;
        }
        if broken.is_some() {
            return Ok(Verification { finding: broken, ..verification });
        }
        verification.streams = walk.streams();
        progress(Progress { at: Position::START.plus(verification.events), head });
    }
    match reading.await.map_err(died)?? {
        Read::Whole(head, mut connection) => {
            compare(&mut connection, tenant, &walk, &head, &mut verification).await?;
            connection.close().await?;
        }
        Read::Broken(finding) => verification.finding = Some(finding),
        Read::Abandoned => {}
    }
    Ok(verification)
}

fn died(task: JoinError) -> sqlx::Error {
    sqlx::Error::Io(task.into())
}

/// Compares what is kept beside the log with it.
async fn compare(
    connection: &mut PgConnection,
    tenant: &TenantId,
    walk: &Walk,
    head: &Head,
    verification: &mut Verification,
) -> Result<(), sqlx::Error> {
    match claims::compare(connection, tenant, &walk.claims, head.recorded_at).await? {
        Ok(compared) => {
            (verification.claims, verification.lapsed_claims) = (compared.same, compared.lapsed);
        }
        Err(finding) => verification.finding = Some(finding),
    }
    if verification.finding.is_none() {
        match answers::compare(connection, tenant, &walk.fingerprints).await? {
            Ok(answers) => verification.answers = answers,
            Err(finding) => verification.finding = Some(finding),
        }
    }
    if verification.finding.is_none() {
        match checkpoints::compare(connection, tenant, head.position).await? {
            Ok(checkpoints) => verification.checkpoints = checkpoints,
            Err(finding) => verification.finding = Some(finding),
        }
    }
    Ok(())
}
