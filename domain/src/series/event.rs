//! What happens to series.

use serde::{Deserialize, Serialize};

use super::{
    LeftOccurrence, Mode, MovedOccurrence, Occurrence, Recurrence, RecurrenceId, RefusedOccurrence,
    Shift, Which,
};
use crate::appointment::{CancelledBy, MovedBy};
use crate::claim::Claims;
use crate::personal::stored_option;
use crate::{ClientId, Personal, Reason, ResourceIds, ServiceId};

/// A series was booked: the appointments themselves are events of their own, beside it in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SeriesBooked {
    /// When it recurs.
    #[serde(flatten)]
    pub recurrence: Recurrence,
    /// Whether all had to be booked.
    pub mode: Mode,
    pub service_id: ServiceId,
    pub client_id: ClientId,
    /// What was booked, in order.
    pub occurrences: Vec<Occurrence>,
    /// What was not, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<RefusedOccurrence>,
}

/// Occurrences were moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SeriesRescheduled {
    /// Which ones were to be.
    #[serde(flatten)]
    pub which: Which,
    #[serde(flatten)]
    pub shift: Shift,
    /// To which resources. `None`: each kept its own, or `choose_resources`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_ids: Option<ResourceIds>,
    /// Whether all were chosen anew, for each by itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub choose_resources: bool,
    /// Whether all had to be moved.
    pub mode: Mode,
    pub by: MovedBy,
    /// What was moved.
    pub moved: Vec<MovedOccurrence>,
    /// What this did not reach.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<LeftOccurrence>,
    /// What could not be moved, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<RefusedOccurrence>,
}

/// Occurrences were cancelled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SeriesCancelled {
    /// Which ones were to be.
    #[serde(flatten)]
    pub which: Which,
    /// Whether all had to be cancelled.
    pub mode: Mode,
    /// Why, in the words of who cancelled.
    #[serde(default, deserialize_with = "stored_option", skip_serializing_if = "Option::is_none")]
    pub reason: Option<Personal<Reason>>,
    pub by: CancelledBy,
    /// What was cancelled.
    pub cancelled: Vec<RecurrenceId>,
    /// What this did not reach.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<LeftOccurrence>,
    /// What could not be cancelled, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<RefusedOccurrence>,
}

/// Everything that happens to a series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "type")]
pub enum SeriesEvent {
    SeriesBooked(SeriesBooked),
    SeriesRescheduled(SeriesRescheduled),
    SeriesCancelled(SeriesCancelled),
}

crate::event_types!(SeriesEvent:
    creating SeriesBooked = "2.0";
    then SeriesRescheduled = "2.0", SeriesCancelled = "2.0"
);

/// Its appointments claim their time, each its own.
impl Claims for SeriesEvent {}
