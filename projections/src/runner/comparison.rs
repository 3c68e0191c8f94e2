//! Compares all logs with all checkpoints, slowly: it only makes up for what was overlooked ([`super::rest`]).

use std::sync::Arc;
use std::time::Duration;

use daybook_domain::TenantId;
use daybook_store::Repeated;
use daybook_store::metrics::LOGS_OVERLOOKED;
use metrics::counter;
use sqlx::PgPool;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, timeout};

use super::rest;
use crate::ProjectionId;

/// How often, if nobody asks for it; and how often at most.
const EVERY: Duration = Duration::from_mins(10);
const AT_MOST_EVERY: Duration = Duration::from_mins(1);

/// A second comparison soon after the start finds what others cleared before they knew of this program. So soon is
/// tried again, too, what has failed.
const AGAIN_AFTER: Duration = Duration::from_secs(15);

/// Why all logs are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    /// The program has begun.
    Begun,
    /// Something has changed, or may have without being heard.
    Asked,
    /// It is time: nothing should be found.
    Regular,
}

impl Reason {
    /// Of the time, so much is rested: this many times as long as the database took. What is regular finds nothing, and
    /// may take all of the time until the next.
    const fn rests(self) -> u32 {
        match self {
            Self::Begun | Self::Asked => 4,
            Self::Regular => 99,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Asked => "asked",
            Self::Regular => "regular",
        }
    }
}

/// Compares again and again, for as long as it is polled; at the start, and when it is due, at once.
pub(super) async fn run(
    pool: PgPool,
    mut whole: watch::Receiver<Vec<ProjectionId>>,
    due: Arc<Notify>,
) {
    let (mut first, fails) = (true, Repeated::new("compare all logs with the projections"));
    let mut reason = Reason::Begun;
    if whole.wait_for(|whole| !whole.is_empty()).await.is_err() {
        return;
    }
    loop {
        let projections = whole.borrow_and_update().clone();
        let outcome = all(&pool, &projections, reason).await;
        fails.note(&outcome);
        let again = first || outcome.is_err();
        let wait = if again { AGAIN_AFTER } else { EVERY };
        let at_least = if first { Duration::from_secs(1) } else { AT_MOST_EVERY };
        first = false;
        let compared = Instant::now();
        let asked = async {
            tokio::select! {
                () = due.notified() => {}
                Ok(()) = whole.changed() => return,
            }
            sleep(at_least.saturating_sub(compared.elapsed())).await;
        };
        reason = match timeout(wait, asked).await {
            Ok(()) => Reason::Asked,
            // What has failed, and what follows the first, are for the reason that there was.
            Err(_) if again => reason,
            Err(_) => Reason::Regular,
        };
    }
}

async fn all(
    pool: &PgPool,
    projections: &[ProjectionId],
    reason: Reason,
) -> Result<(), sqlx::Error> {
    let (mut after, mut logs): (Option<TenantId>, u64) = (None, 0);
    let comparison = reason.as_str();
    loop {
        let began = Instant::now();
        let compared = rest::compare(pool, projections, after.as_ref()).await?;
        counter!(LOGS_OVERLOOKED, "comparison" => comparison).increment(compared.made_active);
        logs += compared.made_active;
        after = compared.more_after;
        if after.is_none() {
            break;
        }
        sleep(began.elapsed() * reason.rests()).await;
    }
    if logs > 0 {
        tracing::warn!(logs, comparison, "logs were behind and nobody looked at them");
    }
    Ok(())
}
