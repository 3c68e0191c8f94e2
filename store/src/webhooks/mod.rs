//! Webhooks: endpoints of a tenant that are told what happens.
//!
//! An endpoint is a follower of its tenant's log (`followers`), by its id: how far it was told is a row there. A delivery is never an
//! event: nothing of daybook depends on it, and what the log says is true whether or not anybody was told.
//!
//! * [`Webhook`]: an endpoint; `rows`: the tenant's.
//! * [`WebhookUrl`]: where it is.
//! * `secret`: what its messages are signed with, after the specification Standard Webhooks 1.0.
//! * `deliveries`: what was sent, and what came of it.

mod deliveries;
mod rows;
mod secret;
#[cfg(test)]
mod tests;
mod url;

use chrono::{DateTime, Utc};
use daybook_domain::Category;
use daybook_domain::patch::{Patch, Replace};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use deliveries::{
    DELIVERIES_KEPT_DAYS, Delivery, DeliveryPage, deliveries, forget_deliveries, record,
};
pub use rows::{NewWebhook, WebhookError, Webhooks, by_follower};
pub use secret::{Secret, SecretError, Secrets};
pub use url::{InvalidWebhookUrl, WebhookUrl};

use crate::feed::{FeedFilter, FilterError, Privacy};
use crate::followers::FollowerStatus;

/// The most endpoints of a tenant.
pub const MAX_WEBHOOKS: i64 = 20;

/// The most types of events, and the most categories, that one asks for.
pub const MAX_WANTED: usize = 50;

/// What an endpoint is told, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookTerms {
    pub url: WebhookUrl,
    /// Of these types; none: of all.
    pub event_types: Vec<String>,
    /// Of what is in one of these categories, or was; none: of anything.
    pub categories: Vec<Category>,
    /// Whether it is told what is personal.
    pub personal: Privacy,
}

impl WebhookTerms {
    /// Whether it is told what is personal.
    #[must_use]
    pub fn tells_personal(&self) -> bool {
        self.personal == Privacy::Told
    }

    /// Which events those are.
    ///
    /// # Errors
    /// When there is no such type.
    pub fn filter(&self) -> Result<FeedFilter, FilterError> {
        let mut filter = FeedFilter::default();
        self.event_types.iter().try_for_each(|name| filter.add_type(name))?;
        filter.categories.clone_from(&self.categories);
        filter.privacy = self.personal;
        Ok(filter)
    }
}

/// An endpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct Webhook {
    pub id: Uuid,
    pub terms: WebhookTerms,
    pub version: u64,
    pub created_at: DateTime<Utc>,
    /// Until when what it is sent is signed with the secret before as well.
    pub previous_until: Option<DateTime<Utc>>,
    pub status: FollowerStatus,
}

/// What is to be different of an endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookPatch {
    #[serde(skip_serializing_if = "is_kept")]
    pub url: Replace<WebhookUrl>,
    #[serde(skip_serializing_if = "is_kept")]
    pub event_types: Replace<Vec<String>>,
    #[serde(skip_serializing_if = "is_kept")]
    pub categories: Replace<Vec<Category>>,
    #[serde(skip_serializing_if = "is_kept")]
    pub personal: Replace<Privacy>,
    #[serde(skip_serializing_if = "is_kept")]
    pub active: Replace<bool>,
}

fn is_kept<T>(member: &Replace<T>) -> bool {
    member.0.is_none()
}

impl Patch for WebhookPatch {
    const MEMBERS: &'static [(&'static str, bool)] = &[
        ("url", false),
        ("event_types", false),
        ("categories", false),
        ("personal", false),
        ("active", false),
    ];
}

impl WebhookPatch {
    /// What the terms are after it.
    #[must_use]
    pub fn terms(&self, before: &WebhookTerms) -> WebhookTerms {
        let Self { url, event_types, categories, personal, .. } = self.clone();
        WebhookTerms {
            url: url.0.unwrap_or_else(|| before.url.clone()),
            event_types: event_types.0.unwrap_or_else(|| before.event_types.clone()),
            categories: categories.0.unwrap_or_else(|| before.categories.clone()),
            personal: personal.0.unwrap_or(before.personal),
        }
    }
}
