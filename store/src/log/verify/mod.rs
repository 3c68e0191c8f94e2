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
mod tenants;
#[cfg(test)]
mod tests;
mod walk;

use daybook_domain::TenantId;
use sqlx::{PgConnection, PgPool};
use tokio::sync::mpsc;
use tokio::task::JoinError;

pub use finding::{Finding, Problem};
pub use tenants::{Found, tenants_after};

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
    Verifier::new(pool.clone()).verify(tenant, progress).await
}

/// Verifies logs one after the other, over one connection for as long as they are whole.
#[derive(Debug)]
pub struct Verifier {
    pool: PgPool,
    connection: Option<PgConnection>,
}

impl Verifier {
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self { pool, connection: None }
    }

    /// See [`verify`].
    ///
    /// # Errors
    /// When the database fails.
    pub async fn verify(
        &mut self,
        tenant: &TenantId,
        progress: impl Fn(Progress),
    ) -> Result<Verification, sqlx::Error> {
        // Not given back to the pool: what is not read to its end would have to be read by the next.
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.pool.acquire().await?.detach(),
        };
        let (verification, connection) = verify_over(connection, tenant, progress).await?;
        self.connection = connection;
        Ok(verification)
    }
}

/// What was verified, and the connection if it can be used again.
async fn verify_over(
    connection: PgConnection,
    tenant: &TenantId,
    progress: impl Fn(Progress),
) -> Result<(Verification, Option<PgConnection>), sqlx::Error> {
    let (sender, mut batches) = mpsc::channel::<Batch>(WAITING);
    let reading = tokio::spawn(events::read(connection, tenant.clone(), sender));
    let mut walk = Walk::default();
    let mut verification = Verification::default();
    while let Some(Batch { decoded, head }) = batches.recv().await {
        let DecodedBatch { events, broken } = decoded.await.map_err(died)??;
        for event in events {
            if let Err(finding) = walk.step(event) {
                return Ok((Verification { finding: Some(finding), ..verification }, None));
            }
            verification.events += 1;
        }
        if broken.is_some() {
            return Ok((Verification { finding: broken, ..verification }, None));
        }
        verification.streams = walk.streams();
        progress(Progress { at: Position::START.plus(verification.events), head });
    }
    match reading.await.map_err(died)?? {
        Read::Whole(head, mut connection) => {
            compare(&mut connection, tenant, &walk, &head, &mut verification).await?;
            // Whoever finds something stops there, and leaves the rest unread.
            if verification.finding.is_none() {
                sqlx::query("COMMIT").execute(&mut connection).await?;
                return Ok((verification, Some(connection)));
            }
        }
        Read::Broken(finding) => verification.finding = Some(finding),
        Read::Abandoned => {}
    }
    Ok((verification, None))
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
