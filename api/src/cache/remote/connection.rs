//! A connection to a Redis: commands and their answers in its own protocol (RESP, version 2), as far as they are needed.

use std::io;

use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufStream,
};
use tokio::net::{TcpStream, UnixStream};

use super::address::{Place, RedisAddress};
use super::envelope::MAX_BYTES;

/// Longer than any line that is not a value.
const MAX_LINE: u64 = 1_024;

/// What an envelope takes beside what is in it, and room.
const MAX_VALUE: usize = MAX_BYTES + 1_024;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

pub(super) struct Connection(BufStream<Box<dyn Stream>>);

impl Connection {
    pub(super) async fn open(address: &RedisAddress) -> io::Result<Self> {
        let stream: Box<dyn Stream> = match &address.place {
            Place::Host(host, port) => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                stream.set_nodelay(true)?;
                Box::new(stream)
            }
            Place::Socket(path) => Box::new(UnixStream::connect(path).await?),
        };
        let mut connection = Self(BufStream::new(stream));
        if let Some(password) = &address.password {
            let user = address.user.as_deref().map(str::as_bytes);
            let words: Vec<&[u8]> =
                [b"AUTH".as_slice()].into_iter().chain(user).chain([password.as_bytes()]).collect();
            connection.say(&words).await?;
        }
        if address.database > 0 {
            let number = address.database.to_string();
            connection.say(&[b"SELECT", number.as_bytes()]).await?;
        }
        Ok(connection)
    }

    /// Says a command, and hears the answer to it: a value, or none.
    pub(super) async fn say(&mut self, words: &[&[u8]]) -> io::Result<Option<Vec<u8>>> {
        let mut command = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            command.extend(format!("${}\r\n", word.len()).into_bytes());
            command.extend(*word);
            command.extend(b"\r\n");
        }
        self.0.write_all(&command).await?;
        self.0.flush().await?;
        let line = self.line().await?;
        match line.split_first() {
            Some((b'+', _) | (b'$', b"-1")) => Ok(None),
            Some((b'-', why)) => Err(io::Error::other(String::from_utf8_lossy(why).into_owned())),
            Some((b'$', length)) => {
                let length = std::str::from_utf8(length).ok().and_then(|text| text.parse().ok());
                self.value(length.ok_or_else(unexpected)?).await.map(Some)
            }
            _ => Err(unexpected()),
        }
    }

    /// Up to the end of the line, without that.
    async fn line(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        (&mut self.0).take(MAX_LINE).read_until(b'\n', &mut line).await?;
        line.strip_suffix(b"\r\n").map(<[u8]>::to_vec).ok_or_else(unexpected)
    }

    async fn value(&mut self, length: usize) -> io::Result<Vec<u8>> {
        if length > MAX_VALUE {
            return Err(unexpected());
        }
        let mut value = vec![0; length + 2];
        self.0.read_exact(&mut value).await?;
        value.strip_suffix(b"\r\n").map(<[u8]>::to_vec).ok_or_else(unexpected)
    }
}

fn unexpected() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it is no answer of a Redis to what was asked")
}
