//! The starts that are offered, as clients see them.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use daybook_domain::availability::Found;
use daybook_domain::time::{Duration, Interval};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::explain::ExplanationView;
use super::request::AvailabilityRequest;
use crate::http::Problem;
use crate::http::instant::Writer;
use crate::views::Times;

/// What is offered.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it documents what is written of `Availability`")]
pub(crate) struct AvailabilityView {
    from: NaiveDate,
    to: NaiveDate,
    /// The zone of `from` and `to`.
    #[schema(example = "Europe/Oslo")]
    time_zone: Tz,
    duration_minutes: Duration,
    /// Each start once, in order.
    slots: Option<Vec<Times>>,
    /// With `slots`: whether there are more than the limit.
    more: Option<bool>,
    /// With `by=resource`: each resource by itself.
    resources: Option<Vec<ResourceSlotsView>>,
    /// With `explain`: what there is to say about that moment.
    explanation: Option<ExplanationView>,
}

/// The starts on one resource.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it documents what is written of `ResourceSlots`")]
struct ResourceSlotsView {
    resource_id: Uuid,
    slots: Vec<Times>,
    /// Whether there are more than the limit.
    more: bool,
}

/// What is offered, to be written.
#[derive(Serialize)]
pub(crate) struct Availability {
    from: NaiveDate,
    to: NaiveDate,
    time_zone: Tz,
    duration_minutes: Duration,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) explanation: Option<ExplanationView>,
    #[serde(skip)]
    pub(super) slots: Option<Slots>,
    #[serde(skip)]
    pub(super) resources: Option<Vec<ResourceSlots>>,
}

impl Availability {
    pub(super) const fn new(asked: &AvailabilityRequest, duration_minutes: Duration) -> Self {
        let days = asked.days;
        Self {
            from: days.from,
            to: days.to,
            time_zone: days.zone,
            duration_minutes,
            explanation: None,
            slots: None,
            resources: None,
        }
    }
}

/// Thousands of starts are put into the text by themselves: a serializer takes longer for that than
/// it takes to work them out.
impl IntoResponse for Availability {
    fn into_response(self) -> Response {
        let Ok(mut json) = serde_json::to_vec(&self) else {
            return Problem::internal().into_response();
        };
        // The object is opened again for what was left out.
        json.pop();
        if let Some(slots) = &self.slots {
            json.push(b',');
            slots.write(&mut json);
        }
        if let Some(resources) = &self.resources {
            json.extend_from_slice(br#","resources":["#);
            for (n, resource) in resources.iter().enumerate() {
                let comma = if n == 0 { "" } else { "," };
                let head = format!(r#"{comma}{{"resource_id":"{}","#, resource.resource_id);
                json.extend_from_slice(head.as_bytes());
                resource.slots.write(&mut json);
                json.push(b'}');
            }
            json.push(b']');
        }
        json.push(b'}');
        ([(header::CONTENT_TYPE, "application/json")], json).into_response()
    }
}

/// Starts in order.
pub(crate) struct Slots {
    starts: Vec<DateTime<Utc>>,
    /// Whether there are more than the limit.
    more: bool,
    length: Duration,
    /// In which zone they are shown, too.
    zone: Option<Tz>,
}

impl Slots {
    pub(super) fn new(found: Found<DateTime<Utc>>, length: Duration, zone: Option<Tz>) -> Self {
        let Found { starts, more } = found;
        Self { starts, more, length, zone }
    }

    /// Its members, without the braces.
    fn write(&self, json: &mut Vec<u8>) {
        const LENGTH: usize =
            r#"{"start_at":"2026-12-01T10:00:00Z","end_at":"2026-12-01T10:30:00Z"},"#.len();
        const BESIDE: usize =
            r#","local_start_at":"2026-12-01T11:00:00+01:00","local_end_at":"2026-12-01T11:30:00+01:00""#
                .len();
        let beside = if self.zone.is_some() { BESIDE } else { 0 };
        json.reserve(self.starts.len() * (LENGTH + beside) + 64);
        // A day each: an appointment may end on another one.
        let (mut starts, mut ends) = (Writer::default(), Writer::default());
        let mut local = self.zone.map(|zone| (Writer::in_zone(zone), Writer::in_zone(zone)));
        json.extend_from_slice(br#""slots":["#);
        for (n, start) in self.starts.iter().enumerate() {
            let opening: &[u8] = if n == 0 { br#"{"start_at":"# } else { br#",{"start_at":"# };
            json.extend_from_slice(opening);
            starts.write(*start, json);
            json.extend_from_slice(br#","end_at":"#);
            let end = Interval::lasting(*start, self.length).end();
            ends.write(end, json);
            if let Some((starts, ends)) = &mut local {
                json.extend_from_slice(br#","local_start_at":"#);
                starts.write(*start, json);
                json.extend_from_slice(br#","local_end_at":"#);
                ends.write(end, json);
            }
            json.push(b'}');
        }
        let more: &[u8] = if self.more { br#"],"more":true"# } else { br#"],"more":false"# };
        json.extend_from_slice(more);
    }
}

/// The starts on one resource.
pub(crate) struct ResourceSlots {
    pub(super) resource_id: Uuid,
    pub(super) slots: Slots,
}
