//! A hold: time that is kept free for a client until it is confirmed, given up, or lapses.

use chrono::{DateTime, SubsecRound as _, Utc};

use super::allocation::Quota;
use super::{
    AppointmentCancelled, AppointmentHoldExpired, AppointmentRefusal, AppointmentState, CancelledBy,
};
use crate::ClientId;
use crate::service::HoldLimit;
use crate::time::{EmptyInterval, Interval};

/// Until when it is to be held, and how much the client can hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hold {
    pub(super) expires_at: DateTime<Utc>,
    holds_per_client: HoldLimit,
}

impl Hold {
    /// Until then, as fine as its claims: see [`Interval`].
    pub(super) fn until(expires_at: DateTime<Utc>, holds_per_client: HoldLimit) -> Self {
        Self { expires_at: expires_at.trunc_subsecs(6), holds_per_client }
    }

    /// From now until it lapses, it is one of the client's.
    pub(super) fn quota(
        self,
        client_id: ClientId,
        now: DateTime<Utc>,
    ) -> Result<Quota, AppointmentRefusal> {
        let expired_at = self.expires_at;
        let during = Interval::new(now, expired_at)
            .map_err(|EmptyInterval| AppointmentRefusal::HoldExpired { expired_at })?;
        Ok(Quota::ClientHolds { client_id, during, at_most: self.holds_per_client.get() })
    }
}

/// Until when it is held, where it is and has not lapsed.
pub(super) fn not_lapsed(
    state: &AppointmentState,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, AppointmentRefusal> {
    let expires_at = state.hold_expires_at();
    expires_at.map_or(Ok(()), |expires_at| still_held(expires_at, now))?;
    Ok(expires_at)
}

pub(super) fn released(
    expires_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<AppointmentCancelled, AppointmentRefusal> {
    still_held(expires_at, now)?;
    Ok(AppointmentCancelled { reason: None, by: CancelledBy::Client, overridden: None })
}

pub(super) fn expired(
    expires_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<AppointmentHoldExpired, AppointmentRefusal> {
    if now < expires_at {
        return Err(AppointmentRefusal::HoldStillRuns { expires_at });
    }
    Ok(AppointmentHoldExpired {})
}

pub(super) fn still_held(
    expires_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), AppointmentRefusal> {
    if expires_at <= now {
        return Err(AppointmentRefusal::HoldExpired { expired_at: expires_at });
    }
    Ok(())
}
