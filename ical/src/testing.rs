//! Calendars for the tests of whoever reads them: lines end with `\n` where they are given, and with CR LF in the file.

/// A file with one VCALENDAR that holds these lines.
#[must_use]
pub fn a_calendar(lines: &str) -> String {
    let body = format!(
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//daybook//test//EN\n{}\nEND:VCALENDAR\n",
        lines.trim_end()
    );
    body.replace('\n', "\r\n")
}

/// A file with one VEVENT that has a UID, a start, an end and these lines.
#[must_use]
pub fn an_event_with(lines: &str) -> String {
    an_event(&format!(
        "UID:a@example.org\nDTSTART:20260301T090000Z\nDTEND:20260301T100000Z\n{lines}"
    ))
}

/// A file with one VEVENT that has these lines only.
#[must_use]
pub fn an_event(lines: &str) -> String {
    a_calendar(&a_vevent(lines))
}

/// A VEVENT that has these lines.
#[must_use]
pub fn a_vevent(lines: &str) -> String {
    format!("BEGIN:VEVENT\n{}\nEND:VEVENT\n", lines.trim_end())
}
