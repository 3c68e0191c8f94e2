//! Apache Parquet: instants are timestamps in UTC, lists are lists, and what is not said is null.

use std::fmt::Write as _;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use daybook_store::feed::{CloudEvent, Feed};
use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use super::columns::{COLUMNS, Cell, Kind};
use super::{EncodeError, Encoder};

/// How many rows are gathered before they are written, and how large they are: all that is in memory at once.
const ROWS: usize = 10_000;
const MAX_BYTES: usize = 2 * Feed::MAX_BYTES;

/// The columns, as Parquet writes a schema.
fn schema() -> String {
    let mut schema = "message event {\n".to_owned();
    for column in &COLUMNS {
        let (there, name) = (if column.always { "REQUIRED" } else { "OPTIONAL" }, column.name);
        let _ = match column.kind {
            Kind::Integer => writeln!(schema, "{there} INT64 {name};"),
            Kind::Instant => writeln!(schema, "{there} INT64 {name} (TIMESTAMP(MICROS, true));"),
            Kind::Text => writeln!(schema, "{there} BYTE_ARRAY {name} (STRING);"),
            Kind::Json => writeln!(schema, "{there} BYTE_ARRAY {name} (JSON);"),
            Kind::Texts => writeln!(
                schema,
                "{there} GROUP {name} (LIST) {{
                    REPEATED GROUP list {{ REQUIRED BYTE_ARRAY element (STRING); }}
                }}"
            ),
        };
    }
    schema + "}"
}

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
        let schema = Arc::new(parse_message_type(&schema())?);
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))?;
        Ok(Self { writer, rows: Vec::new(), bytes: 0 })
    }

    fn write_rows(&mut self) -> Result<(), EncodeError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let mut group = self.writer.next_row_group()?;
        for column in &COLUMNS {
            let cells: Vec<Option<Cell<'_>>> = self.rows.iter().map(column.of).collect();
            match column.kind {
                Kind::Integer | Kind::Instant => numbers(&mut group, &cells)?,
                Kind::Text | Kind::Json => texts(&mut group, &cells)?,
                Kind::Texts => lists(&mut group, &cells)?,
            }
        }
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

fn numbers(group: &mut Group<'_>, cells: &[Option<Cell<'_>>]) -> Result<(), EncodeError> {
    let mut column = group.next_column()?.ok_or_else(end)?;
    let values = cells.iter().map(|cell| match cell {
        Some(Cell::Integer(number)) => Some(*number),
        Some(Cell::Instant(at)) => Some(DateTime::<Utc>::timestamp_micros(at)),
        _ => None,
    });
    let values: Vec<Option<i64>> = values.collect();
    let there: Vec<i64> = values.iter().filter_map(|value| *value).collect();
    let levels = levels(&values);
    column.typed::<Int64Type>().write_batch(&there, Some(&levels), None)?;
    Ok(column.close()?)
}

fn texts(group: &mut Group<'_>, cells: &[Option<Cell<'_>>]) -> Result<(), EncodeError> {
    let mut column = group.next_column()?.ok_or_else(end)?;
    let values = cells.iter().map(|cell| match cell {
        Some(Cell::Text(text)) => Some(ByteArray::from(&**text)),
        Some(Cell::Json(json)) => Some(ByteArray::from(json.as_str())),
        _ => None,
    });
    let values: Vec<Option<ByteArray>> = values.collect();
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
fn lists(group: &mut Group<'_>, cells: &[Option<Cell<'_>>]) -> Result<(), EncodeError> {
    let mut column = group.next_column()?.ok_or_else(end)?;
    let (mut there, mut definitions, mut repetitions) = (Vec::new(), Vec::new(), Vec::new());
    for cell in cells {
        let elements = match cell {
            Some(Cell::Texts(elements)) => Some(&**elements),
            _ => None,
        };
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
