//! Lines of the log that a flood of refusals would fill: so many a second, and then one that says how many were left out.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So many lines a second.
const LINES: u32 = 50;

const SECOND: Duration = Duration::from_secs(1);

/// What was said in this second.
#[derive(Default)]
pub(super) struct Sampled(Mutex<Option<Second>>);

#[derive(Clone, Copy)]
struct Second {
    began: Instant,
    said: u32,
    left_out: u64,
}

/// Whether to say it, and how many were left out before it since anything was said of that.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Say {
    Line { left_out: u64 },
    Nothing,
}

impl Sampled {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// There is something to say.
    pub(super) fn next(&self, now: Instant) -> Say {
        let mut second = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is = second.filter(|second| now.saturating_duration_since(second.began) < SECOND);
        match is {
            Some(is) if is.said >= LINES => {
                *second = Some(Second { left_out: is.left_out + 1, ..is });
                Say::Nothing
            }
            Some(is) => {
                *second = Some(Second { said: is.said + 1, ..is });
                Say::Line { left_out: 0 }
            }
            None => {
                let left_out = second.map_or(0, |before| before.left_out);
                *second = Some(Second { began: now, said: 1, left_out: 0 });
                Say::Line { left_out }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_flood_some_lines_a_second_are_said_and_how_many_were_left_out() {
        let (sampled, start) = (Sampled::new(), Instant::now());
        let said = (0..1_000).filter(|_| sampled.next(start) != Say::Nothing).count();
        assert_eq!(said, 50);
        assert_eq!(sampled.next(start + SECOND), Say::Line { left_out: 950 });
        assert_eq!(sampled.next(start + SECOND), Say::Line { left_out: 0 });
    }
}
