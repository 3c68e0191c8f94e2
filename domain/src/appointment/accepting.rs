//! Accepting the conflicts of an appointment: it is kept where it is.

use super::checks::not_past;
use super::hold::not_lapsed;
use super::{
    AppointmentConflictAccepted, AppointmentRefusal, AppointmentState, Conflict, ConflictReason,
    Details, Excused,
};
use crate::{Facts, Personal, Reason};

/// What there is to accept is seen now; what was accepted before stays accepted.
pub(super) fn accepted(
    details: &Details,
    state: &AppointmentState,
    excused: &Excused,
    reason: Personal<Reason>,
    facts: &Facts,
) -> Result<AppointmentConflictAccepted, AppointmentRefusal> {
    not_lapsed(state, facts.now)?;
    let during = details.slot.during;
    not_past(during.start(), facts.now)?;
    let conflicts = facts.resources.iter().filter_map(|(resource_id, resource)| {
        let reason = ConflictReason::of(resource, &during)?;
        Some(Conflict { resource_id: *resource_id, reason })
    });
    let found: Vec<Conflict> = conflicts.filter(|found| !excused.contains(found)).collect();
    if found.is_empty() {
        return Err(AppointmentRefusal::NoConflict);
    }
    let accepted = excused.accepted().map(|accepted| accepted.conflicts.clone());
    let mut conflicts = accepted.unwrap_or_default();
    conflicts.extend(found);
    Ok(AppointmentConflictAccepted { reason, conflicts })
}
