//! Records what has come to pass by itself: holds that have lapsed, answers that were kept long
//! enough.
//!
//! Nothing depends on it being quick: a lapsed hold is in nobody's way and shows as cancelled
//! before it is recorded. Several programs may sweep at once; the log takes each expiry once.

use std::time::Duration;

use chrono::TimeDelta;
use daybook_domain::TenantId;
use daybook_domain::appointment::{Appointment, AppointmentCommand};
use daybook_store::{CommandContext, ExecuteError, Target};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::parts::Parts;

const PAUSE: Duration = Duration::from_secs(2);

/// The most holds of a tenant that are expired in one sweep.
const MAX_HOLDS: u32 = 200;

/// How long the answer to an idempotency key is kept.
const ANSWERS_KEPT: TimeDelta = TimeDelta::days(30);

/// Answers are swept once in so many sweeps.
const SWEEPS_PER_CLEANING: u32 = 1_800;

pub(crate) async fn run(parts: Parts, cancel: CancellationToken) {
    let mut tick = interval(PAUSE);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for sweep in (0..SWEEPS_PER_CLEANING).cycle() {
        tokio::select! {
            () = cancel.cancelled() => return,
            _ = tick.tick() => {}
        }
        if let Err(error) = sweep_all(&parts, sweep == 0).await {
            tracing::debug!(%error, "the sweep failed; there will be another");
        }
    }
}

async fn sweep_all(parts: &Parts, answers_too: bool) -> Result<(), sqlx::Error> {
    for (tenant, _) in parts.log().heads().await? {
        expire_holds(parts, &tenant).await?;
        if answers_too {
            let before = parts.clock.now() - ANSWERS_KEPT;
            parts.log().forget_answers(&tenant, before).await?;
        }
    }
    Ok(())
}

async fn expire_holds(parts: &Parts, tenant: &TenantId) -> Result<(), sqlx::Error> {
    let now = parts.clock.now();
    for id in parts.search().lapsed_holds(tenant, now, MAX_HOLDS).await? {
        let context = CommandContext::new(tenant.clone(), "daybook:sweeper");
        let target = Target::Existing(id.uuid());
        let command = AppointmentCommand::ExpireHold;
        match parts.engine.execute::<Appointment>(&context, target, command).await {
            // Refused: it was confirmed or cancelled, and search has not read that yet.
            Ok(_) | Err(ExecuteError::Refused(_)) => {}
            Err(error) => tracing::debug!(%error, %tenant, %id, "a hold was not expired"),
        }
    }
    Ok(())
}
