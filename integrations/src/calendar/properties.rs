//! The properties of one VEVENT that a booking is made from; the others are passed over.

use icalendar::parser::{ParseString, Property};

use super::{
    error::RefusalReason,
    lines::Line,
    raw_event::{RECURRENCE, RawEvent},
    text::{excerpt, has_control_character},
};

/// A property's value, with the escapes of a text undone (but not those of a list).
#[derive(Debug)]
pub(super) struct Value {
    pub(super) text: String,
    parameters: Vec<(String, String)>,
}

impl Value {
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The items of a list of texts. A comma separates them, unless it is escaped.
    pub(super) fn list(&self) -> Vec<String> {
        let mut items = Vec::new();
        let (mut start, mut escaped) = (0, false);
        for (at, character) in self.text.char_indices() {
            match character {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                ',' => {
                    items.push(&self.text[start..at]);
                    start = at + 1;
                }
                _ => {}
            }
        }
        items.push(&self.text[start..]);
        items.into_iter().map(|item| ParseString::from(item).unescape_text().to_string()).collect()
    }
}

/// The values that were found, and the first thing that was wrong with the lines they came from.
/// Both are kept, so that a refusal can still name the event.
#[derive(Debug)]
pub(super) struct Properties {
    values: Vec<(&'static str, Value)>,
    pub(super) fault: Option<RefusalReason>,
}

impl Properties {
    pub(super) fn of(event: &RawEvent) -> Self {
        let mut properties = Self { values: Vec::new(), fault: event.fault.clone() };
        for (name, line) in &event.lines {
            if let Err(reason) = properties.add(name, line) {
                properties.fault.get_or_insert(reason);
            }
        }
        properties
    }

    /// The value of a property that can be there once.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.all(name).next()
    }

    /// The values of a property that can be there more than once, in the order of the file.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &Value> {
        self.values.iter().filter(move |(found, _)| *found == name).map(|(_, value)| value)
    }

    /// The property that makes the event a series, if one does.
    pub(super) fn recurrence(&self) -> Option<&'static str> {
        RECURRENCE.into_iter().find(|name| self.get(name).is_some())
    }

    /// What a person is shown of a text of this event.
    pub(super) fn shown(&self, name: &str) -> Option<String> {
        self.get(name).map(|value| excerpt(value.text.trim())).filter(|shown| !shown.is_empty())
    }

    fn add(&mut self, name: &'static str, line: &Line) -> Result<(), RefusalReason> {
        let value = line.split_name().and_then(|(_, rest)| read_value(name, rest));
        let value = value.ok_or(RefusalReason::Malformed { line: line.number })?;
        self.values.push((name, value));
        if has_control_character(&line.text) {
            return Err(RefusalReason::ControlCharacter { property: name });
        }
        Ok(())
    }
}

/// Reads what follows a property's name. The line is put together again with the name in capitals,
/// because only then does the library know the value's type, and so its escapes.
fn read_value(name: &str, rest: &str) -> Option<Value> {
    if !rest.contains(':') {
        return None;
    }
    let line = format!("{name}{rest}");
    let property = Property::try_from(line.as_str()).ok()?;
    let parameters = property.params.iter().map(|parameter| {
        let value = parameter.val.as_ref().map(ToString::to_string);
        (parameter.key.to_string(), value.unwrap_or_default())
    });
    Some(Value { text: property.val.to_string(), parameters: parameters.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(name: &str, rest: &str) -> Value {
        read_value(name, rest).expect("a value")
    }

    #[test]
    fn escapes_of_a_text_are_undone() {
        assert_eq!(
            value("SUMMARY", r":Rack 'em\, stack\; a\\b\nc").text,
            "Rack 'em, stack; a\\b\nc"
        );
    }

    #[test]
    fn a_parameter_may_be_quoted_and_its_name_written_in_any_case() {
        let start = value("DTSTART", ";X=\"a:b;c\";tzid=\"America/Phoenix\":20170425T093000");
        assert_eq!(start.parameter("TZID"), Some("America/Phoenix"));
        assert_eq!(start.parameter("X"), Some("a:b;c"));
        assert_eq!(start.text, "20170425T093000");
    }

    #[test]
    fn only_an_unescaped_comma_separates_the_items_of_a_list() {
        assert_eq!(
            value("CATEGORIES", r":Talk\, long,Ruby\\,,Web").list(),
            ["Talk, long", "Ruby\\", "", "Web"]
        );
    }
}
