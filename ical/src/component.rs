//! A component: its properties, and the components within it.

use crate::Fault;
use crate::event::{MAX_OPTIONAL, OPTIONAL};
use crate::lines::Lines;
use crate::property::Property;
use crate::text::{decoded, excerpt};

/// Far more than any component has of properties that are read.
const MAX_LINES: usize = 10_000;
/// The longest line that is read: any text that can be kept, each of its characters escaped.
const MAX_LINE_BYTES: usize = 512 * 1024;
/// A VALARM in a VEVENT in a VCALENDAR is three deep; extensions (RFC 9073) reach four or five.
pub(crate) const MAX_DEPTH: usize = 16;

/// A component, as it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Component {
    /// In capitals.
    pub name: String,
    /// Where its `BEGIN` is in its file, counted from 1.
    pub line: u32,
    /// In the order of the file.
    pub properties: Vec<Property>,
    /// The components within it.
    pub components: Vec<Component>,
    /// What was wrong with lines that are read, in the order of the file.
    pub faults: Vec<Fault>,
}

/// Which properties of which components are read.
#[derive(Clone, Copy)]
enum Wanted<'w> {
    All,
    /// These of the component itself, and nothing within it.
    Own(&'w [&'w str]),
}

impl Component {
    /// Reads a component from its `BEGIN` on, with these properties (their names in capitals) and
    /// without the components within it. What is wrong with other lines is nobody's concern.
    #[must_use]
    pub fn with(wanted: &[&str], bytes: &[u8], first_line: u32) -> Self {
        Self::read(bytes, first_line, Wanted::Own(wanted))
    }

    /// Reads a component from its `BEGIN` on, with all that is in it.
    #[must_use]
    pub fn whole(bytes: &[u8], first_line: u32) -> Self {
        Self::read(bytes, first_line, Wanted::All)
    }

    fn read(bytes: &[u8], first_line: u32, wanted: Wanted) -> Self {
        let mut open: Vec<Self> = Vec::new();
        let mut depth = 0_usize;
        for line in Lines::from(bytes, first_line) {
            let name = line.name();
            match name.as_ref().map(|(name, _)| name.as_str()) {
                Some("BEGIN") => {
                    depth += 1;
                    if depth == 1 || matches!(wanted, Wanted::All) && depth <= MAX_DEPTH {
                        let name = mark(&line.bytes);
                        open.push(Self { name, line: line.number, ..Self::default() });
                    }
                }
                Some("END") => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        break;
                    }
                    if depth < open.len()
                        && let Some(ended) = open.pop()
                        && let Some(within) = open.last_mut()
                    {
                        within.components.push(ended);
                    }
                }
                _ if depth == open.len() => {
                    if let Some(component) = open.last_mut() {
                        component.add(&line, name, wanted);
                    }
                }
                _ => {}
            }
        }
        open.into_iter().next().unwrap_or_default()
    }

    fn add(&mut self, line: &crate::lines::Line, name: Option<(String, usize)>, wanted: Wanted) {
        let number = line.number;
        let Some((name, end)) = name else {
            self.faults.push(Fault::Malformed { line: number });
            return;
        };
        if matches!(wanted, Wanted::Own(wanted) if !wanted.contains(&name.as_str())) {
            return;
        }
        if OPTIONAL.contains(&name.as_str()) {
            if self.properties.len() < MAX_OPTIONAL && line.bytes.len() <= MAX_LINE_BYTES {
                let rest = decoded(&line.bytes[end..]);
                self.properties.extend(Property::parse(name, number, &rest));
            }
            return;
        }
        if self.properties.len() == MAX_LINES {
            self.faults.push(Fault::TooManyLines { max: MAX_LINES });
        } else if line.bytes.len() > MAX_LINE_BYTES {
            self.faults.push(Fault::LineTooLong { property: name, max_bytes: MAX_LINE_BYTES });
        } else if let Some(property) = Property::parse(name, number, &decoded(&line.bytes[end..])) {
            self.properties.push(property);
        } else {
            self.faults.push(Fault::Malformed { line: number });
        }
        // One says it all, and ten are enough to see.
        self.faults.truncate(10);
    }

    /// The first property of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Property> {
        self.all(name).next()
    }

    /// The properties of this name, in the order of the file.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &Property> {
        self.properties.iter().filter(move |property| property.name == name)
    }
}

/// The component that a `BEGIN` or `END` names, in capitals and without what no name has.
pub(crate) fn mark(line: &[u8]) -> String {
    let colon = line.iter().position(|byte| *byte == b':').map_or(line.len(), |at| at + 1);
    let name = String::from_utf8_lossy(&line[colon..]);
    excerpt(&name.trim().to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = "BEGIN:VEVENT\nUID:a\nX-1:\u{7}\nSUMMARY:One\n two\nBEGIN:VALARM\n\
                         SUMMARY:Soon\nEND:VALARM\nLOCATION:Hall\nEND:VEVENT\nUID:b\n";

    fn names(component: &Component) -> Vec<&str> {
        component.properties.iter().map(|property| property.name.as_str()).collect()
    }

    #[test]
    fn a_component_is_read_with_what_is_wanted_of_it() {
        let event = Component::with(&["UID", "SUMMARY"], EVENT.as_bytes(), 7);
        assert_eq!((event.name.as_str(), event.line), ("VEVENT", 7));
        assert_eq!(names(&event), ["UID", "SUMMARY"]);
        assert_eq!(event.get("SUMMARY").map(Property::text).as_deref(), Some("Onetwo"));
        assert_eq!((event.components.len(), event.faults.len()), (0, 0));
    }

    #[test]
    fn a_component_is_read_whole() {
        let event = Component::whole(EVENT.as_bytes(), 1);
        assert_eq!(names(&event), ["UID", "X-1", "SUMMARY", "LOCATION"]);
        assert_eq!(names(&event.components[0]), ["SUMMARY"]);
        assert_eq!(event.components[0].line, 6);
    }

    #[test]
    fn what_is_wrong_with_a_line_costs_only_whoever_reads_it() {
        let text = b"BEGIN:VEVENT\nX-1:\xFF\nX-2\nSUMMARY:\xFF\nand so on\nUID\nEND:VEVENT\n";
        let event = Component::with(&["UID", "SUMMARY"], text, 1);
        let expected = [
            Fault::Malformed { line: 3 },
            Fault::Malformed { line: 5 },
            Fault::Malformed { line: 6 },
        ];
        assert_eq!(event.faults, expected);
        assert_eq!(event.get("SUMMARY").map(Property::text).as_deref(), Some("ÿ"));
    }

    #[test]
    fn components_are_read_to_a_depth() {
        let deep = format!("BEGIN:VEVENT\n{}", "BEGIN:X-DEEP\n".repeat(100_000));
        let mut component = &Component::whole(deep.as_bytes(), 1);
        let mut depth = 1;
        while let Some(within) = component.components.first() {
            component = within;
            depth += 1;
        }
        assert!(depth <= MAX_DEPTH);
    }
}
