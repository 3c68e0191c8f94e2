//! What a query parameter can be.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use daybook_domain::appointment::Status;
use daybook_domain::resource::ResourceKind;
use daybook_domain::session::SessionStatus;
use daybook_domain::time::{Duration, LocalDate};
use daybook_domain::{
    AppointmentId, Category, ClientId, Email, Name, Phone, Reference, ResourceId, ServiceId, Tag,
};
use daybook_projections::search::TitleWords;
use daybook_projections::{Cursor, Limit};
use daybook_store::Position;
use daybook_store::feed::Boundary;
use serde_json::json;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type};
use uuid::Uuid;

use super::{Pairs, invalid};
use crate::http::{Problem, instant};
use crate::schema::Words;

/// One value of a parameter: it reads itself from text, and says how it is written.
pub(crate) trait Value: Sized {
    /// Reads it from a text that is not empty.
    fn read(name: &'static str, text: &str) -> Result<Self, Problem>;

    fn schema() -> Schema;
}

/// A value that is one of a few words, which stand for nothing outside of the query.
macro_rules! one_of {
    ($type:ty { $first:literal => $one:expr $(, $word:literal => $other:expr)+ $(,)? }) => {
        impl $crate::http::query::Value for $type {
            fn read(name: &'static str, text: &str) -> Result<Self, $crate::http::Problem> {
                match text {
                    $first => Ok($one),
                    $($word => Ok($other),)+
                    _ => Err($crate::http::query::invalid(
                        name,
                        concat!("it is ", $first $(, " or ", $word)+),
                    )),
                }
            }

            fn schema() -> utoipa::openapi::schema::Schema {
                $crate::schema::words([$first $(, $word)+])
            }
        }
    };
}
pub(crate) use one_of;

one_of!(bool { "true" => true, "false" => false });
one_of!(ResourceKind {
    "staff" => ResourceKind::Staff,
    "room" => ResourceKind::Room,
    "equipment" => ResourceKind::Equipment,
});

pub(crate) fn string() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::new(Type::String))
}

fn of_format(format: KnownFormat) -> Schema {
    string().format(Some(SchemaFormat::KnownFormat(format))).build().into()
}

/// Text of a format that OpenAPI does not know.
pub(crate) fn of_our_format(format: &str) -> ObjectBuilder {
    string().format(Some(SchemaFormat::Custom(format.to_owned())))
}

/// Free text: what it can be at all, in a query.
fn text() -> ObjectBuilder {
    string().min_length(Some(1)).max_length(Some(Pairs::MAX_VALUE_BYTES))
}

fn number() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::new(Type::Integer)).minimum(Some(0))
}

/// A whole number, from one to another.
pub(crate) struct Within<const FROM: usize, const TO: usize>(pub(crate) usize);

impl<const FROM: usize, const TO: usize> Value for Within<FROM, TO> {
    fn read(name: &'static str, text: &str) -> Result<Self, Problem> {
        let number = text.parse().map_err(|error| invalid(name, error))?;
        let fits = (FROM..=TO).contains(&number);
        fits.then_some(Self(number)).ok_or_else(|| invalid(name, format!("it is {FROM} to {TO}")))
    }

    fn schema() -> Schema {
        number().minimum(Some(FROM)).maximum(Some(TO)).build().into()
    }
}

/// A value that its own parser reads.
macro_rules! parsed {
    ($($type:ty: $schema:expr),+ $(,)?) => {$(
        impl Value for $type {
            fn read(name: &'static str, text: &str) -> Result<Self, Problem> {
                text.parse().map_err(|error| invalid(name, error))
            }

            fn schema() -> Schema {
                $schema
            }
        }
    )+};
}

parsed! {
    u32: number().maximum(Some(u32::MAX)).build().into(),
    u64: number().maximum(Some(u64::MAX)).build().into(),
    String: text().build().into(),
    Position: number().maximum(Some(i64::MAX)).build().into(),
    Boundary: of_our_format("instant-or-date").examples([json!("2026-12-01")]).build().into(),
    Status: Self::words(),
    SessionStatus: Self::words(),
    daybook_domain::waiting::Status: Self::words(),
    daybook_domain::sending::Status: Self::words(),
}

/// Ids: what is none has a type of problem of its own.
macro_rules! ids {
    ($($type:ty),+) => {$(
        impl Value for $type {
            fn read(name: &'static str, text: &str) -> Result<Self, Problem> {
                let id = Uuid::parse_str(text).map_err(|_| {
                    let detail = format!("{name} is a UUID");
                    Problem::bad_query("invalid-id", "The id is not a UUID", detail)
                })?;
                Ok(id.into())
            }

            fn schema() -> Schema {
                of_format(KnownFormat::Uuid)
            }
        }
    )+};
}

ids!(Uuid, AppointmentId, ServiceId, ResourceId, ClientId);

