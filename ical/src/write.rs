//! Writing: content lines folded at 75 octets (RFC 5545 §3.1), texts escaped, parameters quoted.

use std::fmt::Write as _;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};

use crate::text;

/// The longest line, without its ending.
const MAX_OCTETS: usize = 75;

/// Writes components, each with what it has in the order in which it is told.
#[derive(Debug, Default)]
pub struct Writer {
    text: String,
    open: Vec<&'static str>,
}

impl Writer {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins a component.
    pub fn begin(&mut self, component: &'static str) -> &mut Self {
        self.open.push(component);
        self.line(&format!("BEGIN:{component}"))
    }

    /// Ends the component that was begun last; nothing, where none is open.
    pub fn end(&mut self) -> &mut Self {
        if let Some(component) = self.open.pop() {
            self.line(&format!("END:{component}"));
        }
        self
    }

    /// A property whose value is a text.
    pub fn text(&mut self, name: &str, value: &str) -> &mut Self {
        self.raw(name, &[], &text::escape(value))
    }

    /// A property whose value is a list of texts.
    pub fn texts<'t>(
        &mut self,
        name: &str,
        values: impl IntoIterator<Item = &'t str>,
    ) -> &mut Self {
        let values: Vec<String> = values.into_iter().map(text::escape).collect();
        self.raw(name, &[], &values.join(","))
    }

    /// A property whose value is a time in UTC.
    pub fn utc(&mut self, name: &str, at: DateTime<Utc>) -> &mut Self {
        self.raw(name, &[], &at.format("%Y%m%dT%H%M%SZ").to_string())
    }

    /// A property whose value is a local time in a zone.
    pub fn local(&mut self, name: &str, zone: &str, at: NaiveDateTime) -> &mut Self {
        self.raw(name, &[("TZID", zone)], &at.format("%Y%m%dT%H%M%S").to_string())
    }

    /// A property whose value is a day.
    pub fn day(&mut self, name: &str, day: NaiveDate) -> &mut Self {
        self.raw(name, &[("VALUE", "DATE")], &day.format("%Y%m%d").to_string())
    }

    /// A property with parameters, and a value that is written as it stands but for what would break
    /// the line.
    pub fn raw(&mut self, name: &str, parameters: &[(&str, &str)], value: &str) -> &mut Self {
        let mut line = name.to_owned();
        for (name, value) in parameters {
            // Writing to a string cannot fail.
            let _ = write!(line, ";{name}={}", quoted(value));
        }
        line.push(':');
        line.extend(
            value.chars().filter(|character| *character == '\t' || !character.is_control()),
        );
        self.line(&line)
    }

    /// What was written; what is still open is ended.
    #[must_use]
    pub fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.end();
        }
        self.text
    }

    fn line(&mut self, line: &str) -> &mut Self {
        let mut octets = 0;
        for character in line.chars() {
            if octets + character.len_utf8() > MAX_OCTETS {
                self.text.push_str("\r\n ");
                octets = 1;
            }
            self.text.push(character);
            octets += character.len_utf8();
        }
        self.text.push_str("\r\n");
        self
    }
}

/// A parameter's value, in quotes where it has to be; what it cannot hold is written as RFC 6868 has it.
fn quoted(value: &str) -> String {
    let mut written = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '^' => written.push_str("^^"),
            '"' => written.push_str("^'"),
            '\n' => written.push_str("^n"),
            control if control.is_control() => {}
            other => written.push(other),
        }
    }
    if written.contains([',', ';', ':']) { format!("\"{written}\"") } else { written }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::component::Component;
    use crate::property::Property;

    #[test]
    fn lines_are_folded_at_75_octets_and_never_within_a_character() {
        let mut writer = Writer::new();
        writer.begin("VEVENT").text("SUMMARY", &"日本語".repeat(40)).end();
        let written = writer.finish();
        assert!(written.ends_with("END:VEVENT\r\n"));
        for line in written.split("\r\n") {
            assert!(line.len() <= MAX_OCTETS, "{line}");
        }
        let unfolded = written.replace("\r\n ", "");
        assert!(unfolded.contains(&format!("SUMMARY:{}\r\n", "日本語".repeat(40))), "{unfolded}");
    }

    #[test]
    fn times_and_days_are_written_in_their_forms() {
        let mut writer = Writer::new();
        let local: NaiveDateTime = "2027-03-08T09:00:00".parse().unwrap();
        writer
            .utc("DTSTAMP", local.and_utc())
            .local("DTSTART", "Europe/Berlin", local)
            .day("DTEND", local.date())
            .raw("ATTENDEE", &[("CN", "A \"B\", C")], "mailto:a@example.org\r\nX-BAD:1")
            .texts("CATEGORIES", ["Talk, long", "Web"]);
        assert_eq!(
            writer.finish(),
            "DTSTAMP:20270308T090000Z\r\nDTSTART;TZID=Europe/Berlin:20270308T090000\r\n\
             DTEND;VALUE=DATE:20270308\r\n\
             ATTENDEE;CN=\"A ^'B^', C\":mailto:a@example.orgX-BAD:1\r\n\
             CATEGORIES:Talk\\, long,Web\r\n"
        );
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            texts in prop::collection::vec("[ -~\n\tüß日😀]{0,120}", 1..8),
            name in "[ -~]{0,40}",
        ) {
            let mut writer = Writer::new();
            writer.begin("VEVENT");
            for text in &texts {
                writer.text("SUMMARY", text);
            }
            writer.raw("ATTENDEE", &[("CN", &name)], "mailto:a@example.org");
            let event = Component::whole(writer.finish().as_bytes(), 1);
            let read: Vec<String> = event.all("SUMMARY").map(Property::text).collect();
            prop_assert_eq!(read, texts);
            prop_assert_eq!(event.get("ATTENDEE").unwrap().parameter("CN"), Some(name.as_str()));
            prop_assert_eq!(event.faults, []);
        }
    }
}
