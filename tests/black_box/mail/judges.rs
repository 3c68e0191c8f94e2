//! What others read in an invitation: Python's `icalendar`, and `ical.js`, with which Thunderbird reads calendars.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{Mail, python};
use crate::clients::workshop;
use crate::harness::child;

/// What both read alike in the calendar of a mail; and how it is one of mail, of which the first knows more.
#[track_caller]
pub(crate) fn read(mail: &Mail) -> Value {
    // As it came: a byte is a character there.
    let raw: Vec<u8> = mail.text("raw").chars().map(|c| u8::try_from(c).unwrap()).collect();
    let judge = Path::new(env!("CARGO_MANIFEST_DIR")).join("black_box/mail/judge.py");
    let mut icalendar = Command::new(python());
    icalendar.arg(judge);
    let mut said = told(icalendar, &raw);
    let workshop = workshop(&["calendar.mjs"]);
    let mut ical_js = Command::new("node");
    ical_js.arg(workshop.path().join("calendar.mjs"));
    let members = said.as_object_mut().unwrap();
    let calendar = members.remove("calendar").unwrap();
    let other = told(ical_js, calendar.as_str().unwrap().as_bytes());
    for (name, value) in other.as_object().unwrap() {
        assert_eq!(Some(value), members.get(name), "{name} in {calendar}");
    }
    said
}

#[track_caller]
fn told(mut judge: Command, input: &[u8]) -> Value {
    judge.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut judge = child::spawn(judge).unwrap();
    judge.stdin.take().unwrap().write_all(input).unwrap();
    let said = judge.wait_with_output().unwrap();
    let error = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "{error}\n{}", String::from_utf8_lossy(input));
    serde_json::from_slice(&said.stdout).unwrap()
}
