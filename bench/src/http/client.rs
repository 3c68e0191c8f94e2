//! As little of HTTP/1.1 as it takes to send requests and to read answers, on one connection.

use std::net::SocketAddr;

use anyhow::{Context as _, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

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
