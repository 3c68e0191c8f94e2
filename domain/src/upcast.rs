//! Events that were written in an older form, read in today's.

use cqrs_es::persist::{EventUpcaster, SemanticVersionEventUpcaster};
use serde_json::{Value, json};

/// Every upcaster, oldest first. Whoever reads stored events applies them before anything else.
#[must_use]
pub fn upcasters() -> Vec<Box<dyn EventUpcaster>> {
    vec![Box::new(SemanticVersionEventUpcaster::new(
        "ServiceDefined",
        "2.0",
        Box::new(service_defined_2),
    ))]
}

/// 1.0 said `duration` where 2.0 says `duration_minutes`, and had no buffers.
fn service_defined_2(mut payload: Value) -> Value {
    if let Some(fields) = payload.as_object_mut() {
        if let Some(minutes) = fields.remove("duration") {
            fields.insert("duration_minutes".to_owned(), minutes);
        }
        for buffer in ["buffer_before_minutes", "buffer_after_minutes"] {
            fields.entry(buffer).or_insert_with(|| json!(0));
        }
    }
    payload
}

#[cfg(test)]
mod tests {
    use cqrs_es::persist::SerializedEvent;

    use super::*;
    use crate::service::ServiceEvent;

    #[test]
    fn a_service_defined_before_buffers_existed_has_none() {
        let old = SerializedEvent::new(
            "t/1".to_owned(),
            1,
            "service".to_owned(),
            "ServiceDefined".to_owned(),
            "1.0".to_owned(),
            json!({"type": "ServiceDefined", "name": "Check-up", "category": "care",
                   "tags": [], "duration": 30}),
            json!({}),
        );
        let new = upcasters().iter().fold(old, |event, upcaster| {
            assert!(upcaster.can_upcast(&event.event_type, &event.event_version));
            upcaster.upcast(event)
        });
        assert_eq!(new.event_version, "2.0.0");
        let ServiceEvent::ServiceDefined(defined) = serde_json::from_value(new.payload).unwrap()
        else {
            panic!("another event");
        };
        assert_eq!(defined.terms.duration.minutes(), 30);
        assert_eq!(defined.terms.buffer_after.minutes(), 0);
    }

    #[test]
    fn a_service_defined_before_rules_existed_has_none() {
        let stored = json!({"type": "ServiceDefined", "name": "Check-up", "category": "care",
            "tags": [], "duration_minutes": 30, "buffer_before_minutes": 0,
            "buffer_after_minutes": 10});
        let event: ServiceEvent = serde_json::from_value(stored.clone()).unwrap();
        let ServiceEvent::ServiceDefined(defined) = &event else { panic!("another event") };
        assert!(defined.terms.rules.is_empty() && defined.terms.price.is_none());
        assert_eq!(serde_json::to_value(&event).unwrap(), stored);
    }

    #[test]
    fn a_service_is_stored_with_its_rules() {
        let stored = json!({"type": "ServiceRevised", "name": "Check-up", "category": "care",
            "tags": [], "duration_minutes": 30, "buffer_before_minutes": 0,
            "buffer_after_minutes": 10, "price": {"amount_minor": 45000, "currency": "NOK"},
            "rules": {"durations": [{"minutes": 60}], "slot_step_minutes": 15,
                "slot_offset_minutes": 5, "minimum_notice_minutes": 120, "booking_horizon_days": 60,
                "rescheduling_window_minutes": 120, "cancellation_window_minutes": 1440}});
        let event: ServiceEvent = serde_json::from_value(stored.clone()).unwrap();
        assert_eq!(serde_json::to_value(&event).unwrap(), stored);
    }
}
