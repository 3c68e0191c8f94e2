//! What columns hold, read back.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use daybook_domain::appointment::{CancelledBy, ConflictReason, Status};
use daybook_domain::reminder;
use daybook_domain::sending;
use daybook_domain::service::ReminderRule;
use daybook_domain::session::SessionStatus;
use daybook_domain::{
    AppointmentId, Category, ClientId, Location, NoticeId, Reference, ReminderId, ResourceId,
    ResourceIds, ServiceId, SessionId, Tag, Tags, WaitingEntryId, waiting,
};
use daybook_store::{Position, not_understood};
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::error::BoxDynError;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::value::{Json, side_named};
use crate::catalogue::CatalogueStatus;

/// The value of a column.
pub(crate) fn column<T: FromColumn>(row: &PgRow, name: &str) -> Result<T, sqlx::Error> {
    T::from_column(row, name)
}

/// What a column can be read as.
pub(crate) trait FromColumn: Sized {
    /// From the column of this name.
    fn from_column(row: &PgRow, name: &str) -> Result<Self, sqlx::Error>;
}

/// `Type, what the database has for it, how that becomes one`.
macro_rules! columns {
    ($($type:ty: $stored:ty, $make:expr;)*) => {$(
        impl FromColumn for $type {
            fn from_column(row: &PgRow, name: &str) -> Result<Self, sqlx::Error> {
                let make: fn($stored) -> Result<Self, sqlx::Error> = $make;
                make(row.try_get::<$stored, _>(name)?)
            }
        }
    )*};
}

columns! {
    AppointmentId: Uuid, |it| Ok(it.into());
    ClientId: Uuid, |it| Ok(it.into());
    ResourceId: Uuid, |it| Ok(it.into());
    ServiceId: Uuid, |it| Ok(it.into());
    SessionId: Uuid, |it| Ok(it.into());
    WaitingEntryId: Uuid, |it| Ok(it.into());
    ReminderId: Uuid, |it| Ok(it.into());
    NoticeId: Uuid, |it| Ok(it.into());
    Option<ResourceId>: Option<Uuid>, |it| Ok(it.map(Into::into));
    Option<SessionId>: Option<Uuid>, |it| Ok(it.map(Into::into));
    Option<AppointmentId>: Option<Uuid>, |it| Ok(it.map(Into::into));
    Option<ConflictReason>: Option<&str>, |it| it.map(str::parse).transpose().map_err(decode);
    Vec<ConflictReason>: Vec<String>, |it| {
        it.iter().map(|text| text.parse().map_err(decode)).collect()
    };
    Uuid: Uuid, Ok;
    DateTime<Utc>: DateTime<Utc>, Ok;
    Option<DateTime<Utc>>: Option<DateTime<Utc>>, Ok;
    NaiveDate: NaiveDate, Ok;
    bool: bool, Ok;
    i64: i64, Ok;
    u32: i32, |it| Ok(it.cast_unsigned());
    Option<u32>: Option<i32>, |it| Ok(it.map(i32::cast_unsigned));
    u64: i64, |it| Ok(it.cast_unsigned());
    Vec<u16>: Vec<i16>, |it| Ok(it.into_iter().map(i16::cast_unsigned).collect());
    Position: i64, |it| Ok(Position::from_i64(it));
    Option<Position>: Option<i64>, |it| Ok(it.map(Position::from_i64));
    Status: &str, |it| it.parse().map_err(decode);
    SessionStatus: &str, |it| it.parse().map_err(decode);
    CatalogueStatus: &str, |it| Ok(Self::named(it));
    waiting::Status: &str, |it| it.parse().map_err(decode);
    sending::Status: &str, |it| it.parse().map_err(decode);
    Option<sending::Failure>: Option<&str>, |it| it.map(str::parse).transpose().map_err(decode);
    Option<reminder::Why>: Option<&str>, |it| it.map(str::parse).transpose().map_err(decode);
    ReminderRule: &str, |it| it.parse().map_err(decode);
    Option<u16>: Option<i16>, |it| Ok(it.map(i16::cast_unsigned));
    u16: i16, |it| Ok(it.cast_unsigned());
    ConflictReason: &str, |it| it.parse().map_err(decode);
    Option<CancelledBy>: Option<&str>, |it| Ok(it.map(side_named));
    String: String, Ok;
    Category: String, |it| Category::try_from(it).map_err(decode);
    Option<Location>: Option<String>, |it| it.map(Location::try_from).transpose().map_err(decode);
    Option<Reference>: Option<String>, |it| it.map(Reference::try_from).transpose().map_err(decode);
    ResourceIds: Vec<Uuid>, |it| {
        let ids: Vec<ResourceId> = it.into_iter().map(Into::into).collect();
        Self::try_from(ids).map_err(decode)
    };
    Tags: Vec<String>, |it| {
        let tags: Result<BTreeSet<Tag>, _> = it.into_iter().map(Tag::try_from).collect();
        Self::try_from(tags.map_err(decode)?).map_err(decode)
    };
}

impl<T: DeserializeOwned> FromColumn for Json<T> {
    fn from_column(row: &PgRow, name: &str) -> Result<Self, sqlx::Error> {
        let sqlx::types::Json(value) = row.try_get(name).map_err(without_values)?;
        Ok(Self(value))
    }
}

/// The same error, without a word of the JSON that it is about.
fn without_values(error: sqlx::Error) -> sqlx::Error {
    let sqlx::Error::ColumnDecode { index, source } = error else { return error };
    let source: BoxDynError = match source.downcast::<serde_json::Error>() {
        Ok(json) => not_understood(&json).into(),
        Err(other) => other,
    };
    sqlx::Error::ColumnDecode { index, source }
}

/// A value that is not what this program wrote.
pub(crate) fn decode(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}
