//! Tables of appointments (CSV), as booking programs export them: a row is an appointment.
//!
//! Columns are known by their names, in any case and any order; those that nobody knows are passed over.
//! [`columns`](self) says which they are. What is said about a client goes into the note, which is personal.

mod columns;
mod row;
#[cfg(test)]
mod tests;
mod times;

use std::io::{Read, Seek};

use csv::{Reader, ReaderBuilder, StringRecord, Trim};
use daybook_ical::MAX_EVENTS;
use thiserror::Error;

use self::columns::Columns;
use crate::calendar::error::shown;
use crate::calendar::{Group, ReadError, Reading, Refusal};

/// The names of columns, for whoever makes a table.
pub const HELP: &str = columns::HELP;

/// Why a table as a whole is not read.
#[derive(Debug, Error)]
pub enum TableError {
    /// It has no column that says when something begins.
    #[error("the table has no column \"start\"; it has {found}")]
    NoStart {
        /// The columns that it has, shortened.
        found: String,
    },
    /// A row has more fields than there are columns, a quote is not closed, or it is no UTF-8.
    #[error("the table is not sound: {0}")]
    Csv(#[from] csv::Error),
    /// It has more rows than are ever read.
    #[error("the table has more than {max} rows")]
    TooManyRows {
        /// The limit.
        max: usize,
    },
}

/// A table of which the rows are yet to be read.
#[derive(Debug)]
pub struct TableFile<R> {
    rows: Reader<R>,
    columns: Columns,
    count: usize,
}

/// Whether a file that begins so is a table and no calendar: its first line has a column that says when
/// something begins, beside another one.
#[must_use]
pub fn is_table(start: &[u8]) -> bool {
    let text = String::from_utf8_lossy(start);
    let text = text.trim_start_matches('\u{feff}');
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let delimiter = delimiter_of(first);
    let mut reader =
        ReaderBuilder::new().delimiter(delimiter).has_headers(false).from_reader(first.as_bytes());
    let mut header = StringRecord::new();
    let read = reader.read_record(&mut header).unwrap_or(false);
    read && header.len() > 1 && Columns::of(&header).is_ok()
}

/// What separates the fields: what the first line has most of.
fn delimiter_of(first: &str) -> u8 {
    let count = |delimiter: u8| first.bytes().filter(|byte| *byte == delimiter).count();
    [b',', b';', b'\t'].into_iter().rev().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',')
}

impl<R: Read + Seek> TableFile<R> {
    /// Reads a table once, to see whether it is sound.
    ///
    /// # Errors
    /// When it is not. Nothing of it should be booked.
    pub fn open(mut source: R) -> Result<Self, ReadError> {
        let mut start = [0; 4096];
        let read = source.read(&mut start)?;
        source.rewind()?;
        let text = String::from_utf8_lossy(&start[..read]);
        let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let mut builder = ReaderBuilder::new();
        builder.delimiter(delimiter_of(first)).trim(Trim::All);
        let mut rows = builder.from_reader(source);
        let header = rows.headers().map_err(TableError::from)?.clone();
        let columns = Columns::of(&header)?;
        let begun = rows.position().clone();
        let (mut count, mut record) = (0, StringRecord::new());
        while rows.read_record(&mut record).map_err(TableError::from)? {
            count += 1;
            if count > MAX_EVENTS {
                return Err(TableError::TooManyRows { max: MAX_EVENTS }.into());
            }
        }
        rows.seek(begun).map_err(TableError::from)?;
        Ok(Self { rows, columns, count })
    }

    /// How many rows it has.
    #[must_use]
    pub const fn event_count(&self) -> usize {
        self.count
    }

    /// What the next row comes to; `None`: that was all.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn next_group(&mut self, reading: &Reading) -> Result<Option<Group>, ReadError> {
        let mut record = StringRecord::new();
        if !self.rows.read_record(&mut record).map_err(TableError::from)? {
            return Ok(None);
        }
        let line = record.position().map_or(0, csv::Position::line);
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        let row = self.columns.row(&record, line);
        let entry = row.entry(reading).map_err(|reason| Refusal {
            line,
            shown: shown(row.name(), false),
            reason,
        });
        let all_of = entry.as_ref().ok().map(|entry| entry.uid.clone());
        Ok(Some(Group { entries: vec![entry], all_of, goes_on: false, events: 1 }))
    }
}
