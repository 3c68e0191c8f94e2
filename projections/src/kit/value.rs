//! What columns hold, written in PostgreSQL's binary format.

use chrono::{DateTime, NaiveDate, Utc};
use daybook_domain::appointment::{CancelledBy, ConflictReason, Status};
use daybook_domain::reminder;
use daybook_domain::sending;
use daybook_domain::service::ReminderRule;
use daybook_domain::session::SessionStatus;
use daybook_domain::{
    AppointmentId, Category, ClientId, Location, NoticeId, Reference, ReminderId, ResourceId,
    ResourceIds, ServiceId, SessionId, Tags, WaitingEntryId, waiting,
};
use daybook_store::Position;
use serde::Serialize;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo};
use sqlx::{Encode, Postgres, Type};
use uuid::Uuid;

use crate::catalogue::CatalogueStatus;

/// A type of PostgreSQL, and that of arrays of it. The numbers are its catalogue's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PgType {
    pub(super) name: &'static str,
    pub(super) oid: u32,
    pub(super) array_oid: u32,
}

const UUID: PgType = PgType { name: "uuid", oid: 2950, array_oid: 2951 };
const TEXT: PgType = PgType { name: "text", oid: 25, array_oid: 1009 };
const TIMESTAMPTZ: PgType = PgType { name: "timestamptz", oid: 1184, array_oid: 1185 };
const DATE: PgType = PgType { name: "date", oid: 1082, array_oid: 1182 };
const BOOL: PgType = PgType { name: "bool", oid: 16, array_oid: 1000 };
const SMALLINT: PgType = PgType { name: "int2", oid: 21, array_oid: 1005 };
const INT: PgType = PgType { name: "int4", oid: 23, array_oid: 1007 };
const BIGINT: PgType = PgType { name: "int8", oid: 20, array_oid: 1016 };
pub(super) const JSON: PgType = PgType { name: "json", oid: 114, array_oid: 199 };

/// How many elements a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One.
    NotNull,
    /// One, which may be NULL.
    Nullable,
    /// As many as there are.
    Array,
}

/// A value that a column holds.
pub(crate) trait PgValue {
    /// The type of its elements.
    const TYPE: PgType;
    /// How many there are.
    const SHAPE: Shape = Shape::NotNull;

    /// Adds its elements: one, unless it is an array.
    fn push_to(&self, to: &mut Elements) -> Result<(), BoxDynError>;
}

/// Values of one type, each with its length before it: so they are in an array, and in a row of COPY.
#[derive(Default)]
pub(crate) struct Elements {
    bytes: PgArgumentBuffer,
    count: i32,
}

impl Elements {
    pub(super) fn push<'q>(
        &mut self,
        value: &impl Encode<'q, Postgres>,
    ) -> Result<(), BoxDynError> {
        self.push_with(|bytes| value.encode_by_ref(bytes))
    }

    pub(super) fn push_json(&mut self, value: &impl Serialize) -> Result<(), BoxDynError> {
        self.push_with(|bytes| {
            serde_json::to_writer(&mut **bytes, value)?;
            Ok(IsNull::No)
        })
    }

    fn push_with(
        &mut self,
        write: impl FnOnce(&mut PgArgumentBuffer) -> Result<IsNull, BoxDynError>,
    ) -> Result<(), BoxDynError> {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(&(-1_i32).to_be_bytes());
        self.count += 1;
        if matches!(write(&mut self.bytes)?, IsNull::No) {
            let length = i32::try_from(self.bytes.len() - at - 4)?;
            self.bytes[at..at + 4].copy_from_slice(&length.to_be_bytes());
        }
        Ok(())
    }

    pub(super) const fn count(&self) -> i32 {
        self.count
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.count = 0;
    }
}

/// What an array of this many elements of a type begins with: one dimension, no NULL bitmap, from 1.
pub(super) fn array_header(of: PgType, count: i32) -> [u8; 20] {
    let mut header = [0; 20];
    let oid = of.oid.cast_signed();
    for (n, number) in [1, 0, oid, count, 1].into_iter().enumerate() {
        header[n * 4..n * 4 + 4].copy_from_slice(&number.to_be_bytes());
    }
    header
}

/// An array as a statement takes it.
pub(super) struct Array {
    pub(super) of: PgType,
    pub(super) elements: Elements,
}

impl Type<Postgres> for Array {
    // Of an array without a type; each says its own.
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(0))
    }
}

impl Encode<'_, Postgres> for Array {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend_from_slice(&array_header(self.of, self.elements.count()));
        buffer.extend_from_slice(self.elements.as_bytes());
        Ok(IsNull::No)
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(PgTypeInfo::with_oid(Oid(self.of.array_oid)))
    }
}

