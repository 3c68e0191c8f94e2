//! As little of HTTP/1.1 as it takes to send requests and to read answers, on one connection.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// What came of an answer that is not kept.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) status: u16,
    pub(crate) bytes: usize,
    /// Of the body.
    pub(crate) beginning: String,
}

/// How long a stream may say nothing before it is taken for all that there is.
const SILENCE: Duration = Duration::from_secs(1);

/// An answer is never as long.
const LONGEST: usize = 1 << 20;

/// A connection that is kept.
pub(crate) struct Connection {
    stream: TcpStream,
    /// What came of the present answer.
    read: Vec<u8>,
}

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Left empty where it was a success, unless somebody looks at it.
    pub(crate) body: String,
    /// Where the log ended with what was done.
    pub(crate) position: Option<u64>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, read: Vec::with_capacity(4_096) })
    }

    /// Sends a request and reads its answer to the end.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> anyhow::Result<Answer> {
        let length = self.answer(request).await?;
        let whole = whole(&self.read)?.with_context(|| format!("{length} bytes are no answer"))?;
        let success = (200..300).contains(&whole.status);
        let body = if success { String::new() } else { whole.text() };
        Ok(Answer { status: whole.status, body, position: whole.position })
    }

    /// The same, of an answer that is to be read: a success, as JSON.
    pub(crate) async fn json(&mut self, request: &[u8]) -> anyhow::Result<serde_json::Value> {
        self.answer(request).await?;
        let whole = whole(&self.read)?.context("no answer")?;
        ensure!((200..300).contains(&whole.status), "{}: {}", whole.status, whole.text());
        Ok(serde_json::from_slice(whole.body)?)
    }

    /// Sends a request and reads its answer to the end, however long it is and whatever it is; a stream until it
    /// says nothing for a while.
    pub(crate) async fn read_through(&mut self, request: &[u8]) -> anyhow::Result<Read> {
        self.stream.write_all(request).await?;
        self.read.clear();
        let (mut dropped, mut expected) = (0, None);
        loop {
            match timeout(SILENCE * 20, self.stream.read_buf(&mut self.read)).await? {
                Ok(0) => break,
                read => read?,
            };
            if expected.is_none() {
                expected = Expected::read(&self.read)?;
            }
            let Some(expected) = &expected else { continue };
            let bytes = dropped + self.read.len();
            let is_over = match expected.end {
                End::After(length) => bytes >= length,
                End::LastChunk => self.read.ends_with(b"\r\n0\r\n\r\n"),
                End::Silence => {
                    let mut more = [0; 1];
                    timeout(SILENCE, self.stream.peek(&mut more)).await.is_err()
                }
            };
            if is_over {
                break;
            }
            // What has been counted is not kept, but for what may be the end.
            let kept = self.read.len().min(16);
            let counted = self.read.len() - kept;
            self.read.drain(..counted);
            dropped += counted;
        }
        let Expected { status, beginning, .. } = expected.context("no answer")?;
        Ok(Read { status, bytes: dropped + self.read.len(), beginning })
    }

    /// Reads an answer; how long it is.
    async fn answer(&mut self, request: &[u8]) -> anyhow::Result<usize> {
        self.stream.write_all(request).await?;
        self.read.clear();
        loop {
            let read = self.stream.read_buf(&mut self.read).await?;
            ensure!(read > 0, "the server has closed the connection");
            if whole(&self.read)?.is_some() {
                return Ok(self.read.len());
            }
            ensure!(self.read.len() <= LONGEST, "an answer without end");
        }
    }
}

/// What the head of an answer says.
struct Expected {
    status: u16,
    end: End,
    beginning: String,
}

/// Where an answer ends.
enum End {
    /// After so many bytes, head included.
    After(usize),
    LastChunk,
    Silence,
}

impl Expected {
    /// Once the head is there.
    fn read(read: &[u8]) -> anyhow::Result<Option<Self>> {
        let Some(end) = read.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
            return Ok(None);
        };
        let head = std::str::from_utf8(&read[..end])?.to_ascii_lowercase();
        let status = head.split(' ').nth(1).context("no status")?.parse()?;
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
        let length = length.map(|length| length.trim().parse::<usize>()).transpose()?;
        let is_stream = head.contains("text/event-stream");
        let end_of = match length {
            Some(length) => End::After(end + 4 + length),
            None if is_stream => End::Silence,
            None => End::LastChunk,
        };
        let beginning = String::from_utf8_lossy(&read[end + 4..]).chars().take(300).collect();
        Ok(Some(Self { status, end: end_of, beginning }))
    }
}

/// An answer that is there to its end.
#[derive(Debug, PartialEq, Eq)]
struct Whole<'a> {
    status: u16,
    position: Option<u64>,
    body: &'a [u8],
}

impl Whole<'_> {
    fn text(&self) -> String {
        String::from_utf8_lossy(self.body).into_owned()
    }
}

/// The answer, once all of it is there.
fn whole(read: &[u8]) -> anyhow::Result<Option<Whole<'_>>> {
    let Some(end) = read.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&read[..end])?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    let status: u16 = status.context("no status")?.parse()?;
    let header = |wanted: &str| {
        lines.clone().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted).then_some(value.trim())
        })
    };
    let Some(length) = header("content-length") else {
        bail!("an answer of unknown length: {head}")
    };
    let length: usize = length.parse()?;
    let position = header("daybook-position").and_then(|position| position.parse().ok());
    Ok(read[end + 4..].get(..length).map(|body| Whole { status, position, body }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_there_when_its_last_byte_is() {
        let sent = b"HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\nx: y\r\n\r\n{}";
        for end in 0..sent.len() {
            assert_eq!(whole(&sent[..end]).unwrap(), None, "{end}");
        }
        assert_eq!(whole(sent).unwrap(), Some(Whole { status: 409, position: None, body: b"{}" }));
    }

    #[test]
    fn an_answer_without_a_length_is_an_error() {
        assert!(whole(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
