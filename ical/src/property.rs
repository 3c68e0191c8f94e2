//! A property: its name, its parameters and its value (RFC 5545 §3.1, §3.2; RFC 6868).

use crate::lines::Line;
use crate::text;

/// A property of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// In capitals.
    pub name: String,
    /// Where it begins in its file, counted from 1.
    pub line: u32,
    /// In the order of the line; names are in capitals.
    parameters: Vec<(String, Vec<String>)>,
    /// As it is written.
    pub value: String,
}

impl Property {
    /// Reads what follows a property's name, from its `:` or `;` on. `None`: it has no value.
    pub(crate) fn parse(name: String, line: u32, rest: &str) -> Option<Self> {
        let mut parameters = Vec::new();
        let mut rest = rest;
        loop {
            if let Some(value) = rest.strip_prefix(':') {
                return Some(Self { name, line, parameters, value: value.to_owned() });
            }
            let (parameter, after) = parameter(rest.strip_prefix(';')?)?;
            parameters.extend(parameter);
            rest = after;
        }
    }

    /// Reads a content line. `None`: it is none.
    pub(crate) fn of(line: &Line) -> Option<Self> {
        let (name, end) = line.name()?;
        Self::parse(name, line.number, &text::decoded(&line.bytes[end..]))
    }

    /// The first value of a parameter.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.and_then(|(_, values)| values.first()).map(String::as_str)
    }

    /// The value as a text: its escapes undone, without control characters.
    #[must_use]
    pub fn text(&self) -> String {
        text::clean(&text::unescape(&self.value))
    }

    /// The items of a value that is a list of texts.
    pub fn texts(&self) -> impl Iterator<Item = String> {
        text::list(&self.value).map(|item| text::clean(&text::unescape(item)))
    }

    /// Whether the parameter VALUE says that the value is of this type.
    #[must_use]
    pub fn is_of_type(&self, name: &str) -> bool {
        self.parameter("VALUE").is_some_and(|value| value.trim().eq_ignore_ascii_case(name))
    }
}

/// A parameter, and what follows it: `NAME=value,"value"`. One without a value is left out.
type Parsed<'l> = (Option<(String, Vec<String>)>, &'l str);

fn parameter(text: &str) -> Option<Parsed<'_>> {
    let end = text.find(['=', ';', ':'])?;
    let name = text[..end].trim().to_ascii_uppercase();
    let Some(mut rest) = text[end..].strip_prefix('=') else {
        return Some((None, &text[end..]));
    };
    let mut values = Vec::new();
    loop {
        let (value, after) = parameter_value(rest)?;
        values.push(value);
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => return Some((Some((name, values)), after)),
        }
    }
}

/// A value is in quotes, or ends at the first `,`, `;` or `:`.
fn parameter_value(text: &str) -> Option<(String, &str)> {
    if let Some(quoted) = text.strip_prefix('"')
        && let Some(end) = quoted.find('"')
    {
        let after = &quoted[end + 1..];
        // What stands between the quote and the next separator is somebody's mistake.
        let next = after.find([',', ';', ':'])?;
        return Some((without_carets(&quoted[..end]), &after[next..]));
    }
    let end = text.find([',', ';', ':'])?;
    Some((without_carets(&text[..end]), &text[end..]))
}

/// RFC 6868: what a parameter cannot hold is written with a caret.
fn without_carets(value: &str) -> String {
    if !value.contains('^') {
        return value.to_owned();
    }
    let mut text = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        if character != '^' {
            text.push(character);
            continue;
        }
        match characters.next() {
            Some('n') => text.push('\n'),
            Some('\'') => text.push('"'),
            Some('^') | None => text.push('^'),
            Some(other) => text.extend(['^', other]),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn property(line: &str) -> Property {
        let end = line.find([':', ';']).unwrap();
        Property::parse(line[..end].to_owned(), 1, &line[end..]).unwrap()
    }

    #[test]
    fn a_parameter_may_be_quoted_and_its_name_written_in_any_case() {
        let start = property("DTSTART;X=\"a:b;c\";tzid=\"America/Phoenix\":20170425T093000");
        assert_eq!(start.parameter("TZID"), Some("America/Phoenix"));
        assert_eq!(start.parameter("X"), Some("a:b;c"));
        assert_eq!(start.value, "20170425T093000");
    }

    #[test]
    fn a_parameter_may_have_several_values_or_none() {
        let attendee =
            property("ATTENDEE;MEMBER=\"mailto:a@b\",\"mailto:c@d\";RSVP;CN=A:mailto:e@f");
        assert_eq!(attendee.parameters[0].1, ["mailto:a@b", "mailto:c@d"]);
        assert_eq!((attendee.parameter("RSVP"), attendee.parameter("CN")), (None, Some("A")));
        assert_eq!(attendee.value, "mailto:e@f");
    }

    #[test]
    fn what_a_parameter_cannot_hold_is_written_with_a_caret() {
        let attendee = property("ATTENDEE;CN=A ^'B^' C^nD^^:mailto:a@b");
        assert_eq!(attendee.parameter("CN"), Some("A \"B\" C\nD^"));
    }

    #[test]
    fn a_value_that_is_missing_is_none() {
        for rest in ["", ";X", ";X=1", ";X=\"a:b\"", ";X=1;"] {
            assert_eq!(Property::parse("A".to_owned(), 1, rest), None, "{rest:?}");
        }
        assert_eq!(property("A:").value, "");
        assert_eq!(property("A:b:c;d=e").value, "b:c;d=e");
    }
}
