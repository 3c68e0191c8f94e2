//! Apache Parquet: instants are timestamps in UTC, lists are lists, and what is not said is null.

use std::sync::Arc;

use chrono::DateTime;
use daybook_store::feed::{CloudEvent, Feed};
use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use super::columns::Row;
use super::{EncodeError, Encoder};

/// How many rows are gathered before they are written, and how large they are: all that is in memory at once.
const ROWS: usize = 10_000;
const MAX_BYTES: usize = 2 * Feed::MAX_BYTES;

const SCHEMA: &str = "message event {
    REQUIRED INT64 position;
    REQUIRED INT64 recorded_at (TIMESTAMP(MICROS, true));
    REQUIRED BYTE_ARRAY event_type (STRING);
    REQUIRED BYTE_ARRAY event_version (STRING);
    REQUIRED BYTE_ARRAY aggregate_type (STRING);
    REQUIRED BYTE_ARRAY aggregate_id (STRING);
    REQUIRED INT64 version;
    OPTIONAL BYTE_ARRAY actor (STRING);
    OPTIONAL BYTE_ARRAY correlation_id (STRING);
    OPTIONAL BYTE_ARRAY causation_id (STRING);
    OPTIONAL BYTE_ARRAY service_id (STRING);
    OPTIONAL BYTE_ARRAY client_id (STRING);
    OPTIONAL GROUP resource_ids (LIST) {
        REPEATED GROUP list { REQUIRED BYTE_ARRAY element (STRING); }
    }
    OPTIONAL INT64 start_at (TIMESTAMP(MICROS, true));
    OPTIONAL INT64 end_at (TIMESTAMP(MICROS, true));
    OPTIONAL BYTE_ARRAY title (STRING);
    OPTIONAL BYTE_ARRAY category (STRING);
    OPTIONAL GROUP tags (LIST) {
        REPEATED GROUP list { REQUIRED BYTE_ARRAY element (STRING); }
    }
    REQUIRED BYTE_ARRAY data (JSON);
}";

/// A file, as far as it has been written.
pub(super) struct File {
    writer: SerializedFileWriter<Vec<u8>>,
    /// Rows that wait for others.
    rows: Vec<CloudEvent>,
    /// How large they are.
    bytes: usize,
}

impl File {
    pub(super) fn new() -> Result<Self, EncodeError> {
        let schema = Arc::new(parse_message_type(SCHEMA)?);
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))?;
        Ok(Self { writer, rows: Vec::new(), bytes: 0 })
    }

    fn write_rows(&mut self) -> Result<(), EncodeError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let rows: Vec<Row<'_>> = self.rows.iter().map(Row::of).collect();
        let mut group = self.writer.next_row_group()?;
        let text = |text: &str| ByteArray::from(text);
        numbers(&mut group, &rows, |row| Some(row.event.position.as_i64()))?;
        numbers(&mut group, &rows, |row| Some(row.event.recorded_at.timestamp_micros()))?;
        texts(&mut group, &rows, |row| Some(text(&row.event.event_type)))?;
        texts(&mut group, &rows, |row| Some(text(&row.event.event_version)))?;
        texts(&mut group, &rows, |row| Some(text(&row.event.aggregate_type)))?;
        texts(&mut group, &rows, |row| Some(text(&row.event.aggregate_id.to_string())))?;
        numbers(&mut group, &rows, |row| i64::try_from(row.event.stream_version).ok())?;
        texts(&mut group, &rows, |row| row.event.actor.as_deref().map(text))?;
        texts(&mut group, &rows, |row| row.event.correlation_id.as_deref().map(text))?;
        texts(&mut group, &rows, |row| row.event.causation_id.as_deref().map(text))?;
        texts(&mut group, &rows, |row| row.service_id.map(text))?;
        texts(&mut group, &rows, |row| row.client_id.map(text))?;
        lists(&mut group, &rows, |row| row.resource_ids.as_deref())?;
        numbers(&mut group, &rows, |row| row.start_at.as_ref().map(DateTime::timestamp_micros))?;
        numbers(&mut group, &rows, |row| row.end_at.as_ref().map(DateTime::timestamp_micros))?;
        texts(&mut group, &rows, |row| row.title.map(text))?;
        texts(&mut group, &rows, |row| row.category.map(text))?;
        lists(&mut group, &rows, |row| row.tags.as_deref())?;
        texts(&mut group, &rows, |row| Some(text(&row.event.data.to_string())))?;
        group.close()?;
        self.rows.clear();
        self.bytes = 0;
        Ok(())
    }
}

