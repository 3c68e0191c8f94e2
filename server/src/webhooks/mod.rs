//! Tells the endpoints of webhooks what has happened: each event that an endpoint asks for, in the order of the log, until it has
//! answered with a 2xx. Who has a turn when, and what becomes of who fails, is `daybook_store::followers`' business.

mod attempt;

use std::time::Duration;

use daybook_integrations::fetch::Poster;
use daybook_store::Repeated;
use daybook_store::audit::{Asked, Told, asked_by, gathering};
use daybook_store::feed::{CloudEvent, Feed};
use daybook_store::followers::{Follow, FollowerKind, Pauses, Taken, Turn};
use daybook_store::webhooks::{Secrets, WebhookError, WebhookTerms, Webhooks, record};
use tokio::time::Instant;

use crate::parts::Parts;
use attempt::{Attempt, Outcome};

/// So many events are read at once: most turns are of a few.
const EVENTS: usize = 100;

/// How long it takes to say that an endpoint was told, beside telling it.
const MARGIN: Duration = Duration::from_secs(10);

static DELIVER: Repeated = Repeated::shared("tell endpoints of webhooks");

/// Tells endpoints. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Deliverer {
    parts: Parts,
    webhooks: Webhooks,
    poster: Poster,
}

impl Deliverer {
    pub(crate) fn new(parts: Parts, is_local_allowed: bool) -> Self {
        if is_local_allowed {
            tracing::warn!(
                "--allow-insecure-webhooks: endpoints on this machine are told events, also without TLS"
            );
        }
        let webhooks = Webhooks::new(parts.log(), parts.engine.keyring().cloned());
        Self { parts, webhooks, poster: Poster::new(is_local_allowed) }
    }
}

impl Follow for Deliverer {
    const KIND: FollowerKind = FollowerKind::Webhook;

    /// After the first failures soon, for most are a restart; then for three days.
    const PAUSES: Pauses = Pauses {
        first: Duration::from_secs(1),
        factor: 4,
        most: Duration::from_hours(8),
        patience: Some(Duration::from_hours(72)),
    };

    const OF_EACH_LOG: bool = false;

    const TASK: &'static Repeated = &DELIVER;

    async fn turn(&self, taken: &mut Taken) -> Result<Turn, sqlx::Error> {
        let now = self.parts.clock.now();
        let (terms, secrets) = match self.webhooks.endpoint(&taken.follower, now).await {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(Turn::Gone("removed".to_owned())),
            Err(WebhookError::Database(error)) => return Err(error),
            Err(error) => {
                tracing::warn!(%error, follower = %taken.follower, "nothing can be signed");
                return Ok(Turn::Failed("secret-not-open".to_owned()));
            }
        };
        // An event type that a newer program knows: it is told by that one.
        let Ok(filter) = terms.filter() else {
            return Ok(Turn::Failed("unknown-event-type".to_owned()));
        };
        let feed = Feed::new(self.parts.log(), taken.follower.tenant.clone(), filter)
            .opened_by(self.parts.engine.keyring().cloned());
        // What is known of clients who are restricted is for nobody outside.
        let told = Told { personal: terms.tells_personal(), restricted: false };
        let tenant = taken.follower.tenant.clone();
        let telling = async {
            asked_by(Some(&tenant), "daybook:webhooks", told);
            self.tell(taken, &feed, &terms, &secrets).await
        };
        gathering(Asked::default(), telling).await.0
    }
}

impl Deliverer {
    async fn tell(
        &self,
        taken: &mut Taken,
        feed: &Feed,
        terms: &WebhookTerms,
        secrets: &Secrets,
    ) -> Result<Turn, sqlx::Error> {
        let end = Instant::now() + Self::TURN;
        loop {
            let until = feed.until(None).await?.position;
            if taken.position >= until {
                return Ok(Turn::CaughtUp);
            }
            let stretch = feed.read(taken.position, until, EVENTS).await?;
            for event in &stretch.events {
                if Instant::now() > end {
                    return Ok(Turn::More);
                }
                if !taken.is_ours_for(Poster::WHOLE + MARGIN) {
                    return Ok(Turn::More);
                }
                if let Some(over) = self.tell_one(taken, terms, secrets, event).await? {
                    return Ok(over);
                }
            }
            if taken.position < stretch.read_to {
                let mut connection = self.parts.log().pool().acquire().await?;
                if !taken.advance(&mut connection, stretch.read_to).await? {
                    return Ok(Turn::Lost);
                }
            }
            if Instant::now() > end {
                return Ok(Turn::More);
            }
        }
    }

    /// Tells an endpoint one event, and keeps what has come of it. `None`: it has it.
    async fn tell_one(
        &self,
        taken: &mut Taken,
        terms: &WebhookTerms,
        secrets: &Secrets,
        event: &CloudEvent,
    ) -> Result<Option<Turn>, sqlx::Error> {
        let attempt = Attempt { terms, secrets, event, number: taken.failures.saturating_add(1) };
        let (delivery, outcome) =
            attempt.make(&self.poster, self.parts.clock.as_ref()).await.map_err(sqlx::Error::Io)?;
        let mut tx = self.parts.log().pool().begin().await?;
        record(&mut tx, &taken.follower, &delivery).await?;
        let over = match outcome {
            Outcome::Delivered => {
                let moved = taken.advance(&mut tx, event.position).await?;
                (!moved).then_some(Turn::Lost)
            }
            Outcome::Failed(why) => Some(Turn::Failed(why)),
            Outcome::Gone => Some(Turn::Gone("gone".to_owned())),
        };
        tx.commit().await?;
        Ok(over)
    }
}
