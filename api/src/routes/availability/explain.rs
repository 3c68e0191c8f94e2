//! Why a moment is offered, or is not.

use chrono::{DateTime, Utc};
use daybook_domain::availability::{Blocker, Calendar, SlotQuery, fills_each};
use daybook_domain::time::Interval;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// What there is to say about a moment.
#[derive(Serialize, ToSchema)]
pub(crate) struct ExplanationView {
    at: DateTime<Utc>,
    /// Whether it is offered.
    offered: bool,
    /// Each resource that would do.
    resources: Vec<ResourceExplained>,
}

/// One resource at that moment.
#[derive(Serialize, ToSchema)]
pub(crate) struct ResourceExplained {
    resource_id: Uuid,
    /// Whether it is free.
    offered: bool,
    /// Everything that is against it.
    reasons: Vec<ReasonView>,
}

/// Something that is against it.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReasonView {
    /// `in-the-past`, `closed`, `claimed`, or `rule`.
    reason: &'static str,
    /// When the claim that is in the way is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    during: Option<Interval>,
    /// Which rule, what it requires, and what it found.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    rule: Option<Value>,
}

pub(super) fn at(
    at: DateTime<Utc>,
    calendars: &[Calendar<'_>],
    roles: &[Vec<usize>],
    wanted: &SlotQuery<'_>,
) -> ExplanationView {
    let explained = calendars.iter().map(|calendar| {
        let reasons: Vec<ReasonView> =
            calendar.blockers(at, wanted).into_iter().map(ReasonView::from).collect();
        let (resource_id, offered) = (calendar.resource.uuid(), reasons.is_empty());
        ResourceExplained { resource_id, offered, reasons }
    });
    let resources: Vec<ResourceExplained> = explained.collect();
    let free = |n: usize| resources[n].offered;
    let offered = match roles {
        [] => (0..resources.len()).any(free),
        roles => fills_each(roles, resources.len(), free).is_some(),
    };
    ExplanationView { at, offered, resources }
}

impl From<Blocker> for ReasonView {
    fn from(blocker: Blocker) -> Self {
        let only = |reason| Self { reason, during: None, rule: None };
        match blocker {
            Blocker::InThePast => only("in-the-past"),
            Blocker::Closed { .. } => only("closed"),
            Blocker::Claimed { during, .. } => Self { during: Some(during), ..only("claimed") },
            Blocker::Rule(broken) => {
                Self { rule: serde_json::to_value(broken).ok(), ..only("rule") }
            }
        }
    }
}
