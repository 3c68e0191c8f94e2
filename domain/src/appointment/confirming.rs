//! Turning a hold into a booking.

use chrono::{DateTime, Utc};

use super::hold::still_held;
use super::{AppointmentConfirmed, AppointmentRefusal, Details, Slot};
use crate::session::{Session, SessionStatus};
use crate::{Facts, QuotaRule};

pub(super) fn confirmed(
    details: &Details,
    expires_at: DateTime<Utc>,
    facts: &Facts,
) -> Result<AppointmentConfirmed, AppointmentRefusal> {
    still_held(expires_at, facts.now)?;
    if !is_with_its_session(&details.slot, &facts.session) {
        return Err(AppointmentRefusal::HoldExpired { expired_at: expires_at });
    }
    Ok(AppointmentConfirmed { slot: details.slot.confirmed() })
}

/// Whether a place is one of its session as that is now. If not, the session went on without it: the
/// hold had lapsed by the clock of the caller who moved or cancelled the session.
fn is_with_its_session(slot: &Slot, session: &Session) -> bool {
    let Some(_) = slot.session_id else { return true };
    let Session::Made { plan, status: SessionStatus::Scheduled, .. } = session else {
        return false;
    };
    let mut places = slot.quota_slots.iter().filter(|one| one.rule == QuotaRule::SessionPlace);
    places.all(|place| place.during == plan.places_during)
}
