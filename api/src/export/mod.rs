//! The log as a file: NDJSON, CSV or Parquet, written as it is read and never held in memory.
//!
//! The program's `export` and the route of the same are two callers of [`export`].

mod columns;
mod csv;
pub(crate) mod ndjson;
#[cfg(feature = "parquet")]
mod parquet;

use std::str::FromStr;

use daybook_store::Position;
use daybook_store::feed::{CloudEvent, Feed};
use tokio::sync::{Semaphore, mpsc};

/// How many events are read at once.
const PART: usize = 1_000;

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A CloudEvent per line.
    Ndjson,
    /// RFC 4180, with a line of names.
    Csv,
    /// Apache Parquet, with types.
    Parquet,
}

/// A text that names no format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnknownFormat {
    /// There is none of that name.
    #[error("it is ndjson, csv or parquet")]
    Unknown,
    /// This program was built without it.
    #[error("this program was built without parquet")]
    NotBuilt,
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        match text {
            "ndjson" => Ok(Self::Ndjson),
            "csv" => Ok(Self::Csv),
            "parquet" if cfg!(feature = "parquet") => Ok(Self::Parquet),
            "parquet" => Err(UnknownFormat::NotBuilt),
            _ => Err(UnknownFormat::Unknown),
        }
    }
}

impl Format {
    /// Its media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Ndjson => ndjson::MEDIA_TYPE,
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }

    /// How the name of such a file ends.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }

    fn encoder(self) -> Result<Box<dyn Encoder>, EncodeError> {
        match self {
            Self::Ndjson => Ok(Box::new(ndjson::Lines::default())),
            Self::Csv => Ok(Box::new(csv::Records::new()?)),
            #[cfg(feature = "parquet")]
            Self::Parquet => Ok(Box::new(parquet::File::new()?)),
            #[cfg(not(feature = "parquet"))]
            Self::Parquet => Err(UnknownFormat::NotBuilt.into()),
        }
    }
}

/// An event could not be written in a format.
pub type EncodeError = Box<dyn std::error::Error + Send + Sync>;

/// Writes events in one format, into memory, from where they are taken.
trait Encoder: Send {
    fn write(&mut self, event: &CloudEvent) -> Result<(), EncodeError>;

    /// What is ready so far; so many bytes of events have been written since it was taken last.
    fn take(&mut self, bytes: usize) -> Result<Vec<u8>, EncodeError>;

    /// The rest, when there are no more events.
    fn finish(self: Box<Self>) -> Result<Vec<u8>, EncodeError>;
}

/// Why an export breaks off.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The log could not be read.
    #[error("the log cannot be read: {0}")]
    Log(#[from] sqlx::Error),
    /// Whoever reads it may do so no more.
    #[error("the key has ended")]
    KeyEnded,
    /// An event could not be written in the format.
    #[error("an event cannot be written: {0}")]
    Encode(EncodeError),
}

/// The parts of a file, in order; an error is the last.
pub type Parts = mpsc::Sender<Result<Vec<u8>, ExportError>>;

/// Writes the events after a position up to another, until it is done or nobody takes the parts any
/// more. It reads a stretch at a time, each for itself and in its turn: no transaction is open meanwhile. How
/// many events there were.
pub async fn export(
    feed: &Feed,
    format: Format,
    (after, until): (Position, Position),
    turns: &Semaphore,
    parts: Parts,
) -> u64 {
    let mut events = 0;
    if let Err(error) = write(feed, format, (after, until), turns, &parts, &mut events).await {
        tracing::warn!(%error, "an export breaks off");
        let _ = parts.send(Err(error)).await;
    }
    events
}

async fn write(
    feed: &Feed,
    format: Format,
    (after, until): (Position, Position),
    turns: &Semaphore,
    parts: &Parts,
    events: &mut u64,
) -> Result<(), ExportError> {
    let mut encoder = format.encoder().map_err(ExportError::Encode)?;
    let mut read_to = after;
    while read_to < until {
        let ready = {
            // It is never closed; and whoever waits for a reader waits without a turn.
            let _turn = turns.acquire().await.ok();
            let stretch = feed.read(read_to, until, PART).await?;
            for event in &stretch.events {
                encoder.write(event).map_err(ExportError::Encode)?;
            }
            *events += stretch.events.len() as u64;
            read_to = stretch.read_to;
            encoder.take(stretch.bytes).map_err(ExportError::Encode)?
        };
        if !ready.is_empty() && parts.send(Ok(ready)).await.is_err() {
            return Ok(());
        }
    }
    let rest = encoder.finish().map_err(ExportError::Encode)?;
    let _ = parts.send(Ok(rest)).await;
    Ok(())
}
