//! How far a program has been told of a calendar: a position in the log, and a day.
//!
//! Positions have no gap, so a token is good for as long as the log is. A calendar has some days before today and some after, so what is in it
//! changes from day to day, too. Where an answer had to end early, the token says where: all but what comes after an id.

use std::fmt;
use std::str::FromStr as _;

use chrono::{Datelike as _, NaiveDate};
use daybook_store::Position;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::calendar::{Calendar, Opened, short};

const PREFIX: &str = "urn:daybook:sync:";
const DAY: &str = "%Y%m%d";
const NONE: &str = "-";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// Of which calendar it is, and to whom that is told.
    of: String,
    /// All of what is in the calendar was told, or what of it comes up to this id.
    pub(super) listed: Option<Uuid>,
    /// What the log has up to there was told; of the event there, with an id, what comes up to that.
    pub(super) position: Position,
    pub(super) of_event: Option<Uuid>,
    /// What comes and goes by this day was told; with an id, also what does so the next day and comes up to that.
    pub(super) day: NaiveDate,
    pub(super) of_day: Option<Uuid>,
}

impl Token {
    /// Of a calendar as it is now.
    pub(super) fn now(opened: &Opened<'_>, calendar: &Calendar) -> Self {
        let (position, day) = (calendar.position, opened.now.date_naive());
        let of = whose(opened, calendar);
        Self { of, listed: None, position, of_event: None, day, of_day: None }
    }

    /// Of whoever has been told nothing yet.
    pub(super) fn start(opened: &Opened<'_>, calendar: &Calendar) -> Self {
        Self { listed: Some(Uuid::nil()), ..Self::now(opened, calendar) }
    }

    /// One that was given out of this calendar; `None`: it was not.
    pub(super) fn read(text: &str, opened: &Opened<'_>, calendar: &Calendar) -> Option<Self> {
        let token = Self::parse(text)?;
        (token.of == whose(opened, calendar)).then_some(token)
    }

    fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.strip_prefix(PREFIX)?.split(':').collect();
        let [of, listed, position, of_event, day, of_day] = parts[..] else { return None };
        let id = |text: &str| {
            if text == NONE { Some(None) } else { Uuid::try_parse(text).ok().map(Some) }
        };
        Some(Self {
            of: of.to_owned(),
            listed: id(listed)?,
            position: Position::from_str(position).ok()?,
            of_event: id(of_event)?,
            day: NaiveDate::parse_from_str(day, DAY).ok().filter(|day| day.year() > 0)?,
            of_day: id(of_day)?,
        })
    }
}

/// One that was given to another key, or of another tenant's calendar, is none here.
fn whose(opened: &Opened<'_>, calendar: &Calendar) -> String {
    let mut hasher = Sha256::new();
    hasher.update(opened.caller.tenant.as_str());
    hasher.update(opened.who.as_bytes());
    hasher.update(calendar.id.as_bytes());
    short(&hasher.finalize())
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id =
            |id: Option<Uuid>| id.map_or_else(|| NONE.to_owned(), |id| id.simple().to_string());
        let Self { of, listed, position, of_event, day, of_day } = self;
        let (listed, of_event, of_day) = (id(*listed), id(*of_event), id(*of_day));
        let (position, day) = (position.get(), day.format(DAY));
        write!(f, "{PREFIX}{of}:{listed}:{position}:{of_event}:{day}:{of_day}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_written() {
        let (day, id) = (NaiveDate::from_ymd_opt(2027, 3, 28).unwrap(), Some(Uuid::now_v7()));
        let of = "0123456789abcdef".to_owned();
        for (listed, of_event, of_day) in [(None, None, None), (id, None, id), (None, id, None)] {
            let position = Position::START.plus(7);
            let token = Token { of: of.clone(), listed, position, of_event, day, of_day };
            let text = token.to_string();
            assert_eq!(Token::parse(&text), Some(token), "{text}");
            assert_eq!(Token::parse(&text[1..]), None);
            assert_eq!(Token::parse(&format!("{text}:")), None);
        }
        assert_eq!(Token::parse("urn:daybook:sync:"), None);
        assert_eq!(Token::parse("https://radicale.org/ns/sync/7"), None);
    }
}