impl Encoder for File {
    fn write(&mut self, event: &CloudEvent) -> Result<(), EncodeError> {
        self.rows.push(event.clone());
        if self.rows.len() >= ROWS { self.write_rows() } else { Ok(()) }
    }

    fn take(&mut self, bytes: usize) -> Result<Vec<u8>, EncodeError> {
        self.bytes += bytes;
        if self.bytes >= MAX_BYTES {
            self.write_rows()?;
        }
        Ok(std::mem::take(self.writer.inner_mut()))
    }

    fn finish(mut self: Box<Self>) -> Result<Vec<u8>, EncodeError> {
        self.write_rows()?;
        Ok(self.writer.into_inner()?)
    }
}

type Group<'a> = SerializedRowGroupWriter<'a, Vec<u8>>;

fn end() -> ParquetError {
    ParquetError::General("the schema has fewer columns than are written".to_owned())
}

fn numbers<'r>(
    group: &mut Group<'_>,
    rows: &'r [Row<'r>],
    value: impl Fn(&'r Row<'r>) -> Option<i64>,
) -> Result<(), EncodeError> {
    let mut column = group.next_column()?.ok_or_else(end)?;
    let values: Vec<Option<i64>> = rows.iter().map(value).collect();
    let there: Vec<i64> = values.iter().filter_map(|value| *value).collect();
    let levels = levels(&values);
    column.typed::<Int64Type>().write_batch(&there, Some(&levels), None)?;
    Ok(column.close()?)
}

fn texts<'r>(
    group: &mut Group<'_>,
    rows: &'r [Row<'r>],
    value: impl Fn(&'r Row<'r>) -> Option<ByteArray>,
) -> Result<(), EncodeError> {
    let mut column = group.next_column()?.ok_or_else(end)?;
    let values: Vec<Option<ByteArray>> = rows.iter().map(value).collect();
    let levels = levels(&values);
    let there: Vec<ByteArray> = values.into_iter().flatten().collect();
    column.typed::<ByteArrayType>().write_batch(&there, Some(&levels), None)?;
    Ok(column.close()?)
}

/// 0 where there is no value, 1 where there is one. Of a column that always has one, none are written.
fn levels<T>(values: &[Option<T>]) -> Vec<i16> {
    values.iter().map(|value| i16::from(value.is_some())).collect()
}

/// Levels as Dremel has them. Definition: 0 is no list, 1 an empty one, 2 an element. Repetition: 0
/// begins a row, 1 goes on with its list.
fn lists<'r>(
    group: &mut Group<'_>,
    rows: &'r [Row<'r>],
    value: impl Fn(&'r Row<'r>) -> Option<&'r [&'r str]>,
) -> Result<(), EncodeError> {
    let mut column = group.next_column()?.ok_or_else(end)?;
    let (mut there, mut definitions, mut repetitions) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        let elements = value(row);
        if elements.is_none_or(<[_]>::is_empty) {
            definitions.push(i16::from(elements.is_some()));
            repetitions.push(0);
        }
        for (nth, element) in elements.unwrap_or_default().iter().enumerate() {
            there.push(ByteArray::from(*element));
            definitions.push(2);
            repetitions.push(i16::from(nth > 0));
        }
    }
    let (definitions, repetitions) = (Some(&*definitions), Some(&*repetitions));
    column.typed::<ByteArrayType>().write_batch(&there, definitions, repetitions)?;
    Ok(column.close()?)
}
