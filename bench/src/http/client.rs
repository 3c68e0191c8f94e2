//! As little of HTTP/1.1 as it takes to send requests and to read answers, on one connection.

use std::net::SocketAddr;

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// An answer is never as long.
const LONGEST: usize = 1 << 20;

/// A connection that is kept.
pub(super) struct Connection {
    stream: TcpStream,
    /// What came of the present answer.
    read: Vec<u8>,
}

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Left empty where it was a success: nobody looks at it.
    pub(super) body: String,
}

impl Connection {
    pub(super) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, read: Vec::with_capacity(4_096) })
    }

    /// Sends a request and reads its answer to the end.
    pub(super) async fn ask(&mut self, request: &[u8]) -> anyhow::Result<Answer> {
        self.stream.write_all(request).await?;
        self.read.clear();
        loop {
            let read = self.stream.read_buf(&mut self.read).await?;
            ensure!(read > 0, "the server has closed the connection");
            if let Some(answer) = whole(&self.read)? {
                return Ok(answer);
            }
            ensure!(self.read.len() <= LONGEST, "an answer without end");
        }
    }
}

/// The answer, once all of it is there.
fn whole(read: &[u8]) -> anyhow::Result<Option<Answer>> {
    let Some(end) = read.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&read[..end])?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    let status: u16 = status.context("no status")?.parse()?;
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then_some(value.trim())
    });
    let Some(length) = length else { bail!("an answer of unknown length: {head}") };
    let body = &read[end + 4..];
    let length: usize = length.parse()?;
    if body.len() < length {
        return Ok(None);
    }
    let success = (200..300).contains(&status);
    let body = if success { String::new() } else { String::from_utf8_lossy(body).into_owned() };
    Ok(Some(Answer { status, body }))
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
        let answer = Answer { status: 409, body: "{}".to_owned() };
        assert_eq!(whole(sent).unwrap(), Some(answer));
    }

    #[test]
    fn an_answer_without_a_length_is_an_error() {
        assert!(whole(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