/// A date, `YYYY-MM-DD`.
impl Value for NaiveDate {
    fn read(name: &'static str, text: &str) -> Result<Self, Problem> {
        // Its parser would take signs, spaces and missing zeros too.
        let of_form = text.len() == 10
            && text.bytes().enumerate().all(|(at, byte)| match at {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        let date = of_form.then(|| text.parse().ok()).flatten();
        date.ok_or_else(|| invalid_date(format!("{name} is a date that exists, as YYYY-MM-DD")))
    }

    fn schema() -> Schema {
        of_format(KnownFormat::Date)
    }
}

/// A date that the log can keep.
impl Value for LocalDate {
    fn read(name: &'static str, text: &str) -> Result<Self, Problem> {
        let date = NaiveDate::read(name, text)?;
        Self::try_from(date).map_err(|error| invalid_date(format!("{name}: {error}")))
    }

    fn schema() -> Schema {
        NaiveDate::schema()
    }
}

/// A date that does not exist, or is beyond what is kept.
pub(crate) fn invalid_date(detail: impl Into<String>) -> Problem {
    Problem::bad_query("invalid-date", "The date is not valid", detail)
}

/// A range that ends before it begins, or is too long.
pub(crate) fn invalid_range(detail: impl Into<String>) -> Problem {
    Problem::bad_query("invalid-range", "The range is not valid", detail)
}

/// An IANA time zone.
impl Value for Tz {
    fn read(name: &'static str, text: &str) -> Result<Self, Problem> {
        text.parse().map_err(|_| {
            let detail = format!("{name} is an IANA time zone like Europe/Oslo");
            Problem::bad_query("unknown-time-zone", "Unknown time zone", detail)
        })
    }

    fn schema() -> Schema {
        of_our_format("time-zone").examples([json!("Europe/Oslo")]).build().into()
    }
}

/// RFC 3339, with an offset.
impl Value for DateTime<Utc> {
    fn read(name: &'static str, text: &str) -> Result<Self, Problem> {
        instant::parse(text).ok_or_else(|| invalid(name, "it is RFC 3339, with an offset"))
    }

    fn schema() -> Schema {
        of_format(KnownFormat::DateTime)
    }
}

/// How many items a page has at most.
impl Value for Limit {
    fn read(name: &'static str, text: &str) -> Result<Self, Problem> {
        Self::new(u32::read(name, text)?).map_err(|error| invalid(name, error))
    }

    fn schema() -> Schema {
        number().minimum(Some(1)).maximum(Some(Self::MAX)).build().into()
    }
}

/// Where a page begins: whether it is one is known when it is read from.
impl Value for Cursor {
    fn read(_: &'static str, text: &str) -> Result<Self, Problem> {
        Ok(Self::new(text.to_owned()))
    }

    fn schema() -> Schema {
        string()
            .max_length(Some(Pairs::MAX_VALUE_BYTES))
            .pattern(Some("^[A-Za-z0-9_-]+$"))
            .build()
            .into()
    }
}

impl Value for Duration {
    fn read(name: &'static str, text: &str) -> Result<Self, Problem> {
        Self::from_minutes(u32::read(name, text)?).map_err(|error| invalid(name, error))
    }

    fn schema() -> Schema {
        number().minimum(Some(1)).maximum(Some(44_640)).build().into()
    }
}

/// Texts: what does not fit its type is refused.
macro_rules! texts {
    ($($type:ty),+) => {$(
        impl Value for $type {
            fn read(name: &'static str, text: &str) -> Result<Self, Problem> {
                Self::new(text).map_err(|error| invalid(name, error))
            }

            fn schema() -> Schema {
                string().min_length(Some(1)).max_length(Some(Self::MAX_CHARS)).build().into()
            }
        }
    )+};
}

texts!(Category, Name, Reference, Tag);

/// Words, of which there is one at least.
impl Value for TitleWords {
    fn read(name: &'static str, text: &str) -> Result<Self, Problem> {
        Self::parse(text).map_err(|error| invalid(name, error))
    }

    fn schema() -> Schema {
        string().max_length(Some(Self::MAX_CHARS)).build().into()
    }
}

impl Value for Email {
    fn read(name: &'static str, text: &str) -> Result<Self, Problem> {
        Self::new(text).map_err(|error| invalid(name, error))
    }

    fn schema() -> Schema {
        let format = SchemaFormat::KnownFormat(KnownFormat::Email);
        string().max_length(Some(Self::MAX_CHARS)).format(Some(format)).build().into()
    }
}

/// An unencoded `+` of a query is a space, and is not missed in any other text.
impl Value for Phone {
    fn read(name: &'static str, text: &str) -> Result<Self, Problem> {
        let abroad = text.strip_prefix(' ').map(|number| format!("+{number}"));
        Self::new(abroad.as_deref().unwrap_or(text)).map_err(|error| invalid(name, error))
    }

    fn schema() -> Schema {
        const THREE_DIGITS: &str = "^[ ().+-]*([0-9][ ().+-]*){3,}$";
        string().max_length(Some(Self::MAX_CHARS)).pattern(Some(THREE_DIGITS)).build().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_of_one_form_and_exist() {
        assert!(NaiveDate::read("from", "2028-02-29").is_ok());
        for bad in
            ["2026-02-30", "2026-2-3", "26-02-03", "tomorrow", "2026-02-03T00:00", "+026-02-03"]
        {
            let problem = NaiveDate::read("from", bad).unwrap_err();
            assert_eq!(problem.kind(), "urn:daybook:problem:invalid-date", "{bad}");
        }
    }
}
