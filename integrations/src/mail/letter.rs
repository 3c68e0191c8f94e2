//! A message: headers and parts, as RFC 5322 and MIME have them.

use std::time::SystemTime;

use lettre::address::Envelope;
use lettre::message::header::{ContentType, HeaderName, HeaderValue, MessageId};
use lettre::message::{Mailbox, Message, MultiPart, SinglePart};

use super::Method;

/// The most characters of a subject.
const MAX_SUBJECT: usize = 300;

/// The most bytes of all parts together.
const MAX_BYTES: usize = 256 * 1024;

/// Why a message cannot be made. It never says what is wrong with what: that would be an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LetterError {
    #[error("the address of the client is none that mail can be sent to")]
    Address,
    #[error("the subject has line breaks or more than {MAX_SUBJECT} characters")]
    Subject,
    #[error("the id of a message is letters, digits and -._ with one @")]
    MessageId,
    #[error("the message is larger than {MAX_BYTES} bytes")]
    TooLarge,
    #[error("the message cannot be put together")]
    Parts,
}

/// An invitation, a change or a cancellation (RFC 6047), which calendars read.
#[derive(Clone, PartialEq, Eq)]
pub struct CalendarPart {
    /// The METHOD that the text has, too.
    pub method: Method,
    pub text: String,
}

/// What is written to somebody.
#[derive(Clone, Copy)]
pub struct Mail<'a> {
    /// What it is known by, without angle brackets: the same each time that it is handed over.
    pub message_id: &'a str,
    pub to: &'a str,
    pub subject: &'a str,
    pub text: &'a str,
    pub html: Option<&'a str>,
    pub calendar: Option<&'a CalendarPart>,
    pub date: SystemTime,
}

/// A message that can be handed to a relay. It does not show itself: it is somebody's.
pub struct Letter {
    pub(super) envelope: Envelope,
    pub(super) bytes: Vec<u8>,
}

impl Letter {
    /// Puts a message together.
    ///
    /// # Errors
    /// When it would be no message, or another one than is meant: nothing that is given can add a header or a recipient.
    pub fn new(from: &Mailbox, mail: &Mail<'_>) -> Result<Self, LetterError> {
        let Mail { message_id, to, subject, text, html, calendar, date } = *mail;
        let to: Mailbox = to.parse::<lettre::Address>().map_err(|_| LetterError::Address)?.into();
        if subject.chars().any(char::is_control) || subject.chars().count() > MAX_SUBJECT {
            return Err(LetterError::Subject);
        }
        if !is_message_id(message_id) {
            return Err(LetterError::MessageId);
        }
        let size = text.len() + html.map_or(0, str::len) + calendar.map_or(0, |it| it.text.len());
        if size > MAX_BYTES {
            return Err(LetterError::TooLarge);
        }
        let envelope = Envelope::new(Some(from.email.clone()), vec![to.email.clone()]);
        let builder = Message::builder()
            .from(from.clone())
            .to(to)
            .subject(subject)
            .date(date)
            .header(MessageId::from(format!("<{message_id}>")))
            // Nobody's out-of-office reply is wanted (RFC 3834).
            .raw_header(HeaderValue::new(
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ));
        let plain = SinglePart::plain(text.to_owned());
        let message = match (html, calendar) {
            (None, None) => builder.singlepart(plain),
            (html, calendar) => {
                let mut parts = MultiPart::alternative().singlepart(plain);
                if let Some(html) = html {
                    parts = parts.singlepart(SinglePart::html(html.to_owned()));
                }
                if let Some(calendar) = calendar {
                    parts = parts.singlepart(calendar_part(calendar)?);
                }
                builder.multipart(parts)
            }
        };
        let message = message.map_err(|_| LetterError::Parts)?;
        let envelope = envelope.map_err(|_| LetterError::Address)?;
        Ok(Self { envelope, bytes: message.formatted() })
    }
}

fn calendar_part(calendar: &CalendarPart) -> Result<SinglePart, LetterError> {
    let kind = format!("text/calendar; charset=utf-8; method={}", calendar.method.as_str());
    let kind = ContentType::parse(&kind).map_err(|_| LetterError::Parts)?;
    Ok(SinglePart::builder().header(kind).body(calendar.text.clone()))
}

fn is_message_id(text: &str) -> bool {
    let is_part = |part: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        !part.is_empty() && part.len() <= 255 && part.bytes().all(allowed)
    };
    text.split_once('@').is_some_and(|(left, right)| is_part(left) && is_part(right))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn mail<'a>() -> Mail<'a> {
        Mail {
            message_id: "9f1c.1@example.org",
            to: "c.lient@example.org",
            subject: "Påminnelse",
            text: "Tirsdag klokken ni.\n.\nVelkommen",
            html: None,
            calendar: None,
            date: SystemTime::UNIX_EPOCH + Duration::from_hours(500_000),
        }
    }

    fn from() -> Mailbox {
        "The practice <post@practice.example>".parse().unwrap()
    }

    fn text(mail: &Mail<'_>) -> Result<String, LetterError> {
        let letter = Letter::new(&from(), mail)?;
        Ok(String::from_utf8(letter.bytes).unwrap())
    }

    #[test]
    fn a_message_has_what_it_is_given_and_no_more() {
        let text = text(&mail()).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        for line in [
            "From: \"The practice\" <post@practice.example>",
            "To: c.lient@example.org",
            "Message-ID: <9f1c.1@example.org>",
            "Date: Fri, 15 Jan 2027 08:00:00 +0000",
            "Auto-Submitted: auto-generated",
            "Content-Type: text/plain; charset=utf-8",
        ] {
            assert!(head.split("\r\n").any(|it| it == line), "{line}\n{head}");
        }
        assert!(head.contains("Subject: =?utf-8?b?"), "{head}");
        assert!(body.contains("Tirsdag klokken ni."), "{body}");
    }

    #[test]
    fn nothing_that_is_given_adds_a_header_or_a_recipient() {
        for to in
            ["a@example.org\r\nBcc: b@example.org", "a@example.org, b@example.org", "a", "<a@b>"]
        {
            assert_eq!(text(&Mail { to, ..mail() }).err(), Some(LetterError::Address), "{to:?}");
        }
        for subject in ["a\r\nBcc: b@example.org", "a\nb", &"x".repeat(301)] {
            let refused = text(&Mail { subject, ..mail() }).err();
            assert_eq!(refused, Some(LetterError::Subject), "{subject:?}");
        }
        for message_id in ["", "a", "a@b>\r\nX: y", "a@b@c", "a b@c"] {
            let refused = text(&Mail { message_id, ..mail() }).err();
            assert_eq!(refused, Some(LetterError::MessageId), "{message_id:?}");
        }
        let large = "x".repeat(MAX_BYTES + 1);
        assert_eq!(text(&Mail { text: &large, ..mail() }).err(), Some(LetterError::TooLarge));
    }

    #[test]
    fn an_invitation_is_a_part_with_its_method() {
        let calendar = "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n".to_owned();
        let calendar = Some(&CalendarPart { method: Method::Request, text: calendar });
        let html = Some("<p>Tirsdag</p>");
        let text = text(&Mail { html, calendar, ..mail() }).unwrap();
        for part in [
            "Content-Type: multipart/alternative;",
            "Content-Type: text/html; charset=utf-8",
            "Content-Type: text/calendar; charset=utf-8; method=REQUEST",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }
}
