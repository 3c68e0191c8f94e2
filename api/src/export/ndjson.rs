//! A CloudEvent per line.

use daybook_store::feed::CloudEvent;

use super::{EncodeError, Encoder};

pub(crate) const MEDIA_TYPE: &str = "application/x-ndjson";

/// Adds an event as a line.
pub(crate) fn write(event: &CloudEvent, lines: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    serde_json::to_writer(&mut *lines, event)?;
    lines.push(b'\n');
    Ok(())
}

#[derive(Default)]
pub(super) struct Lines(Vec<u8>);

impl Encoder for Lines {
    fn write(&mut self, event: &CloudEvent) -> Result<(), EncodeError> {
        Ok(write(event, &mut self.0)?)
    }

    fn take(&mut self, _: usize) -> Result<Vec<u8>, EncodeError> {
        Ok(std::mem::take(&mut self.0))
    }

    fn finish(self: Box<Self>) -> Result<Vec<u8>, EncodeError> {
        Ok(self.0)
    }
}
