//! Which of what is in a calendar is asked for (RFC 4791 section 9.7).

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use daybook_domain::time::Interval;
use daybook_ical::{Component, Property};

use super::calendar::Member;
use super::multistatus::Refused;
use super::xml::{CALDAV, Element};

/// No appointment or session is longer; what began earlier is over. Time off may be: it is found by any part of it.
const LONGEST: TimeDelta = TimeDelta::days(366);

/// An instant, as programs write it.
const STAMP: &str = "%Y%m%dT%H%M%SZ";

/// What is asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    /// It is of something that no calendar here has.
    is_of_nothing: bool,
    range: Range,
    properties: Vec<OfProperty>,
}

/// From when to when: whatever is not said is without an end.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Range {
    start: Option<DateTime<Utc>>,
    end: Option<DateTime<Utc>>,
}

#[derive(Debug, PartialEq, Eq)]
struct OfProperty {
    name: String,
    is: Is,
}

#[derive(Debug, PartialEq, Eq)]
enum Is {
    There,
    NotThere,
    Text { text: String, is_exact: bool, negated: bool },
}

impl Filter {
    /// Of a `CALDAV:filter`.
    pub(super) fn read(filter: &Element) -> Result<Self, Refused> {
        let calendar = filter.child(CALDAV, "comp-filter").ok_or_else(invalid)?;
        let mut read = Self::default();
        match calendar.attribute("name") {
            Some("VCALENDAR") => {}
            Some(_) => return Ok(Self::of_nothing()),
            None => return Err(invalid()),
        }
        for within in &calendar.children {
            match (within.name.local.as_str(), within.attribute("name")) {
                ("comp-filter", Some("VEVENT")) => read.of_events(within)?,
                ("comp-filter", Some(_)) => read.of_others(within),
                ("is-not-defined", _) => read.is_of_nothing = true,
                _ => return Err(unsupported()),
            }
        }
        Ok(read)
    }

    fn of_nothing() -> Self {
        Self { is_of_nothing: true, ..Self::default() }
    }

    fn of_events(&mut self, filter: &Element) -> Result<(), Refused> {
        for within in &filter.children {
            match within.name.local.as_str() {
                "is-not-defined" => self.is_of_nothing = true,
                "time-range" => self.range = Range::read(within)?,
                "prop-filter" => self.properties.push(OfProperty::read(within)?),
                "comp-filter" => self.of_others(within),
                _ => return Err(unsupported()),
            }
        }
        Ok(())
    }

    /// No calendar here has any other component, nor an event an alarm.
    fn of_others(&mut self, filter: &Element) {
        if filter.child(CALDAV, "is-not-defined").is_none() {
            self.is_of_nothing = true;
        }
    }

    /// What starts at other times need not be looked at; `None`: nothing need.
    pub(super) fn days(&self, all: Interval) -> Option<Interval> {
        if self.is_of_nothing {
            return None;
        }
        self.range.reaching(all)
    }

    pub(super) fn lets_through(&self, member: &Member) -> bool {
        !self.is_of_nothing
            && self.range.meets(member)
            && (self.properties.is_empty() || self.is_of(&member.text))
    }

    fn is_of(&self, text: &str) -> bool {
        let calendar = Component::whole(text.as_bytes(), 1);
        let event = calendar.components.iter().find(|component| component.name == "VEVENT");
        event.is_some_and(|event| self.properties.iter().all(|property| property.is_of(event)))
    }
}

impl Range {
    /// Of a `CALDAV:time-range`.
    pub(super) fn read(range: &Element) -> Result<Self, Refused> {
        let at = |name| range.attribute(name).map(instant).transpose();
        let read = Self { start: at("start")?, end: at("end")? };
        let is_empty = matches!((read.start, read.end), (Some(start), Some(end)) if end <= start);
        if is_empty || read == Self::default() { Err(invalid()) } else { Ok(read) }
    }

    /// What it has of some time; `None`: nothing.
    pub(super) fn of(&self, all: Interval) -> Option<Interval> {
        let (start, end) = (self.start.unwrap_or(all.start()), self.end.unwrap_or(all.end()));
        all.intersection(&Interval::new(start, end).ok()?)
    }

    /// When of some time may start what it meets. At its first instant there may be time off that began earlier.
    pub(super) fn reaching(&self, all: Interval) -> Option<Interval> {
        let start = self.start.and_then(|start| start.checked_sub_signed(LONGEST));
        let end = self.end.map(|end| end.max(all.start() + TimeDelta::seconds(1)));
        Self { start, end }.of(all)
    }

    pub(super) fn meets(&self, member: &Member) -> bool {
        self.start.is_none_or(|start| member.end > start)
            && self.end.is_none_or(|end| member.start < end)
    }
}

fn instant(text: &str) -> Result<DateTime<Utc>, Refused> {
    let at = NaiveDateTime::parse_from_str(text, STAMP).map_err(|_| invalid())?;
    Ok(at.and_utc())
}

pub(super) fn stamp(at: DateTime<Utc>) -> String {
    at.format(STAMP).to_string()
}

