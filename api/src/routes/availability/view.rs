//! The starts that are offered, as clients see them.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use daybook_domain::time::{Duration, Interval};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::asked::Asked;
use super::explain::ExplanationView;
use crate::http::instant;

/// What is offered.
#[derive(Serialize, ToSchema)]
pub(crate) struct AvailabilityView {
    from: NaiveDate,
    to: NaiveDate,
    /// The zone of `from` and `to`.
    #[schema(value_type = String, example = "Europe/Oslo")]
    time_zone: Tz,
    #[schema(value_type = u32)]
    duration_minutes: Duration,
    /// Each start once, in order.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(super) slots: Option<Slots>,
    /// With `by=resource`: each resource by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) resources: Option<Vec<ResourceSlots>>,
    /// With `explain`: what there is to say about that moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) explanation: Option<ExplanationView>,
}

impl AvailabilityView {
    pub(super) const fn new(asked: &Asked, duration_minutes: Duration) -> Self {
        let days = asked.days;
        Self {
            from: days.from,
            to: days.to,
            time_zone: days.zone,
            duration_minutes,
            slots: None,
            resources: None,
            explanation: None,
        }
    }
}

/// Starts in order.
#[derive(Serialize, ToSchema)]
pub(crate) struct Slots {
    slots: Vec<SlotView>,
    /// Whether there are more than the limit.
    more: bool,
}

impl Slots {
    pub(super) fn new(starts: Vec<DateTime<Utc>>, length: Duration, limit: usize) -> Self {
        let more = starts.len() > limit;
        let slots = starts.into_iter().take(limit);
        Self { slots: slots.map(|start| SlotView::new(start, length)).collect(), more }
    }
}

/// Something that can be booked.
#[derive(Serialize, ToSchema)]
pub(crate) struct SlotView {
    #[serde(serialize_with = "instant::write")]
    start: DateTime<Utc>,
    #[serde(serialize_with = "instant::write")]
    end: DateTime<Utc>,
}

impl SlotView {
    pub(super) fn new(start: DateTime<Utc>, length: Duration) -> Self {
        let during = Interval::lasting(start, length);
        Self { start, end: during.end() }
    }
}

/// The starts on one resource.
#[derive(Serialize, ToSchema)]
pub(crate) struct ResourceSlots {
    pub(super) resource_id: Uuid,
    #[serde(flatten)]
    pub(super) slots: Slots,
}
