//! Query parameters: each is known, given once where one makes sense, and typed.

use std::fmt::Display;
use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use chrono::NaiveDate;
use chrono_tz::Tz;

use super::Problem;
use crate::App;

/// The query of a request. Routes take out what they know and then call [`Params::finish`], which
/// refuses the rest: a misspelt filter must not silently show everything.
pub(crate) struct Params {
    pairs: Vec<(String, String)>,
}

impl FromRequestParts<App> for Params {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        Self::parse(parts.uri.query().unwrap_or_default())
    }
}

impl Params {
    /// The longest value of a parameter, in bytes.
    const MAX_VALUE_BYTES: usize = 2_000;

    fn parse(query: &str) -> Result<Self, Problem> {
        let pairs: Vec<(String, String)> =
            serde_urlencoded::from_str(query).map_err(|error| invalid("the query", error))?;
        for (name, value) in &pairs {
            if value.len() > Self::MAX_VALUE_BYTES || value.contains(char::is_control) {
                return Err(invalid(name, "too long, or with control characters"));
            }
        }
        Ok(Self { pairs })
    }

    /// Every value of a parameter; an empty one is as good as none.
    pub(crate) fn all(&mut self, name: &str) -> Vec<String> {
        let (taken, rest) =
            std::mem::take(&mut self.pairs).into_iter().partition(|(n, _)| n == name);
        self.pairs = rest;
        let taken: Vec<(String, String)> = taken;
        taken.into_iter().map(|(_, value)| value).filter(|value| !value.is_empty()).collect()
    }

    /// The one value of a parameter.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, Problem> {
        let mut values = self.all(name);
        if values.len() > 1 {
            return Err(invalid(name, "given more than once"));
        }
        Ok(values.pop())
    }

    /// The one value of a parameter, parsed.
    pub(crate) fn parsed<T>(&mut self, name: &str) -> Result<Option<T>, Problem>
    where
        T: FromStr<Err: Display>,
    {
        let text = self.text(name)?;
        text.map(|text| text.parse().map_err(|error| invalid(name, error))).transpose()
    }

    /// An id.
    pub(crate) fn id<T: From<uuid::Uuid>>(&mut self, name: &str) -> Result<Option<T>, Problem> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let id = uuid::Uuid::parse_str(&text).map_err(|_| {
            Problem::bad_query("invalid-id", "The id is not a UUID", format!("{name} is a UUID"))
        })?;
        Ok(Some(id.into()))
    }

    /// A date, `YYYY-MM-DD`.
    pub(crate) fn date(&mut self, name: &str) -> Result<Option<NaiveDate>, Problem> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        // Its parser would take signs, spaces and missing zeros too.
        let of_form = text.len() == 10
            && text.bytes().enumerate().all(|(at, byte)| match at {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        let date = of_form.then(|| text.parse::<NaiveDate>().ok()).flatten();
        date.map(Some).ok_or_else(|| {
            let detail = format!("{name} is a date that exists, as YYYY-MM-DD");
            Problem::bad_query("invalid-date", "The date is not valid", detail)
        })
    }

    /// An IANA time zone.
    pub(crate) fn time_zone(&mut self, name: &str) -> Result<Option<Tz>, Problem> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| unknown_time_zone(name))
    }

    /// Refuses whatever has not been taken.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        match self.pairs.first() {
            None => Ok(()),
            Some((name, _)) => Err(invalid(name, "this route has no such parameter")),
        }
    }
}

fn unknown_time_zone(name: &str) -> Problem {
    let detail = format!("{name} is an IANA time zone like Europe/Oslo");
    Problem::bad_query("unknown-time-zone", "Unknown time zone", detail)
}

/// Several values, given with commas between them, several times, or both.
pub(crate) fn listed(values: &[String]) -> impl Iterator<Item = &str> {
    values.iter().flat_map(|value| value.split(',')).map(str::trim).filter(|text| !text.is_empty())
}

/// A parameter that is not understood.
pub(crate) fn invalid(name: &str, why: impl Display) -> Problem {
    let name: String = name.chars().take(64).collect();
    let problem = Problem::bad_query(
        "invalid-query",
        "The query is not understood",
        format!("{name}: {why}"),
    );
    problem.with("parameter", name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_of_one_form_and_exist() {
        let date = |query: &str| Params::parse(query).unwrap().date("from");
        assert!(date("from=2028-02-29").unwrap().is_some());
        for bad in
            ["2026-02-30", "2026-2-3", "26-02-03", "tomorrow", "2026-02-03T00:00", "+026-02-03"]
        {
            let problem = date(&format!("from={bad}")).unwrap_err();
            assert_eq!(problem.kind(), "urn:daybook:problem:invalid-date", "{bad}");
        }
    }

    #[test]
    fn what_no_route_knows_is_refused() {
        let mut params = Params::parse("limit=3&catgory=a").unwrap();
        assert_eq!(params.parsed::<u32>("limit").unwrap(), Some(3));
        assert!(params.finish().is_err());
    }
}
