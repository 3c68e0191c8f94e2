//! Whether a log is what was written to it.

use daybook_domain::TenantId;

use crate::Position;
use crate::log::verify::{Finding, verify};
use crate::log::{Log, verify::Verification};

/// Where a whole log ends, or the first thing that is wrong with it.
pub(crate) async fn end_of_whole(log: &Log, tenant: &TenantId) -> Result<Position, Finding> {
    let Verification { events, finding, .. } = verify(log.pool(), tenant, |_| ()).await.unwrap();
    finding.map_or(Ok(Position::START.plus(events)), Err)
}
