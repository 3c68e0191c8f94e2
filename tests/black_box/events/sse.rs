//! Someone who reads Server-Sent Events as a browser does (HTML standard, section 9.2.6).

use std::io::{BufRead as _, BufReader, Read};

use crate::harness::{Answer, Api};

/// An open stream; closed when dropped.
pub(crate) struct Stream {
    lines: BufReader<Box<dyn Read + Send>>,
    /// The last id that the server has given.
    pub(crate) last_id: Option<String>,
}

/// An event that was dispatched.
#[derive(Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) data: String,
    pub(crate) id: String,
}

impl Stream {
    pub(crate) fn open(api: &Api, query: &str, last_id: Option<&str>) -> Result<Self, Box<Answer>> {
        let mut request = api.get(&format!("/v1/events/stream?{query}"));
        if let Some(last_id) = last_id {
            request = request.header("last-event-id", last_id);
        }
        let body = request.open("text/event-stream")?;
        Ok(Self { lines: BufReader::new(body), last_id: last_id.map(str::to_owned) })
    }

    /// The next event; `None`: the stream has ended or is cut.
    pub(crate) fn next(&mut self) -> Option<Event> {
        let (mut name, mut data, mut id) = (String::new(), String::new(), self.last_id.clone());
        loop {
            let mut line = String::new();
            let read = self.lines.read_line(&mut line).ok()?;
            if read == 0 || !line.ends_with('\n') {
                // What is not finished by an empty line has not been said.
                return None;
            }
            match line.trim_end_matches('\n').split_once(':') {
                None if line == "\n" => {
                    self.last_id.clone_from(&id);
                    if !data.is_empty() {
                        return Some(Event { name, data, id: id.unwrap_or_default() });
                    }
                }
                Some(("id", value)) => id = Some(value.trim_start().to_owned()),
                Some(("event", value)) => value.trim_start().clone_into(&mut name),
                Some(("data", value)) => data.push_str(value.trim_start()),
                _ => {}
            }
        }
    }
}
