//! What programs ask, as XML: read whole, within bounds. What it names is told by namespace, whatever prefixes it has.

use std::str;

use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::{NsReader, XmlVersion};

use super::multistatus::Refused;

pub(super) const DAV: &str = "DAV:";
pub(super) const CALDAV: &str = "urn:ietf:params:xml:ns:caldav";
pub(super) const CALENDARSERVER: &str = "http://calendarserver.org/ns/";

/// More than any of the reports has.
const MAX_DEPTH: usize = 16;
/// Of these there are a thousand and more where a program asks for what it has not seen yet.
pub(in crate::routes) const MAX_ELEMENTS: usize = 10_000;
/// Bytes of a namespace, and of what is called so in it: each element has its own copy.
const MAX_NAMESPACE: usize = 200;
/// What is asked for, or set, of one thing: some programs name all that they know, and none knows more.
pub(super) const MAX_PROPERTIES: usize = 100;

/// What an element or property is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) namespace: String,
    pub(super) local: String,
}

impl Name {
    pub(super) fn new(namespace: &str, local: &str) -> Self {
        Self { namespace: namespace.to_owned(), local: local.to_owned() }
    }

    pub(super) fn is(&self, namespace: &str, local: &str) -> bool {
        self.namespace == namespace && self.local == local
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: Name,
    attributes: Vec<(String, String)>,
    pub(super) text: String,
    pub(super) children: Vec<Element>,
}

impl Element {
    /// The first of its elements that is called so.
    pub(super) fn child(&self, namespace: &str, local: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name.is(namespace, local))
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// The element of a body; `None`: it has none.
pub(super) fn read(bytes: &[u8]) -> Result<Option<Element>, Refused> {
    let text = str::from_utf8(bytes).map_err(|error| bad(&error))?;
    if text.trim().is_empty() {
        return Ok(None);
    }
    let mut reader = NsReader::from_str(text.trim_start_matches('\u{feff}'));
    let (mut open, mut root, mut count) = (Vec::<Element>::new(), None, 0);
    loop {
        let (namespace, event) = reader.read_resolved_event().map_err(|error| bad(&error))?;
        let ended = match event {
            Event::Start(start) => {
                count += 1;
                open.push(element(&namespace, &start)?);
                if open.len() > MAX_DEPTH || count > MAX_ELEMENTS {
                    return Err(too_much());
                }
                None
            }
            Event::Empty(start) => {
                count += 1;
                Some(element(&namespace, &start)?)
            }
            Event::End(_) => open.pop(),
            Event::Text(text) => {
                add(&mut open, &text.xml10_content());
                None
            }
            Event::CData(text) => {
                add(&mut open, &text.xml10_content());
                None
            }
            Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref().map_err(|error| bad(&error))?;
                let character = match (character, &*reference) {
                    (Some(character), _) => character,
                    (None, "amp") => '&',
                    (None, "lt") => '<',
                    (None, "gt") => '>',
                    (None, "quot") => '"',
                    (None, "apos") => '\'',
                    (None, _) => return Err(Refused::not_xml("it has an entity of its own")),
                };
                add(&mut open, character.encode_utf8(&mut [0; 4]));
                None
            }
            Event::DocType(_) => return Err(Refused::not_xml("it has a DOCTYPE")),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => None,
            Event::Eof => break,
        };
        let Some(ended) = ended else { continue };
        match open.last_mut() {
            Some(within) => within.children.push(ended),
            None if root.is_none() => root = Some(ended),
            None => return Err(Refused::not_xml("it has two elements")),
        }
        if count > MAX_ELEMENTS {
            return Err(too_much());
        }
    }
    if root.is_none() || !open.is_empty() {
        return Err(Refused::not_xml("it ends early"));
    }
    Ok(root)
}

fn add(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

fn element(namespace: &ResolveResult<'_>, start: &BytesStart<'_>) -> Result<Element, Refused> {
    let namespace = match namespace {
        ResolveResult::Bound(namespace) => namespace.into_inner(),
        ResolveResult::Unbound => "",
        ResolveResult::Unknown(_) => return Err(Refused::not_xml("a prefix has no namespace")),
    };
    let local = start.local_name().into_inner();
    // It is told again, so it must be a name.
    let is_name = |character: char| character.is_alphanumeric() || "-_.".contains(character);
    if !local.starts_with(|first: char| first.is_alphabetic() || first == '_')
        || !local.chars().all(is_name)
    {
        return Err(Refused::not_xml("an element has no name"));
    }
    if namespace.len() > MAX_NAMESPACE || local.len() > MAX_NAMESPACE {
        let why = format!("a name, and a namespace, has at most {MAX_NAMESPACE} bytes");
        return Err(Refused::not_xml(&why));
    }
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| bad(&error))?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0);
        let value = value.map_err(|error| bad(&error))?.into_owned();
        attributes.push((attribute.key.into_inner().to_owned(), value));
    }
    let name = Name::new(namespace, local);
    Ok(Element { name, attributes, text: String::new(), children: Vec::new() })
}

fn bad(error: &dyn std::error::Error) -> Refused {
    Refused::not_xml(&error.to_string())
}

fn too_much() -> Refused {
    Refused::not_xml(&format!("it has at most {MAX_ELEMENTS} elements, {MAX_DEPTH} deep"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_read_by_its_namespaces_and_not_by_its_prefixes() {
        let text = r#"<?xml version="1.0"?><x:propfind xmlns:x="DAV:"><x:prop><displayname xmlns="DAV:"/>
            <y:calendar-data xmlns:y="urn:ietf:params:xml:ns:caldav" version="2.0">a &lt; &#98;</y:calendar-data>
            </x:prop></x:propfind>"#;
        let root = read(text.as_bytes()).unwrap().unwrap();
        assert!(root.name.is(DAV, "propfind"));
        let prop = root.child(DAV, "prop").unwrap();
        assert!(prop.child(DAV, "displayname").is_some());
        let data = prop.child(CALDAV, "calendar-data").unwrap();
        assert_eq!((data.attribute("version"), &*data.text), (Some("2.0"), "a < b"));
        assert_eq!(read(b" \n").unwrap(), None);
    }

    #[test]
    fn what_is_no_xml_or_too_much_of_it_is_refused() {
        let deep = format!("{}{}", "<a>".repeat(10_000), "</a>".repeat(10_000));
        let wide = format!("<a>{}</a>", "<b/>".repeat(10_001));
        let entities = r#"<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><a>&c;</a>"#;
        for bad in [
            "<a",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "</a>",
            "text",
            "<x:a/>",
            "<a>&c;</a>",
            "<a b=\"&c;\"/>",
            &deep,
            &wide,
            entities,
        ] {
            let shown: String = bad.chars().take(40).collect();
            assert!(read(bad.as_bytes()).is_err(), "{shown}");
        }
        assert!(read(b"<a>\xff</a>").is_err());
    }

    #[test]
    fn a_name_is_as_long_as_it_may_be_and_no_longer() {
        for (bytes, is_read) in [(MAX_NAMESPACE, true), (MAX_NAMESPACE + 1, false)] {
            let long = "n".repeat(bytes);
            for text in [format!("<x:a xmlns:x=\"{long}\"/>"), format!("<{long}/>")] {
                assert_eq!(read(text.as_bytes()).is_ok(), is_read, "{bytes}");
            }
        }
    }
}
