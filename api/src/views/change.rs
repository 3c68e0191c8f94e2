//! What changed between two moments, field by field.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use daybook_store::log::Moment;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::http::Problem;

/// A moment that was compared.
#[derive(Serialize, ToSchema)]
pub(crate) struct MomentView {
    /// How far the log had come.
    position: u64,
    at: DateTime<Utc>,
}

impl From<Moment> for MomentView {
    fn from(moment: Moment) -> Self {
        Self { position: moment.position.get(), at: moment.at }
    }
}

/// A field that changed.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct FieldChange {
    #[schema(example = "start_at")]
    field: String,
    /// What it was; left out where it was left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Value>,
    /// What it was then; left out where it was left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Value>,
}

/// What no change is about: how often it was changed is no change of its own.
const LEFT_OUT: [&str; 3] = ["version", "local_start_at", "local_end_at"];

/// As it is shown: the fields of a thing.
pub(crate) fn fields(shown: &impl Serialize) -> Result<Map<String, Value>, Problem> {
    match serde_json::to_value(shown) {
        Ok(Value::Object(fields)) => Ok(fields),
        _ => Err(Problem::internal()),
    }
}

/// The fields that differ, by name.
pub(crate) fn between(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<FieldChange> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let of = |fields: &Map<String, Value>, name| fields.get(name).cloned();
    let changes = names.into_iter().filter(|name| !LEFT_OUT.contains(&name.as_str()));
    let changes = changes.map(|name| FieldChange {
        field: name.clone(),
        before: of(before, name),
        after: of(after, name),
    });
    changes.filter(|change| change.before != change.after).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_differs_is_a_change_and_how_often_is_not() {
        let fields = |value: Value| value.as_object().cloned().unwrap();
        let before = fields(json!({"version": 1, "status": "held", "tags": ["a"], "note": "x"}));
        let after = fields(json!({"version": 2, "status": "booked", "tags": ["a"], "end_at": 1}));
        let change = |field: &str, before: Option<Value>, after: Option<Value>| FieldChange {
            field: field.to_owned(),
            before,
            after,
        };
        assert_eq!(
            between(&before, &after),
            [
                change("end_at", None, Some(json!(1))),
                change("note", Some(json!("x")), None),
                change("status", Some(json!("held")), Some(json!("booked"))),
            ]
        );
    }
}
