//! What is written to a client.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use daybook_domain::Location;
use daybook_domain::notice::{Subject, What};

use super::about::About;

/// What a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Reminder,
    Confirmation,
    Change,
    Cancellation,
    /// Until then.
    Offer(DateTime<Utc>),
}

impl Kind {
    pub(super) fn of(of: &Subject) -> Self {
        match of.what {
            What::Offer => Self::Offer(of.told.until()),
            What::Confirmation => Self::Confirmation,
            What::Change => Self::Change,
            What::Cancellation => Self::Cancellation,
        }
    }
}

/// A text, and the same for whoever reads HTML.
pub(super) struct Written {
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: String,
}

pub(super) fn write(about: &About, kind: Kind) -> Written {
    let start = about.start.with_timezone(&about.zone);
    let (day, time, zone) = (start.format("%A %-d %B %Y"), start.format("%H:%M"), about.zone);
    let (service, name) = (about.service(), about.name());
    let place = about.location.as_ref().map(Location::as_str);
    let (what, says) = match kind {
        Kind::Reminder => ("Reminder", "this is to remind you of your appointment.".to_owned()),
        Kind::Confirmation => ("Confirmed", "your appointment is booked.".to_owned()),
        Kind::Change => ("Changed", "your appointment has changed. It is now:".to_owned()),
        Kind::Cancellation => ("Cancelled", "your appointment is cancelled.".to_owned()),
        Kind::Offer(until) => {
            let until = until.with_timezone(&zone).format("%H:%M");
            let says = format!("a place has become free. It is kept for you until {until}.");
            ("A place for you", says)
        }
    };
    let subject = format!("{what}: {service} on {day} at {time}");
    let when = format!("{day} at {time} ({zone})");
    let facts = [("What", Some(service)), ("When", Some(&*when)), ("Where", place)];
    let facts = facts.into_iter().filter_map(|(name, said)| Some((name, said?)));
    let (mut lines, mut rows) = (String::new(), String::new());
    for (name, said) in facts {
        // Writing to a string cannot fail.
        let _ = writeln!(lines, "{name}: {said}");
        let said = escaped(said);
        let _ = writeln!(rows, "<tr><th align=\"left\">{name}</th><td>{said}</td></tr>");
    }
    let text = format!("Hello {name},\n\n{says}\n\n{lines}");
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title></head>\n\
         <body style=\"font-family: sans-serif; line-height: 1.5\">\n<p>Hello {name},</p>\n<p>{says}</p>\n\
         <table cellpadding=\"4\">\n{rows}</table>\n</body></html>\n",
        title = escaped(&subject),
        name = escaped(name),
    );
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_no_markup() {
        assert_eq!(escaped("<b>\"A\" & B</b>"), "&lt;b&gt;&quot;A&quot; &amp; B&lt;/b&gt;");
    }
}
