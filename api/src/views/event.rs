//! How an event of a stream is shown.

use chrono::{DateTime, Utc};
use daybook_store::feed::leave_out_elsewhere;
use daybook_store::log::StreamEvent;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// Something that happened.
#[derive(Serialize, ToSchema)]
pub(crate) struct EventView {
    /// The version of the appointment that it led to: its number in the appointment's history, from 1.
    version: u64,
    /// Its place in the tenant's log.
    position: u64,
    #[schema(example = "AppointmentBooked")]
    event_type: String,
    /// What happened.
    #[schema(value_type = Object)]
    data: Value,
    /// Who did it and why.
    #[schema(value_type = Object)]
    metadata: Value,
    recorded_at: DateTime<Utc>,
}

impl EventView {
    pub(crate) const fn version(&self) -> u64 {
        self.version
    }

    /// Leaves out what was before it, for whoever does not see where that was.
    pub(crate) fn forget_from_where(&mut self) {
        leave_out_elsewhere(&mut self.data);
    }

    /// What happened, to be opened.
    pub(crate) fn data_mut(&mut self) -> &mut Value {
        &mut self.data
    }
}

impl From<StreamEvent> for EventView {
    fn from(event: StreamEvent) -> Self {
        let mut data = event.payload;
        // The type stands beside the data.
        if let Some(fields) = data.as_object_mut() {
            fields.remove("type");
        }
        Self {
            version: event.sequence,
            position: event.position.get(),
            event_type: event.event_type,
            data,
            metadata: event.metadata,
            recorded_at: event.recorded_at,
        }
    }
}
