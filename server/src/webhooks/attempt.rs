//! One attempt to tell an endpoint an event: a POST of it as a CloudEvent (structured mode), signed as Standard Webhooks has it.

use std::io;

use daybook_integrations::fetch::Poster;
use daybook_store::Clock;
use daybook_store::feed::CloudEvent;
use daybook_store::metrics::{WEBHOOK_DELIVERIES, WEBHOOK_SECONDS};
use daybook_store::webhooks::{Delivery, Secrets, WebhookTerms};
use metrics::{counter, histogram};
use sha2::{Digest as _, Sha256};
use tokio::task::spawn_blocking;
use tokio::time::Instant;
use uuid::Uuid;

/// RFC 9110 section 15.5.11: whoever says so wants to be asked nothing more.
const GONE: u16 = 410;

pub(super) struct Attempt<'a> {
    pub(super) terms: &'a WebhookTerms,
    pub(super) secrets: &'a Secrets,
    pub(super) event: &'a CloudEvent,
    /// The how manieth in a row.
    pub(super) number: u32,
}

/// What has come of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Delivered,
    /// Why not, in a word.
    Failed(String),
    Gone,
}

impl Outcome {
    fn of(status: u16) -> Self {
        match status {
            200..=299 => Self::Delivered,
            GONE => Self::Gone,
            _ => Self::Failed(format!("status-{status}")),
        }
    }

    const fn as_str(&self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Failed(_) => "failed",
            Self::Gone => "gone",
        }
    }

    fn failure(&self) -> Option<String> {
        match self {
            Self::Delivered => None,
            Self::Failed(why) => Some(why.clone()),
            Self::Gone => Some("gone".to_owned()),
        }
    }
}

impl Attempt<'_> {
    /// # Errors
    /// When it could not be tried.
    pub(super) async fn make(
        self,
        poster: &Poster,
        clock: &dyn Clock,
    ) -> io::Result<(Delivery, Outcome)> {
        let body = serde_json::to_vec(self.event)?;
        let body_sha256 = Sha256::digest(&body).to_vec();
        let (at, began) = (clock.now(), Instant::now());
        let id = self.event.message_id();
        let signature = self.secrets.sign(&id, at.timestamp(), &body);
        let (url, timestamp) = (self.terms.url.to_string(), at.timestamp().to_string());
        let traceparent = self.event.traceparent.clone();
        let poster = poster.clone();
        // It blocks, for seconds; of them there are a few dozen at most.
        let answered = spawn_blocking(move || {
            let mut headers = vec![
                ("content-type", "application/cloudevents+json; charset=utf-8"),
                ("webhook-id", &*id),
                ("webhook-timestamp", &*timestamp),
                ("webhook-signature", &*signature),
            ];
            headers.extend(traceparent.as_deref().map(|it| ("traceparent", it)));
            poster.post(&url, &headers, &body)
        });
        let answered = answered.await?;
        let took = began.elapsed();
        let outcome = match answered {
            Ok(status) => Outcome::of(status),
            Err(error) => Outcome::Failed(error.as_str().to_owned()),
        };
        counter!(WEBHOOK_DELIVERIES, "outcome" => outcome.as_str()).increment(1);
        histogram!(WEBHOOK_SECONDS).record(took);
        let delivery = Delivery {
            id: Uuid::now_v7(),
            position: self.event.position,
            attempt: self.number,
            at,
            status: answered.ok(),
            failure: outcome.failure(),
            took,
            body_sha256,
        };
        Ok((delivery, outcome))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_2xx_is_that_it_was_told() {
        for status in [200, 201, 202, 204, 299] {
            assert_eq!(Outcome::of(status), Outcome::Delivered, "{status}");
        }
        for status in [100, 302, 304, 400, 401, 404, 429, 500, 503] {
            assert_eq!(Outcome::of(status), Outcome::Failed(format!("status-{status}")));
        }
        assert_eq!(Outcome::of(410), Outcome::Gone);
    }
}
