//! daybook's own words, where a tenant has none.

use std::fmt::Write as _;

use daybook_domain::sending::Kind;

use crate::html::escaped;
use crate::{Said, Written};

/// What is written in daybook's words.
#[must_use]
pub fn own(said: &Said<'_>) -> Written {
    let &Said { client, service, zone, location, .. } = said;
    let start = said.at(said.start);
    let (day, time) = (start.format("%A %-d %B %Y"), start.format("%H:%M"));
    let (what, says) = match (said.kind, said.until) {
        (Kind::Reminder, _) => {
            ("Reminder", "this is to remind you of your appointment.".to_owned())
        }
        (Kind::Confirmation, _) => ("Confirmed", "your appointment is booked.".to_owned()),
        (Kind::Change, _) => ("Changed", "your appointment has changed. It is now:".to_owned()),
        (Kind::Cancellation, _) => ("Cancelled", "your appointment is cancelled.".to_owned()),
        (Kind::Offer, Some(until)) => {
            let until = said.at(until).format("%H:%M");
            let says = format!("a place has become free. It is kept for you until {until}.");
            ("A place for you", says)
        }
        (Kind::Offer, None) => ("A place for you", "a place has become free.".to_owned()),
    };
    let subject = format!("{what}: {service} on {day} at {time}");
    let when = format!("{day} at {time} ({zone})");
    let facts = [("What", Some(service)), ("When", Some(&*when)), ("Where", location)];
    let facts = facts.into_iter().filter_map(|(name, said)| Some((name, said?)));
    let (mut lines, mut rows) = (String::new(), String::new());
    for (name, said) in facts {
        // Writing to a string cannot fail.
        let _ = writeln!(lines, "{name}: {said}");
        let said = escaped(said);
        let _ = writeln!(rows, "<tr><th align=\"left\">{name}</th><td>{said}</td></tr>");
    }
    let text = format!("Hello {client},\n\n{says}\n\n{lines}");
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\n\
         <body style=\"font-family: sans-serif; line-height: 1.5\">\n<p>Hello {client},</p>\n<p>{says}</p>\n\
         <table cellpadding=\"4\">\n{rows}</table>\n</body></html>\n",
        title = escaped(&subject),
        client = escaped(client),
    );
    Written { subject, text, html: Some(html) }
}
