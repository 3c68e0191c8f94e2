//! Prints events as they happened.

use std::io::{self, ErrorKind, Write as _};
use std::time::Duration;

use chrono::{DateTime, Utc};
use daybook_store::Position;
use daybook_store::feed::CloudEvent;
use tokio::time::Instant;

use crate::cli::Replay;
use crate::database::Database;
use crate::feed::{Selected, select};
use crate::parts;

/// How many events are read at once.
const PART: usize = 1_000;

/// Prints a CloudEvent per line, each when it is its turn.
pub(crate) async fn run(database: &Database, options: &Replay) -> anyhow::Result<()> {
    let parts = parts::connected(database).await?;
    let Replay { part, event_type, personal, speed, .. } = options;
    let Selected { feed, after, until, .. } =
        select(&parts.engine, part, event_type, *personal).await?;
    let mut pace = speed.map(Pace::new);
    let mut read_to: Position = after;
    while read_to < until {
        let read = feed.read(read_to, until, PART).await?;
        for event in &read.events {
            if let Some(pace) = &mut pace {
                tokio::time::sleep_until(pace.turn_of(event.recorded_at)).await;
            }
            match print(event) {
                // A reader that went away is no error.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
                printed => printed?,
            }
        }
        read_to = read.read_to;
    }
    Ok(())
}

fn print(event: &CloudEvent) -> io::Result<()> {
    let mut line = serde_json::to_vec(event)?;
    line.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&line)?;
    out.flush()
}

/// When each event has its turn: as long after the first as it was, divided by the speed.
struct Pace {
    speed: f64,
    first: Option<(DateTime<Utc>, Instant)>,
}

impl Pace {
    const fn new(speed: f64) -> Self {
        Self { speed, first: None }
    }

    fn turn_of(&mut self, recorded_at: DateTime<Utc>) -> Instant {
        let (first, began) = *self.first.get_or_insert_with(|| (recorded_at, Instant::now()));
        let after = (recorded_at - first).to_std().unwrap_or_default().as_secs_f64() / self.speed;
        // A turn that is further off than a clock can say is not waited for to its end anyway.
        let after = Duration::try_from_secs_f64(after).unwrap_or(Duration::MAX);
        began.checked_add(after).unwrap_or_else(|| began + Duration::from_secs(u32::MAX.into()))
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn what_happened_an_hour_later_comes_a_second_later_at_3600_times_the_speed() {
        let mut pace = Pace::new(3_600.0);
        let first = DateTime::UNIX_EPOCH;
        let began = pace.turn_of(first);
        assert_eq!(pace.turn_of(first + TimeDelta::hours(1)) - began, Duration::from_secs(1));
        assert_eq!(pace.turn_of(first + TimeDelta::hours(2)) - began, Duration::from_secs(2));
    }
}
