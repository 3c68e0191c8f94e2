//! An example of each operation, as a test has recorded it: `cargo xtask examples`.

use serde_json::{Value, json};

const RECORDED: &str = include_str!("examples.json");

/// Adds what is asked and answered.
///
/// # Errors
/// When what was recorded is not JSON.
pub(super) fn add(document: &mut Value) -> serde_json::Result<()> {
    let examples: Value = serde_json::from_str(RECORDED)?;
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    for (path, methods) in paths {
        for (method, operation) in methods.as_object_mut().into_iter().flatten() {
            let example = &examples[format!("{} {path}", method.to_uppercase())];
            if example.is_object() {
                add_to(operation, example);
            }
        }
    }
    Ok(())
}

fn add_to(operation: &mut Value, example: &Value) {
    for parameter in
        operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten()
    {
        let Some(value) =
            parameter["name"].as_str().and_then(|name| example["parameters"].get(name))
        else {
            continue;
        };
        let number = value.as_str().and_then(|text| text.parse::<u64>().ok());
        parameter["example"] = match (parameter["schema"]["type"].as_str(), number) {
            (Some("integer"), Some(number)) => json!(number),
            (Some("array"), _) => json!([value]),
            _ => value.clone(),
        };
    }
    if let (Some(body), Some(value)) = (operation.get_mut("requestBody"), example.get("body")) {
        // A text is a file; a patch is sent as one, or as plain JSON.
        let types: &[&str] = if value.is_string() {
            &["text/calendar"]
        } else {
            &["application/json", "application/merge-patch+json"]
        };
        for media_type in types {
            show(body, media_type, value);
        }
    }
    if let Some(answer) = operation["responses"].get_mut(example["status"].to_string()) {
        show(answer, example["media_type"].as_str().unwrap_or_default(), &example["answer"]);
    }
}

fn show(holder: &mut Value, media_type: &str, value: &Value) {
    let contents = holder.get_mut("content").and_then(Value::as_object_mut);
    if let Some(content) = contents.and_then(|contents| contents.get_mut(media_type)) {
        content["example"] = value.clone();
    }
}
