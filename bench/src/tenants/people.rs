//! Those who book, and those who list what they have just booked.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, ensure};

use super::make::Made;
use super::{BOOKS, READS};
use crate::calendar::Calendar;
use crate::catalogue::Size;
use crate::http::booking::{book, head};
use crate::http::client::Connection;
use crate::load::Work;

/// Who books, for one tenant after the other.
pub(super) struct Booker {
    connection: Connection,
    address: SocketAddr,
    keys: Vec<String>,
    next: usize,
    calendar: Arc<Calendar>,
    size: Size,
}

impl Booker {
    pub(super) async fn new(
        address: SocketAddr,
        keys: &[String],
        next: usize,
        made: &Made,
    ) -> anyhow::Result<Self> {
        let (keys, calendar, size) = (keys.to_vec(), Arc::clone(&made.calendar), made.size);
        Ok(Self {
            connection: Connection::open(address).await?,
            address,
            keys,
            next,
            calendar,
            size,
        })
    }

    /// Books a slot; for whom, and at which position.
    async fn book(&mut self) -> anyhow::Result<(String, u64)> {
        self.next += 1;
        let key = self.keys[self.next % self.keys.len()].clone();
        let head = head(self.address, &key);
        let answer = book(&mut self.connection, &head, self.calendar.take(), self.size).await?;
        Ok((key, answer.position.context("a booking without a position")?))
    }
}

impl Work for Booker {
    async fn once(&mut self) -> anyhow::Result<&'static str> {
        self.book().await?;
        Ok(BOOKS)
    }
}

/// Who books, and lists what was booked.
pub(super) struct Reader(pub(super) Booker);

impl Work for Reader {
    async fn once(&mut self) -> anyhow::Result<&'static str> {
        let (key, position) = self.0.book().await?;
        let request = format!(
            "GET /v1/appointments?limit=1&min_position={position} HTTP/1.1\r\nhost: {}\r\n\
             authorization: Bearer {key}\r\n\r\n",
            self.0.address
        );
        let answer = self.0.connection.ask(request.as_bytes()).await?;
        ensure!(answer.status == 200, "{}: {}", answer.status, answer.body);
        Ok(READS)
    }
}