impl OfProperty {
    fn read(filter: &Element) -> Result<Self, Refused> {
        let name = filter.attribute("name").ok_or_else(invalid)?.to_ascii_uppercase();
        let is = match filter.children.as_slice() {
            [] => Is::There,
            [only] if only.name.is(CALDAV, "is-not-defined") => Is::NotThere,
            [only] if only.name.is(CALDAV, "text-match") => Is::Text {
                is_exact: match only.attribute("collation") {
                    None | Some("i;ascii-casemap" | "default") => false,
                    Some("i;octet") => true,
                    Some(_) => return Err(Refused::condition(CALDAV, "supported-collation")),
                },
                negated: only.attribute("negate-condition") == Some("yes"),
                text: only.text.clone(),
            },
            _ => return Err(unsupported()),
        };
        Ok(Self { name, is })
    }

    fn is_of(&self, event: &Component) -> bool {
        let mut all = event.all(&self.name);
        match &self.is {
            Is::There => all.next().is_some(),
            Is::NotThere => all.next().is_none(),
            Is::Text { text, is_exact, negated } => {
                let has = |property: &Property| {
                    let own = property.text();
                    if *is_exact {
                        own.contains(text.as_str())
                    } else {
                        own.to_ascii_lowercase().contains(&text.to_ascii_lowercase())
                    }
                };
                all.any(has) != *negated
            }
        }
    }
}

fn invalid() -> Refused {
    Refused::condition(CALDAV, "valid-filter")
}

fn unsupported() -> Refused {
    Refused::condition(CALDAV, "supported-filter")
}

#[cfg(test)]
mod tests {
    use super::super::xml;
    use super::*;

    fn filter(of_events: &str) -> Result<Filter, Refused> {
        let text = format!(
            "<filter xmlns=\"{CALDAV}\"><comp-filter name=\"VCALENDAR\">{of_events}</comp-filter></filter>"
        );
        Filter::read(&xml::read(text.as_bytes()).unwrap().unwrap())
    }

    fn member(start: &str, minutes: i64) -> Member {
        let start: DateTime<Utc> = start.parse().unwrap();
        super::super::calendar::member(start, start + TimeDelta::minutes(minutes))
    }

    #[test]
    fn what_lies_in_some_part_of_the_time_is_let_through() {
        let of = |range: &str| {
            filter(&format!("<comp-filter name=\"VEVENT\"><time-range {range}/></comp-filter>"))
        };
        let member = member("2027-03-01T09:00:00Z", 30);
        for (range, is_let_through) in [
            (r#"start="20270301T000000Z" end="20270302T000000Z""#, true),
            (r#"start="20270301T092959Z""#, true),
            (r#"start="20270301T093000Z""#, false),
            (r#"end="20270301T090001Z""#, true),
            (r#"end="20270301T090000Z""#, false),
        ] {
            assert_eq!(of(range).unwrap().lets_through(&member), is_let_through, "{range}");
        }
        for bad in
            ["", r#"start="2027-03-01""#, r#"start="20270302T000000Z" end="20270301T000000Z""#]
        {
            assert!(of(bad).is_err(), "{bad}");
        }
    }

    /// Time off that began before the days of a calendar, and goes on, is in it.
    #[test]
    fn what_lies_before_all_days_is_looked_for_where_they_begin() {
        let at = |day: &str| format!("{day}T00:00:00Z").parse::<DateTime<Utc>>().unwrap();
        let all = Interval::new(at("2027-03-01"), at("2028-03-01")).unwrap();
        let range = Range { start: Some(at("2027-02-01")), end: Some(at("2027-02-08")) };
        let (reaching, start) = (range.reaching(all).unwrap(), all.start());
        assert_eq!((reaching.start(), reaching.end()), (start, start + TimeDelta::seconds(1)));
        let time_off = super::super::calendar::member(at("2027-01-15"), at("2027-04-15"));
        assert!(range.meets(&time_off));
    }

    #[test]
    fn what_is_asked_of_components_and_properties_is_found() {
        let of_event = |within: &str| {
            filter(&format!("<comp-filter name=\"VEVENT\">{within}</comp-filter>")).unwrap()
        };
        let match_text = |attributes: &str, text: &str| {
            of_event(&format!(
                "<prop-filter name=\"summary\"><text-match {attributes}>{text}</text-match></prop-filter>"
            ))
        };
        let exact = r#"collation="i;octet""#;
        let negated = r#"negate-condition="yes""#;
        for (filter, is_let_through) in [
            (filter("").unwrap(), true),
            (filter("<comp-filter name=\"VTODO\"/>").unwrap(), false),
            (filter("<comp-filter name=\"VTODO\"><is-not-defined/></comp-filter>").unwrap(), true),
            (of_event(""), true),
            (of_event("<is-not-defined/>"), false),
            (of_event("<comp-filter name=\"VALARM\"/>"), false),
            (of_event("<prop-filter name=\"SUMMARY\"/>"), true),
            (of_event("<prop-filter name=\"LOCATION\"/>"), false),
            (of_event("<prop-filter name=\"LOCATION\"><is-not-defined/></prop-filter>"), true),
            (match_text("", "check-UP, L"), true),
            (match_text(exact, "check-UP"), false),
            (match_text(exact, "Check-up"), true),
            (match_text(negated, "check"), false),
            (match_text(negated, "dentist"), true),
        ] {
            let member = member("2027-03-01T09:00:00Z", 30);
            assert_eq!(filter.lets_through(&member), is_let_through, "{filter:?}");
        }
    }
}
