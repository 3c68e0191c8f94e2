//! `COPY ... TO STDOUT (FORMAT binary)`: the rows of a query as the bytes that came, without a
//! value being made of each.

use bytes::{Buf as _, Bytes};
use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use daybook_domain::time::Interval;
use futures::TryStreamExt as _;
use futures::stream::BoxStream;
use sqlx::PgConnection;
use uuid::Uuid;

/// What a binary COPY begins with.
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";

/// The signature, the flags, and the length of an extension that was never made.
const HEADER_BYTES: usize = SIGNATURE.len() + 8;

/// 2000-01-01, PostgreSQL's epoch, in microseconds after ours.
const EPOCH_MICROS: i64 = 946_684_800_000_000;

/// What the first byte of a range says that has two ends, the first of which is in it (`rangetypes.h`).
const LOWER_INCLUDED: u8 = 0x02;

/// A tenant's name in SQL: COPY takes no parameters. A name holds no quotes.
pub(super) fn literal(tenant: &TenantId) -> String {
    format!("'{tenant}'")
}

/// The rows of a query, one after the other.
pub(super) struct Rows<'c> {
    messages: BoxStream<'c, Result<Bytes, sqlx::Error>>,
    row: Option<Bytes>,
}

/// The rows of `query`.
pub(super) async fn rows<'c>(
    connection: &'c mut PgConnection,
    query: &str,
) -> Result<Rows<'c>, sqlx::Error> {
    let statement = format!("COPY ({query}) TO STDOUT (FORMAT binary)");
    let messages = connection.copy_out_raw(&statement).await?;
    Ok(Rows { messages, row: None })
}

impl Rows<'_> {
    /// The next row's fields.
    pub(super) async fn next(&mut self) -> Result<Option<Fields<'_>>, sqlx::Error> {
        let Some(row) = self.next_raw().await? else { return Ok(None) };
        Ok(Some(Fields(self.row.insert(row))))
    }

    /// The next row's fields as they came, for [`Fields::of`]. The server sends each row in a message
    /// of its own; the first also holds the header.
    pub(super) async fn next_raw(&mut self) -> Result<Option<Bytes>, sqlx::Error> {
        let Some(mut row) = self.messages.try_next().await? else { return Ok(None) };
        if row.starts_with(SIGNATURE) {
            row = row.split_off(HEADER_BYTES.min(row.len()));
        }
        if row.try_get_i16().map_err(|_| garbled())? < 0 {
            // There are no more; what is left to read is that the statement is done.
            while self.messages.try_next().await?.is_some() {}
            return Ok(None);
        }
        Ok(Some(row))
    }
}

/// What is left of a row.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    /// The fields of a row that was kept as it came.
    pub(super) const fn of(raw: &'a [u8]) -> Self {
        Self(raw)
    }

    /// The fields as they came.
    pub(super) const fn raw(&self) -> &'a [u8] {
        self.0
    }

    /// The next field as it came; `None`: it is NULL.
    fn optional(&mut self) -> Result<Option<&'a [u8]>, sqlx::Error> {
        let (length, rest) = self.0.split_first_chunk().ok_or_else(garbled)?;
        self.0 = rest;
        let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else { return Ok(None) };
        let (field, rest) = self.0.split_at_checked(length).ok_or_else(garbled)?;
        self.0 = rest;
        Ok(Some(field))
    }

    /// The next field, a `bytea` or of whatever type.
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], sqlx::Error> {
        self.optional()?.ok_or_else(garbled)
    }

    /// The next field, a `text` or `json`.
    pub(super) fn text(&mut self) -> Result<&'a str, sqlx::Error> {
        std::str::from_utf8(self.bytes()?).map_err(|error| sqlx::Error::Decode(error.into()))
    }

    /// The next field, a `bigint`.
    pub(super) fn bigint(&mut self) -> Result<i64, sqlx::Error> {
        self.optional_bigint()?.ok_or_else(garbled)
    }

    /// The next field, a `bigint` that may be NULL.
    pub(super) fn optional_bigint(&mut self) -> Result<Option<i64>, sqlx::Error> {
        self.number().map(|number| number.map(i64::from_be_bytes))
    }

    /// The next field, a `smallint`.
    pub(super) fn smallint(&mut self) -> Result<i16, sqlx::Error> {
        self.number()?.map(i16::from_be_bytes).ok_or_else(garbled)
    }

    /// The next field, a `tstzrange`; `None`: it does not go from an instant to before a later one.
    pub(super) fn interval(&mut self) -> Result<Option<Interval>, sqlx::Error> {
        let Some((&flags, ends)) = self.bytes()?.split_first() else { return Err(garbled()) };
        if flags != LOWER_INCLUDED {
            return Ok(None);
        }
        let mut ends = Fields(ends);
        let ends = ends.instant()?.zip(ends.instant()?);
        Ok(ends.and_then(|(start, end)| Interval::new(start, end).ok()))
    }

    /// The next field, a `uuid`.
    pub(super) fn uuid(&mut self) -> Result<Uuid, sqlx::Error> {
        self.optional_uuid()?.ok_or_else(garbled)
    }

    /// The next field, a `uuid` that may be NULL.
    pub(super) fn optional_uuid(&mut self) -> Result<Option<Uuid>, sqlx::Error> {
        self.number().map(|bytes| bytes.map(Uuid::from_bytes))
    }

    /// The next field, a `timestamptz`; `None`: it is NULL or infinite.
    pub(super) fn instant(&mut self) -> Result<Option<DateTime<Utc>>, sqlx::Error> {
        let micros = self.optional_bigint()?.and_then(|micros| micros.checked_add(EPOCH_MICROS));
        Ok(micros.and_then(DateTime::from_timestamp_micros))
    }

    /// The next field, of a type that is so many bytes long.
    fn number<const N: usize>(&mut self) -> Result<Option<[u8; N]>, sqlx::Error> {
        let Some(field) = self.optional()? else { return Ok(None) };
        field.try_into().map(Some).map_err(|_| garbled())
    }
}

fn garbled() -> sqlx::Error {
    sqlx::Error::Protocol("a row of a COPY is not of the form that was asked for".to_owned())
}
