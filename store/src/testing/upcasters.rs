//! An event that has changed its form: as if 1.0 of `ServiceDefined` had been stored.

use cqrs_es::persist::{EventUpcaster, SemanticVersionEventUpcaster};
use serde_json::{Value, json};

/// It says `duration` where 2.0 says `duration_minutes`, and knows no buffers.
pub(crate) const SERVICE_DEFINED_1: &str =
    r#"{"type":"ServiceDefined","name":"Check-up","category":"care","tags":[],"duration":30}"#;

/// What reads it in today's form.
pub(crate) fn upcasters() -> Vec<Box<dyn EventUpcaster>> {
    let lift = Box::new(service_defined_2);
    vec![Box::new(SemanticVersionEventUpcaster::new("ServiceDefined", "2.0", lift))]
}

fn service_defined_2(mut payload: Value) -> Value {
    let fields = payload.as_object_mut().unwrap();
    let minutes = fields.remove("duration").unwrap();
    fields.insert("duration_minutes".to_owned(), minutes);
    for buffer in ["buffer_before_minutes", "buffer_after_minutes"] {
        fields.insert(buffer.to_owned(), json!(0));
    }
    payload
}
