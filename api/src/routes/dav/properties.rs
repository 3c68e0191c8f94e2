//! What each place tells of itself.

use chrono::TimeDelta;
use daybook_ical::{Writer, write_zone};
use quick_xml::escape::escape;

use super::calendar::{CONTENT_TYPE, Calendar, Member, Opened, ctag};
use super::filter::stamp;
use super::multistatus::href;
use super::place::Place;
use super::token::Token;
use super::xml::{CALDAV, CALENDARSERVER, DAV, Name};
use crate::http::{Book, Manage};
use crate::routes::calendars::written::begin;

/// Something that properties are told of.
pub(super) enum Thing<'a> {
    Root,
    Principal,
    Home,
    /// With what is in it, where that was looked up.
    Calendar(&'a Calendar, Option<&'a [Member]>),
    Member(&'a Member),
}

/// What there is to be told where nobody says of what: all but that which is much (RFC 4791 section 5.2).
pub(super) fn all() -> Vec<Name> {
    let of_dav = [
        "resourcetype",
        "displayname",
        "getetag",
        "getcontenttype",
        "getcontentlength",
        "current-user-principal",
        "current-user-privilege-set",
        "owner",
        "principal-URL",
        "supported-report-set",
    ];
    of_dav.iter().map(|local| Name::new(DAV, local)).collect()
}

/// Whether what is in a calendar must be known to tell it.
pub(super) fn is_of_members(name: &Name) -> bool {
    name.is(CALENDARSERVER, "getctag")
}

/// The value of a property, as XML; `None`: it has none of this name.
pub(super) fn value(opened: &Opened<'_>, thing: &Thing<'_>, name: &Name) -> Option<String> {
    match name.namespace.as_str() {
        DAV => of_dav(opened, thing, &name.local),
        CALDAV => of_caldav(opened, thing, &name.local),
        CALENDARSERVER => match (thing, name.local.as_str()) {
            (Thing::Calendar(_, Some(members)), "getctag") => Some(ctag(members)),
            _ => None,
        },
        _ => None,
    }
}

fn of_dav(opened: &Opened<'_>, thing: &Thing<'_>, local: &str) -> Option<String> {
    let principal = || href(&Place::Principal(opened.who).path());
    Some(match (local, thing) {
        ("resourcetype", Thing::Root | Thing::Home) => "<D:collection/>".to_owned(),
        ("resourcetype", Thing::Principal) => "<D:principal/><D:collection/>".to_owned(),
        ("resourcetype", Thing::Calendar(..)) => "<D:collection/><C:calendar/>".to_owned(),
        ("displayname", Thing::Calendar(calendar, _)) => escape(&*calendar.name).into_owned(),
        ("displayname", Thing::Root | Thing::Home | Thing::Principal) => "daybook".to_owned(),
        ("getetag", Thing::Member(member)) => escape(&*member.etag).into_owned(),
        ("getcontenttype", Thing::Member(_)) => CONTENT_TYPE.to_owned(),
        ("getcontentlength", Thing::Member(member)) => member.text.len().to_string(),
        ("principal-collection-set", _) => href(&Place::Root.path()),
        ("current-user-principal", _)
        | ("principal-URL", Thing::Principal)
        | ("owner", Thing::Home | Thing::Calendar(..) | Thing::Member(_)) => principal(),
        ("current-user-privilege-set", _) => {
            let mut privileges = vec!["read", "read-current-user-privilege-set"];
            if opened.caller.has::<Book>() {
                privileges.extend(["write-content", "unbind"]);
            }
            let is_resources = matches!(thing, Thing::Calendar(Calendar { zone: Some(_), .. }, _));
            if is_resources && opened.caller.has::<Book>() && opened.caller.has::<Manage>() {
                privileges.push("bind");
            }
            let told = privileges.iter().map(|it| format!("<D:privilege><D:{it}/></D:privilege>"));
            told.collect()
        }
        ("supported-report-set", Thing::Calendar(..)) => {
            let reports = [
                "<C:calendar-multiget/>",
                "<C:calendar-query/>",
                "<C:free-busy-query/>",
                "<D:sync-collection/>",
            ];
            let reports = reports.map(|report| {
                format!("<D:supported-report><D:report>{report}</D:report></D:supported-report>")
            });
            reports.concat()
        }
        ("resourcetype", Thing::Member(_)) | ("supported-report-set", _) => String::new(),
        ("sync-token", Thing::Calendar(calendar, _)) => Token::now(opened, calendar).to_string(),
        _ => return None,
    })
}

fn of_caldav(opened: &Opened<'_>, thing: &Thing<'_>, local: &str) -> Option<String> {
    let days = || opened.days();
    Some(match (local, thing) {
        ("calendar-home-set", Thing::Root | Thing::Principal) => {
            href(&Place::Home(opened.who).path())
        }
        ("calendar-data", Thing::Member(member)) => lines(&member.text),
        ("supported-calendar-component-set", Thing::Calendar(..)) => {
            "<C:comp name=\"VEVENT\"/>".to_owned()
        }
        ("supported-calendar-data", Thing::Calendar(..)) => {
            "<C:calendar-data content-type=\"text/calendar\" version=\"2.0\"/>".to_owned()
        }
        ("supported-collation-set", Thing::Calendar(..)) => {
            let collations = ["i;ascii-casemap", "i;octet"];
            let told = |it| format!("<C:supported-collation>{it}</C:supported-collation>");
            collations.map(told).concat()
        }
        ("min-date-time", Thing::Calendar(..)) => stamp(days()?.start()),
        ("max-date-time", Thing::Calendar(..)) => stamp(days()?.end()),
        ("calendar-timezone", Thing::Calendar(calendar, _)) => {
            let zone = calendar.zone?;
            let mut writer = Writer::new();
            begin(&mut writer);
            write_zone(&mut writer, zone, (opened.now, opened.now + TimeDelta::days(366)));
            lines(&writer.finish())
        }
        _ => return None,
    })
}

/// Lines of iCalendar: readers of XML would leave out what ends them but for a line feed.
fn lines(text: &str) -> String {
    escape(text).replace('\r', "&#13;")
}