/// `Type, its type in PostgreSQL, from a reference to what is encoded`.
macro_rules! values {
    ($($type:ty: $pg:ident, $get:expr;)*) => {$(
        impl PgValue for $type {
            const TYPE: PgType = $pg;

            fn push_to(&self, to: &mut Elements) -> Result<(), BoxDynError> {
                let get: fn(&Self) -> _ = $get;
                to.push(&get(self))
            }
        }
    )*};
}

values! {
    Uuid: UUID, |it| *it;
    AppointmentId: UUID, |it| it.uuid();
    ClientId: UUID, |it| it.uuid();
    ResourceId: UUID, |it| it.uuid();
    ServiceId: UUID, |it| it.uuid();
    SessionId: UUID, |it| it.uuid();
    WaitingEntryId: UUID, |it| it.uuid();
    ReminderId: UUID, |it| it.uuid();
    NoticeId: UUID, |it| it.uuid();
    DateTime<Utc>: TIMESTAMPTZ, |it| *it;
    NaiveDate: DATE, |it| *it;
    bool: BOOL, |it| *it;
    i32: INT, |it| *it;
    i64: BIGINT, |it| *it;
    u16: SMALLINT, |it| it.cast_signed();
    u32: INT, |it| it.cast_signed();
    u64: BIGINT, |it| it.cast_signed();
    Position: BIGINT, |it| it.as_i64();
    Status: TEXT, |it| it.as_str();
    SessionStatus: TEXT, |it| it.as_str();
    CatalogueStatus: TEXT, |it| it.as_str();
    waiting::Status: TEXT, |it| it.as_str();
    sending::Status: TEXT, |it| it.as_str();
    sending::Failure: TEXT, |it| it.as_str();
    reminder::Why: TEXT, |it| it.as_str();
    ReminderRule: TEXT, |it| it.to_string();
    ConflictReason: TEXT, |it| it.as_str();
    CancelledBy: TEXT, |it| side_name(*it);
}

/// The same of what lends its text.
macro_rules! texts {
    ($($type:ty),*) => {$(
        impl PgValue for $type {
            const TYPE: PgType = TEXT;

            fn push_to(&self, to: &mut Elements) -> Result<(), BoxDynError> {
                let text: &str = self.as_str();
                to.push(&text)
            }
        }
    )*};
}

texts!(String, Category, Location, Reference);

impl PgValue for &'static str {
    const TYPE: PgType = TEXT;

    fn push_to(&self, to: &mut Elements) -> Result<(), BoxDynError> {
        to.push(self)
    }
}

impl<T: PgValue> PgValue for Option<T> {
    const TYPE: PgType = T::TYPE;
    const SHAPE: Shape = Shape::Nullable;

    fn push_to(&self, to: &mut Elements) -> Result<(), BoxDynError> {
        match self {
            Some(value) => value.push_to(to),
            None => to.push_with(|_| Ok(IsNull::Yes)),
        }
    }
}

impl<T: PgValue> PgValue for Vec<T> {
    const TYPE: PgType = T::TYPE;
    const SHAPE: Shape = Shape::Array;

    fn push_to(&self, to: &mut Elements) -> Result<(), BoxDynError> {
        self.iter().try_for_each(|value| value.push_to(to))
    }
}

impl PgValue for ResourceIds {
    const TYPE: PgType = UUID;
    const SHAPE: Shape = Shape::Array;

    fn push_to(&self, to: &mut Elements) -> Result<(), BoxDynError> {
        self.iter().try_for_each(|id| id.push_to(to))
    }
}

impl PgValue for Tags {
    const TYPE: PgType = TEXT;
    const SHAPE: Shape = Shape::Array;

    fn push_to(&self, to: &mut Elements) -> Result<(), BoxDynError> {
        self.iter().try_for_each(|tag| to.push(&tag.as_str()))
    }
}

/// A value that a column of type `json` has whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Json<T>(pub(crate) T);

impl<T: Serialize> PgValue for Json<T> {
    const TYPE: PgType = JSON;

    fn push_to(&self, to: &mut Elements) -> Result<(), BoxDynError> {
        to.push_json(&self.0)
    }
}

/// The name of a side in tables.
const fn side_name(side: CancelledBy) -> &'static str {
    match side {
        CancelledBy::Client => "client",
        CancelledBy::Staff => "staff",
        CancelledBy::System => "system",
    }
}

/// The side of a name. The schemas let no other name in.
pub(super) fn side_named(name: &str) -> CancelledBy {
    match name {
        "client" => CancelledBy::Client,
        "staff" => CancelledBy::Staff,
        _ => CancelledBy::System,
    }
}
