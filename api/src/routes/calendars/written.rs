//! A feed as iCalendar (RFC 5545). Nothing in it is of the moment in which it is written, so its bytes change only when something
//! in it does. There is no organizer and no attendee: whoever follows it is asked nothing, and no program mails anybody for it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use daybook_domain::{Name, Tag};
use daybook_ical::{Span, Writer, write_zone};
use daybook_store::calendar_feeds::Detail;

use super::events::Event;

/// How often it is worth while to ask again.
const REFRESH: &str = "PT1H";

/// What all that is told of an event is, where nothing is.
const BUSY: &str = "Busy";

/// A feed that is to be written.
pub(in crate::routes) struct Written<'a> {
    pub(in crate::routes) name: &'a Name,
    pub(in crate::routes) detail: Detail,
    pub(in crate::routes) events: &'a [Event],
}

/// An event by itself, as a member of a collection has it (RFC 4791 section 4.1).
pub(in crate::routes) fn alone(event: &Event) -> String {
    let mut writer = Writer::new();
    begin(&mut writer);
    if event.span.is_local() {
        write_zone(&mut writer, event.span.zone, (event.span.start, event.span.end));
    }
    write_event(&mut writer, event, Detail::Full);
    writer.finish()
}

pub(in crate::routes) fn begin(writer: &mut Writer) {
    writer.begin("VCALENDAR").raw("VERSION", &[], "2.0");
    writer.text("PRODID", "-//daybook//calendar feeds//EN").raw("CALSCALE", &[], "GREGORIAN");
}

impl Written<'_> {
    pub(in crate::routes) fn text(&self) -> String {
        let mut writer = Writer::new();
        begin(&mut writer);
        // As RFC 7986 has it, and as programs have it that do not.
        for name in ["NAME", "X-WR-CALNAME"] {
            writer.text(name, self.name.as_str());
        }
        writer.raw("REFRESH-INTERVAL", &[("VALUE", "DURATION")], REFRESH);
        writer.raw("X-PUBLISHED-TTL", &[], REFRESH);
        for (zone, span) in self.zones() {
            write_zone(&mut writer, zone, span);
        }
        for event in self.events {
            write_event(&mut writer, event, self.detail);
        }
        writer.finish()
    }

    /// The zones that local times name, and from when to when.
    fn zones(&self) -> impl Iterator<Item = (Tz, (DateTime<Utc>, DateTime<Utc>))> {
        let mut zones = BTreeMap::new();
        let local = self.events.iter().map(|event| event.span).filter(Span::is_local);
        for span in local {
            let (_, from, to) =
                zones.entry(span.zone.name()).or_insert((span.zone, span.start, span.end));
            (*from, *to) = (span.start.min(*from), span.end.max(*to));
        }
        zones.into_values().map(|(zone, from, to)| (zone, (from, to)))
    }
}

fn write_event(writer: &mut Writer, event: &Event, detail: Detail) {
    writer.begin("VEVENT").raw("UID", &[], &event.id.to_string());
    writer.utc("DTSTAMP", event.updated_at).raw("SEQUENCE", &[], &event.sequence.to_string());
    event.span.write(writer);
    match detail {
        Detail::Busy => {
            writer.text("SUMMARY", BUSY);
        }
        Detail::Full => told(writer, event),
    }
    let transparency = if event.is_transparent { "TRANSPARENT" } else { "OPAQUE" };
    writer.raw("TRANSP", &[], transparency).end();
}

fn told(writer: &mut Writer, event: &Event) {
    let title = event.title.as_str();
    match &event.client {
        Some(client) => writer.text("SUMMARY", &format!("{title} ({})", client.as_str())),
        None => writer.text("SUMMARY", title),
    };
    if let Some(location) = &event.location {
        writer.text("LOCATION", location.as_str());
    }
    let tags = event.tags.iter().map(Tag::as_str);
    writer.texts("CATEGORIES", [event.category.as_str()].into_iter().chain(tags));
    writer.raw("STATUS", &[], if event.is_held { "TENTATIVE" } else { "CONFIRMED" });
}
