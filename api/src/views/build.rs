//! How far a projection is with being made.

use chrono::{DateTime, Utc};
use daybook_projections::RebuildProgress;
use serde::Serialize;
use utoipa::ToSchema;

/// How far a projection is with being made.
#[derive(Serialize, ToSchema)]
pub(crate) struct BuildView {
    /// What is done at present: `filling`, `indexing` or `following`; left out: nobody has begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<&'static str>,
    events_done: u64,
    events_total: u64,
    events_per_second: u64,
    /// An estimate.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds_left: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<DateTime<Utc>>,
    /// It is stalled, and is tried again. Why, the operator is told: that can be any tenant's event.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'static str>,
}

const FAILURE: &str = "it could not be made: `daybook projections list` says why";

impl BuildView {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rates and estimates are not negative, and whole numbers are exact enough"
    )]
    pub(crate) fn new(build: RebuildProgress, now: DateTime<Utc>) -> Self {
        Self {
            phase: build.phase.map(daybook_projections::Phase::as_str),
            events_per_second: build.events_per_second(now) as u64,
            seconds_left: build.seconds_left(now).map(|seconds| seconds.ceil() as u64),
            events_done: build.events_done,
            events_total: build.events_total,
            started_at: build.started_at,
            failure: build.failure.map(|_| FAILURE),
        }
    }
}
