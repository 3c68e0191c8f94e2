//! Erasing clients who have not been there for as long as their tenant has settled on: some at a time, as by hand.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use daybook_domain::client::ErasureReason;
use daybook_domain::{ClientId, RetentionDays, TenantId};
use daybook_projections::Limit;
use daybook_projections::retention::Retention;
use daybook_store::{CommandContext, departures, retention};

use crate::App;
use crate::http::Problem;

/// Who does it.
const ACTOR: &str = "daybook:retention";

/// How many of a tenant's are erased before another tenant's turn comes.
const AT_A_TIME: u32 = 32;

/// How soon it is looked again, at the soonest and at the latest, where nobody is left: somebody may be idle because an appointment
/// that was to come is cancelled.
const SOONEST: Duration = Duration::from_mins(1);
const LATEST: Duration = Duration::from_hours(1);

/// What was done for a tenant.
#[derive(Debug)]
pub struct Retained {
    pub tenant: TenantId,
    pub erased: usize,
    /// Those who could not be erased.
    pub kept: Vec<ClientId>,
}

impl App {
    /// Erases some clients of a tenant whose turn it is, but none of `but`; `None`: it is nobody's turn.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn retain(&self, but: &[ClientId]) -> Result<Option<Retained>, sqlx::Error> {
        let pool = self.engine.log().pool();
        let Some(tenant) = retention::take_turn(pool).await? else { return Ok(None) };
        let (erased, kept, rest) = match self.retain_some(&tenant, but).await {
            Ok(done) => done,
            Err(problem) => {
                tracing::warn!(%tenant, problem = problem.name(), "retention is to be gone on with");
                (0, Vec::new(), SOONEST)
            }
        };
        retention::rest(pool, &tenant, rest).await?;
        Ok(Some(Retained { tenant, erased, kept }))
    }

    /// How many were erased, who could not be, and for how long there is nothing to do.
    async fn retain_some(
        &self,
        tenant: &TenantId,
        but: &[ClientId],
    ) -> Result<(usize, Vec<ClientId>, Duration), Problem> {
        let days = self.engine.tenants().present(tenant).await?.settings.retention_days;
        let pool = self.engine.log().pool();
        let is_suspended =
            !departures::suspended(pool, std::slice::from_ref(tenant)).await?.is_empty();
        let before = before(days, self.engine.clock().now()).filter(|_| !is_suspended);
        let Some(before) = before else { return Ok((0, Vec::new(), LATEST)) };
        let head = self.engine.log().head(tenant).await?.unwrap_or_default();
        self.wait_for(tenant, Retention::ID, head).await?;
        let limit = Limit::new(AT_A_TIME).unwrap_or_default();
        let idle = self.retention.idle(tenant, before, but, limit).await?;
        let (is_full, mut kept) = (idle.len() == limit.items(), Vec::new());
        for client in &idle {
            let context = CommandContext::new(tenant.clone(), ACTOR);
            let reason = ErasureReason::Retention;
            if let Err(problem) = self.erase_client(&context, client.client_id, reason, false).await
            {
                tracing::debug!(%tenant, problem = problem.name(), "a client is not erased yet");
                kept.push(client.client_id);
            }
        }
        let erased = idle.len() - kept.len();
        if is_full {
            return Ok((erased, kept, Duration::ZERO));
        }
        let longest = self.retention.longest(tenant).await?;
        let left = longest.and_then(|since| (since - before).to_std().ok()).unwrap_or(SOONEST);
        Ok((erased, kept, left.clamp(SOONEST, LATEST)))
    }
}

/// Who is idle since before this moment is to be erased; `None`: nobody is.
pub(crate) fn before(days: RetentionDays, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let days = (!days.is_never()).then(|| TimeDelta::days(days.get().into()))?;
    now.checked_sub_signed(days)
}
