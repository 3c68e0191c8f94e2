//! Cancelling, and until when the client's side may.

use super::hold::not_lapsed;
use super::overriding::{Breach, settled};
use super::{AppointmentCancelled, AppointmentRefusal, AppointmentState, CancelledBy, Details};
use crate::service::rules;
use crate::{Facts, Personal, Reason};

/// Until the agreed time the client's side may cancel a booking; nobody relies on a hold.
pub(super) fn cancelled(
    details: &Details,
    state: &AppointmentState,
    cancelling: Cancelling,
    facts: &Facts,
) -> Result<AppointmentCancelled, AppointmentRefusal> {
    let Cancelling { by, reason, overriding } = cancelling;
    not_lapsed(state, facts.now)?;
    let bound = matches!((state, by), (AppointmentState::Booked, CancelledBy::Client));
    let window = details.agreed.cancellation_window.filter(|_| bound);
    let too_late = rules::too_late_to_cancel(window, details.slot.during, facts.now);
    let overridden = settled(too_late.into_iter().map(Breach::Service), overriding)?;
    Ok(AppointmentCancelled { reason, by, overridden })
}

/// Who cancels, and why.
pub(super) struct Cancelling {
    pub(super) by: CancelledBy,
    pub(super) reason: Option<Personal<Reason>>,
    pub(super) overriding: Option<Personal<Reason>>,
}
