//! What is written to a client.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use daybook_domain::client::Contact;

/// What a reminder can say.
pub(super) struct About<'a> {
    pub(super) contact: &'a Contact,
    pub(super) service: Option<&'a str>,
    pub(super) start: DateTime<Utc>,
    pub(super) time_zone: Option<Tz>,
    pub(super) location: Option<&'a str>,
}

/// A text, and the same for whoever reads HTML.
pub(super) struct Written {
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: String,
}

pub(super) fn write(about: &About<'_>) -> Written {
    let zone = about.time_zone.unwrap_or(Tz::UTC);
    let start = about.start.with_timezone(&zone);
    let (day, time) = (start.format("%A %-d %B %Y"), start.format("%H:%M"));
    let service = about.service.unwrap_or("your appointment");
    let name = about.contact.name.reveal().map_or("", |name| name.as_str());
    let place = about.location.map(|place| format!("Where: {place}\n")).unwrap_or_default();
    let subject = format!("Reminder: {service} on {day} at {time}");
    let text = format!(
        "Hello {name},\n\nthis is to remind you of your appointment.\n\nWhat: {service}\nWhen: {day} at {time} ({zone})\n{place}"
    );
    let html = format!("<p>{}</p>\n", escaped(text.trim_end()).replace('\n', "<br>\n"));
    Written { subject, text, html }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c => escaped.push(c),
        }
    }
    escaped
}
