//! When a message is tried again.

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};

/// So long after it was due a message is still begun: what is older was not sent in time, and is not sent at all. An old log
/// tells nobody of last year.
pub const MAX_LATE: TimeDelta = TimeDelta::hours(24);

/// How often it is tried.
pub(crate) const MAX_TRIES: u16 = 20;

/// How often it is tried again when it may have been taken: the client may have it twice then, and no more often.
pub(crate) const MAX_UNKNOWN: u16 = 1;

const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(10);
const MAX_PAUSE: TimeDelta = TimeDelta::minutes(15);

/// When, after so many tries; `jitter` per cent of the pause are added. `None`: never, for that would be too often, or not
/// before `until`.
pub(crate) fn next(
    tries: u16,
    jitter: u8,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    if tries >= MAX_TRIES {
        return None;
    }
    let doubled = i32::from(tries.saturating_sub(1).min(10));
    let pause = (FIRST_PAUSE * 2_i32.pow(doubled.unsigned_abs())).min(MAX_PAUSE);
    let pause = pause + pause * i32::from(jitter.min(100)) / 100;
    let next = (now + pause).trunc_subsecs(6);
    (next < until).then_some(next)
}
