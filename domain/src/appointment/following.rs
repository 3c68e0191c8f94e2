//! Going where the calendar has it that an appointment was copied from.

use super::allocation::{Allocation, Span};
use super::checks::{closed, zones};
use super::overriding::{allowed, settled};
use super::{AppointmentRefusal, AppointmentRescheduled, Copied, Details, MovedBy};
use crate::{Facts, Personal, Reason};

/// Where it is in the calendar.
pub(super) struct Calendar {
    pub(super) copied: Copied,
    pub(super) overriding: Option<Personal<Reason>>,
}

/// It was agreed elsewhere, as the booking was: it may lie in the past, has the length that it has there,
/// and meets none of its service's rules.
pub(super) fn with_calendar(
    details: &Details,
    Calendar { copied, overriding }: Calendar,
    facts: &Facts,
) -> Result<AppointmentRescheduled, AppointmentRefusal> {
    let allocation = draft(details, copied, overriding.as_ref(), facts)?;
    let span = Span::copied(&details.slot, copied);
    let slot = span.slot(allocation.allocate(facts)?);
    Ok(AppointmentRescheduled {
        slot,
        hold_expires_at: None,
        by: MovedBy::Staff,
        with_calendar: true,
        overridden: settled(closed(copied.during, facts), overriding)?,
    })
}

/// The move, before its places are allocated.
pub(super) fn draft<'a>(
    details: &Details,
    copied: Copied,
    overriding: Option<&Personal<Reason>>,
    facts: &'a Facts,
) -> Result<Allocation<'a>, AppointmentRefusal> {
    if !details.imported {
        return Err(AppointmentRefusal::NotImported);
    }
    zones(facts)?;
    allowed(closed(copied.during, facts), overriding)?;
    Allocation::new(Span::copied(&details.slot, copied), None, facts)
}
