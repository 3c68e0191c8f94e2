//! Calendars that programs keep in step with (CalDAV).
//!
//! * `discovery`: who asks finds out who they are and what calendars they have, and nobody else does.
//! * `reading`: what is in a calendar, asked for in each way that there is.
//! * `sync`: what has changed since a program was told last.
//! * `writing`: what of a calendar is changed by changing it.
//! * `time_off`: what is put there that is new.
//! * `programs`: the same by programs that others have written, which begin at the server's address.

mod discovery;
mod programs;
mod reading;
mod sync;
mod time_off;
mod writing;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::harness::{Answer, Api, Practice, eventually, id_of};

/// Whoever asks by a password.
struct Dav {
    api: Api,
    password: String,
}

/// A new key of this practice with these limits, which tells what is personal.
#[track_caller]
fn key_with(practice: &Practice, limits: &Value) -> Value {
    let scopes = ["appointments", "personal"];
    let body = json!({"name": "A calendar", "scopes": scopes, "limits": limits});
    practice.api.post("/v1/keys", &body).send().is(201)
}

/// Whoever has the calendar of the practice's room.
#[track_caller]
fn of_room(practice: &Practice) -> Dav {
    Dav::by(practice, &key_with(practice, &json!({"resource_ids": [practice.room]})))
}

impl Dav {
    fn by(practice: &Practice, key: &Value) -> Self {
        let password = key["key"].as_str().unwrap().to_owned();
        Self { api: practice.api.with_key(None), password }
    }

    fn request(&self, method: &str, path: &str) -> crate::harness::Request {
        let basic = BASE64_STANDARD.encode(format!("staff:{}", self.password));
        self.api.request(method, path).header("authorization", &format!("Basic {basic}"))
    }

    fn propfind(&self, path: &str, depth: &str, properties: &str) -> Answer {
        let body = format!(
            r#"<?xml version="1.0"?><D:propfind {NAMESPACES}><D:prop>{properties}</D:prop></D:propfind>"#
        );
        self.request("PROPFIND", path).header("depth", depth).body("application/xml", body).send()
    }

    fn report(&self, path: &str, body: &str) -> Answer {
        let name = body.split([' ', '>']).next().unwrap().trim_start_matches('<').to_owned();
        let body = body.replacen(&format!("<{name}"), &format!("<{name} {NAMESPACES}"), 1);
        self.request("REPORT", path).header("depth", "1").body("application/xml", body).send()
    }

    /// The path that a property of a place is.
    #[track_caller]
    fn path_at(&self, path: &str, property: &str) -> String {
        let answer = self.propfind(path, "0", &format!("<{property}/>"));
        answer.has_status(207);
        let value = within(&answer.text, property).unwrap_or_else(|| panic!("{answer:?}"));
        within(value, "D:href").unwrap_or_else(|| panic!("{answer:?}")).to_owned()
    }

    /// The path of their only calendar, found as programs find it.
    #[track_caller]
    fn calendar(&self) -> String {
        let principal = self.path_at("/dav/", "D:current-user-principal");
        let home = self.path_at(&principal, "C:calendar-home-set");
        let answer = self.propfind(&home, "1", "<D:resourcetype/>");
        answer.has_status(207);
        let calendars: Vec<&str> =
            responses(&answer).into_iter().filter(|it| it.contains("<C:calendar/>")).collect();
        let [calendar] = calendars[..] else { panic!("{answer:?}") };
        within(calendar, "D:href").unwrap().to_owned()
    }

    /// What is in a calendar: the path and tag of each.
    #[track_caller]
    fn members(&self, calendar: &str) -> Vec<(String, String)> {
        let answer = self.propfind(calendar, "1", "<D:getetag/>");
        answer.has_status(207);
        let tagged = responses(&answer).into_iter().filter_map(|response| {
            let tag = within(response, "D:getetag")?.replace("&quot;", "\"");
            Some((within(response, "D:href")?.to_owned(), tag))
        });
        tagged.collect()
    }

    /// The same as soon as there are so many.
    #[track_caller]
    fn members_once(&self, calendar: &str, count: usize) -> Vec<(String, String)> {
        eventually("so much is in the calendar", || {
            Some(self.members(calendar)).filter(|members| members.len() == count)
        })
    }
}

const NAMESPACES: &str = r#"xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:CS="http://calendarserver.org/ns/""#;

/// What stands in the first element of this name, as the server writes it.
fn within<'a>(text: &'a str, element: &str) -> Option<&'a str> {
    let (_, after) = text.split_once(&format!("<{element}>"))?;
    after.split_once(&format!("</{element}>")).map(|(within, _)| within)
}

/// What is told of each thing.
fn responses(answer: &Answer) -> Vec<&str> {
    answer.text.split("<D:response>").skip(1).collect()
}

/// Where in a calendar an appointment is.
fn member(calendar: &str, appointment: &Value) -> String {
    format!("{calendar}{}.ics", id_of(appointment))
}
