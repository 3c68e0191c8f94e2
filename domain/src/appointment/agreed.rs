//! The terms agreed with a booking, which are kept whatever becomes of the service.

use serde::{Deserialize, Serialize};

use crate::service::{Price, ServiceTerms};
use crate::time::{Duration, LeadTime};

/// What is agreed with a booking: what it costs, and how long the client's side may still change
/// it. A service that is revised does not change it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Agreed {
    /// What it costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// Until how long before its start the client's side may move it.
    #[serde(
        default,
        rename = "rescheduling_window_minutes",
        skip_serializing_if = "Option::is_none"
    )]
    pub rescheduling_window: Option<LeadTime>,
    /// Until how long before its start the client's side may cancel it.
    #[serde(
        default,
        rename = "cancellation_window_minutes",
        skip_serializing_if = "Option::is_none"
    )]
    pub cancellation_window: Option<LeadTime>,
}

impl Agreed {
    /// What these terms say about an appointment of this length.
    #[must_use]
    pub fn by(terms: &ServiceTerms, length: Duration) -> Self {
        Self {
            price: terms.price_of(length),
            rescheduling_window: terms.rules.rescheduling_window,
            cancellation_window: terms.rules.cancellation_window,
        }
    }

    /// Whether nothing was agreed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
