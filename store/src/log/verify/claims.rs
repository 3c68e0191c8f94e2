//! Claims are what the log says, no more and no less.
//!
//! A hold that lapsed may or may not have lost its claims, so it is left aside on both sides. It can
//! have lost them only to an event, at that event's instant or before it: whatever lapses after the
//! instant of the log's head must still be there.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use daybook_domain::appointment::Appointment;
use daybook_domain::claim::{Claim, ClaimIndex, reference};
use daybook_domain::{AppointmentId, TenantId};
use sqlx::PgConnection;

use super::chain::Stored;
use super::decoded::EventReader;
use super::finding::{Finding, Problem};
use crate::log::copy::{Fields, literal, rows};
use crate::log::{CLAIMING, Position, StreamId};

/// Of so many differences the first in the log is told; there may be more.
const MAX_DIFFERENCES: usize = 1_000;

/// What was compared.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Compared {
    /// Claims that are in the log and in the table.
    pub(super) same: u64,
    /// Rows of holds that have lapsed.
    pub(super) lapsed: u64,
}

/// Compares the claims at the end of the log with the table.
pub(super) async fn compare(
    connection: &mut PgConnection,
    tenant: &TenantId,
    log: &ClaimIndex,
    at: DateTime<Utc>,
) -> Result<Result<Compared, Finding>, sqlx::Error> {
    let mut compared = Compared::default();
    let mut different = false;
    let mut table = rows(connection, &query(tenant)).await?;
    while let Some(row) = table.next().await? {
        let (holder, claim) = claim(row)?;
        match claim {
            Some(claim) if claim.has_lapsed(at) => compared.lapsed += 1,
            Some(claim) if log.claims_of(holder).contains(&claim) => compared.same += 1,
            _ => different = true,
        }
    }
    drop(table);
    let standing = log.iter().flat_map(|(_, claims)| claims).filter(|claim| !claim.has_lapsed(at));
    if !different && standing.count() as u64 == compared.same {
        return Ok(Ok(compared));
    }
    let differences = differences(connection, tenant, log, at).await?;
    Ok(Err(first(connection, tenant, differences).await?))
}

fn query(tenant: &TenantId) -> String {
    format!(
        "SELECT appointment_id, resource_id, seat, during, expires_at
           FROM claims
          WHERE tenant_id = {}",
        literal(tenant)
    )
}

/// A row of [`query`]; `None`: it is not of the form that daybook gives it.
fn claim(mut row: Fields<'_>) -> Result<(AppointmentId, Option<Claim>), sqlx::Error> {
    let (holder, resource) = (row.uuid()?.into(), row.uuid()?.into());
    let seat = row.smallint()?.cast_unsigned();
    let (during, expires_at) = (row.interval()?, row.instant()?);
    Ok((holder, during.map(|during| Claim { resource, seat, during, expires_at })))
}

/// What one side has and the other has not, by appointment: at least one difference, where there is
/// any. Only where something is wrong is the whole table held in memory.
async fn differences(
    connection: &mut PgConnection,
    tenant: &TenantId,
    log: &ClaimIndex,
    at: DateTime<Utc>,
) -> Result<BTreeMap<AppointmentId, Problem>, sqlx::Error> {
    let mut found = BTreeMap::new();
    let mut table: HashMap<AppointmentId, Vec<Claim>> = HashMap::new();
    let mut rows = rows(connection, &query(tenant)).await?;
    while let Some(row) = rows.next().await? {
        let (holder, claim) = claim(row)?;
        match claim {
            Some(claim) => table.entry(holder).or_default().push(claim),
            None => drop(found.insert(holder, Problem::ClaimMisshapen { holder })),
        }
    }
    let none = Vec::new();
    for (holder, claims) in log.iter() {
        let held = table.get(&holder).unwrap_or(&none);
        let missing = |claim: &&Claim| !claim.has_lapsed(at) && !held.contains(claim);
        if let Some(claim) = claims.iter().find(missing) {
            found.entry(holder).or_insert(Problem::ClaimMissing { holder, claim: *claim });
        }
    }
    for (holder, claims) in table {
        let unfounded =
            |claim: &&Claim| !claim.has_lapsed(at) && !log.claims_of(holder).contains(claim);
        if let Some(claim) = claims.iter().find(unfounded) {
            found.entry(holder).or_insert(Problem::ClaimUnfounded { holder, claim: *claim });
        }
    }
    Ok(found)
}

/// The first of these in the log: where it was last said what the appointment claims. What the log
/// says nothing about comes last.
async fn first(
    connection: &mut PgConnection,
    tenant: &TenantId,
    mut differences: BTreeMap<AppointmentId, Problem>,
) -> Result<Finding, sqlx::Error> {
    let holders: Vec<AppointmentId> = differences.keys().copied().take(MAX_DIFFERENCES).collect();
    let said = last_said(connection, tenant, &holders).await?;
    let first = holders.into_iter().min_by_key(|holder| {
        said.get(holder).copied().unwrap_or_else(|| Position::from_i64(i64::MAX))
    });
    let first = first.and_then(|holder| Some((holder, differences.remove(&holder)?)));
    let (holder, problem) = first.ok_or(sqlx::Error::RowNotFound)?;
    Ok(Finding { position: said.get(&holder).copied(), problem })
}

/// Where it was last said what each of these claims. Served by `events_pkey`.
async fn last_said(
    connection: &mut PgConnection,
    tenant: &TenantId,
    holders: &[AppointmentId],
) -> Result<HashMap<AppointmentId, Position>, sqlx::Error> {
    // Of one that holds a reference, the thing that has it.
    let ids = holders.iter().flat_map(|holder| [*holder, reference::holder(holder.uuid())]);
    let streams = ids.map(|id| {
        let stream = StreamId::of::<Appointment>(tenant, id.uuid());
        format!("'{}'", stream.id())
    });
    let query = format!(
        "{} AND aggregate_type IN ('{}') AND aggregate_id IN ({}) ORDER BY position",
        Stored::query(tenant),
        CLAIMING.join("', '"),
        streams.collect::<Vec<_>>().join(", "),
    );
    let reader = EventReader::of(tenant);
    let mut said = HashMap::new();
    let mut rows = rows(connection, &query).await?;
    while let Some(row) = rows.next().await? {
        let event = Stored::read(row)?;
        let decoded = reader.read(&event, event.recorded_at.unwrap_or_default());
        let held = decoded.map(|decoded| decoded.held).unwrap_or_default();
        said.extend(held.into_iter().map(|(holder, _)| (holder, event.position)));
    }
    Ok(said)
}
