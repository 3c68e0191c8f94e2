//! How programs are answered: of each thing what it is asked for (RFC 4918 section 13), or which condition is not met (section 16).

use std::fmt::Write as _;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use quick_xml::escape::escape;

use super::xml::{CALDAV, CALENDARSERVER, DAV, Name};
use crate::http::Problem;

const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/xml; charset=utf-8");

/// The prefixes that answers have.
const PREFIXES: [(&str, &str); 3] = [("D", DAV), ("C", CALDAV), ("CS", CALENDARSERVER)];

/// What is told of several things.
pub(super) struct MultiStatus(String);

impl MultiStatus {
    pub(super) fn new() -> Self {
        Self(begun("multistatus"))
    }

    /// What a thing tells of itself: the value of each property that it has, as XML. With `names`, that it has them.
    pub(super) fn tell(
        &mut self,
        path: &str,
        asked: &[Name],
        names: bool,
        value: impl Fn(&Name) -> Option<String>,
    ) {
        let (mut found, mut missing) = (String::new(), String::new());
        for name in asked {
            match value(name) {
                Some(value) if !names => found.push_str(&element(name, &value)),
                Some(_) => found.push_str(&element(name, "")),
                None => missing.push_str(&element(name, "")),
            }
        }
        self.push(&format!("<D:response><D:href>{}</D:href>", escape(path)));
        for (properties, status) in [(found, "200 OK"), (missing, "404 Not Found")] {
            if !properties.is_empty() || (status == "200 OK" && asked.is_empty()) {
                self.push(&format!(
                    "<D:propstat><D:prop>{properties}</D:prop><D:status>HTTP/1.1 {status}</D:status></D:propstat>"
                ));
            }
        }
        self.push("</D:response>\n");
    }

    /// That none of these properties of a thing can be changed (RFC 4918 section 16).
    pub(super) fn protected(&mut self, path: &str, names: &[&Name]) {
        let properties: String = names.iter().map(|name| element(name, "")).collect();
        self.push(&format!(
            "<D:response><D:href>{}</D:href><D:propstat><D:prop>{properties}</D:prop><D:status>HTTP/1.1 403 Forbidden</D:status>\
             <D:error><D:cannot-modify-protected-property/></D:error></D:propstat></D:response>\n",
            escape(path)
        ));
    }

    /// That there is nothing at an address.
    pub(super) fn nothing_at(&mut self, address: &str) {
        let status = "<D:status>HTTP/1.1 404 Not Found</D:status>";
        let address = escape(address);
        self.push(&format!("<D:response><D:href>{address}</D:href>{status}</D:response>\n"));
    }

    /// That more of a calendar is still to be told (RFC 6578 section 3.6).
    pub(super) fn more_of(&mut self, path: &str) {
        let status = "<D:status>HTTP/1.1 507 Insufficient Storage</D:status>";
        let error = "<D:error><D:number-of-matches-within-limits/></D:error>";
        let path = escape(path);
        self.push(&format!("<D:response><D:href>{path}</D:href>{status}{error}</D:response>\n"));
    }

    /// How far all of it goes.
    pub(super) fn up_to(&mut self, token: &str) {
        self.push(&format!("<D:sync-token>{}</D:sync-token>\n", escape(token)));
    }

    fn push(&mut self, text: &str) {
        self.0.push_str(text);
    }
}

impl IntoResponse for MultiStatus {
    fn into_response(mut self) -> Response {
        self.push("</D:multistatus>\n");
        (StatusCode::MULTI_STATUS, [(header::CONTENT_TYPE, CONTENT_TYPE)], self.0).into_response()
    }
}

/// An element of `DAV:` with the prefixes of all answers, not ended yet.
fn begun(local: &str) -> String {
    let mut text = format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<D:{local}");
    for (prefix, namespace) in PREFIXES {
        // Writing to a string cannot fail.
        let _ = write!(text, " xmlns:{prefix}=\"{namespace}\"");
    }
    text.push_str(">\n");
    text
}

/// An element that has this XML in it.
fn element(Name { namespace, local }: &Name, inner: &str) -> String {
    let prefix = PREFIXES.into_iter().find(|(_, own)| own == namespace);
    let (tag, declared) = match prefix {
        Some((prefix, _)) => (format!("{prefix}:{local}"), String::new()),
        None if namespace.is_empty() => (local.clone(), String::new()),
        None => (format!("X:{local}"), format!(" xmlns:X=\"{}\"", escape(namespace.as_str()))),
    };
    if inner.is_empty() {
        format!("<{tag}{declared}/>")
    } else {
        format!("<{tag}{declared}>{inner}</{tag}>")
    }
}

/// An element of `DAV:` that has the path of something in it.
pub(super) fn href(path: &str) -> String {
    format!("<D:href>{}</D:href>", escape(path))
}

/// Why something is not answered.
#[derive(Debug)]
pub(super) enum Refused {
    Problem(Box<Problem>),
    /// The condition that is not met, as the programs know it.
    Condition(Name),
}

impl Refused {
    pub(super) fn condition(namespace: &str, local: &str) -> Self {
        Self::Condition(Name::new(namespace, local))
    }

    pub(super) fn not_xml(why: &str) -> Self {
        let status = StatusCode::BAD_REQUEST;
        Problem::new(status, "invalid-xml", "The body is not XML that is taken", why).into()
    }
}

impl<P: Into<Problem>> From<P> for Refused {
    fn from(problem: P) -> Self {
        Self::Problem(Box::new(problem.into()))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::Problem(problem) => problem.into_response(),
            Self::Condition(name) => {
                let status = StatusCode::FORBIDDEN;
                let body = format!("{}{}</D:error>\n", begun("error"), element(&name, ""));
                (status, [(header::CONTENT_TYPE, CONTENT_TYPE)], body).into_response()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_told_as_xml() {
        let mut told = MultiStatus::new();
        let other = Name::new("urn:o\"ther", "colour");
        let asked = [Name::new(DAV, "displayname"), Name::new(CALDAV, "none"), other];
        told.tell("/dav/<", &asked, false, |name| {
            name.is(DAV, "displayname").then(|| escape("a & b").into_owned())
        });
        let text = told.0;
        assert!(text.contains("<D:href>/dav/&lt;</D:href>"), "{text}");
        assert!(text.contains("<D:displayname>a &amp; b</D:displayname>"), "{text}");
        let missing =
            "<C:none/><X:colour xmlns:X=\"urn:o&quot;ther\"/></D:prop><D:status>HTTP/1.1 404";
        assert!(text.contains(missing), "{text}");
    }
}
