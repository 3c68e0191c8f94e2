//! Whose turn it is: first come, first served; nobody twice at once; whoever failed waits.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use super::turn::Ended;
use crate::checkpoint::Key;

/// After a failure of the database: 100 ms, doubled each time up to 10 s.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const MAX_DOUBLINGS: u32 = 7;
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

#[derive(Default)]
pub(super) struct Queue {
    waiting: VecDeque<Key>,
    /// The same keys as in `waiting`.
    queued: HashSet<Key>,
    /// Having their turn; `true`: seen to be behind meanwhile, so one more turn is due.
    working: HashMap<Key, bool>,
    pauses: HashMap<Key, Pause>,
}

struct Pause {
    until: Instant,
    disturbances: u32,
}

impl Queue {
    pub(super) fn push(&mut self, key: Key) {
        if let Some(again) = self.working.get_mut(&key) {
            *again = true;
        } else if self.queued.insert(key.clone()) {
            self.waiting.push_back(key);
        }
    }

    /// The next whose turn it is. Those that pause leave the queue: the next look brings them back.
    pub(super) fn pop(&mut self, now: Instant) -> Option<Key> {
        while let Some(key) = self.waiting.pop_front() {
            self.queued.remove(&key);
            if self.pauses.get(&key).is_none_or(|pause| pause.until <= now) {
                self.working.insert(key.clone(), false);
                return Some(key);
            }
        }
        None
    }

    pub(super) fn ended(&mut self, key: Key, ended: Ended, now: Instant, retry_failed: Duration) {
        let again = self.working.remove(&key).unwrap_or_default();
        match ended {
            Ended::CaughtUp | Ended::More | Ended::NotLeading => {
                self.pauses.remove(&key);
            }
            Ended::Failed => {
                let pause = Pause { until: now + retry_failed, disturbances: 0 };
                self.pauses.insert(key, pause);
                return;
            }
            Ended::Disturbed => {
                let before = self.pauses.get(&key).map_or(0, |pause| pause.disturbances);
                let pause = FIRST_PAUSE * 2_u32.pow(before.min(MAX_DOUBLINGS));
                let until = now + pause.min(LONGEST_PAUSE);
                self.pauses.insert(key, Pause { until, disturbances: before + 1 });
                return;
            }
        }
        if matches!(ended, Ended::More) || (again && matches!(ended, Ended::CaughtUp)) {
            self.push(key);
        }
    }
}
