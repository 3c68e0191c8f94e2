//! Whose turn it is: first come, first served; nobody twice at once, nor too soon after its last turn;
//! whoever failed waits.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use super::turn::Ended;
use crate::checkpoint::Key;

/// After a failure of the database: 100 ms, doubled each time up to 10 s.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const MAX_DOUBLINGS: u32 = 7;
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// So many are remembered to have had a turn before those that may have another are forgotten.
const REMEMBERED: usize = 1_024;

pub(super) struct Queue {
    /// From the beginning of one turn of a key to that of its next, at least.
    pace: Duration,
    /// Those that may have their turn.
    waiting: VecDeque<Key>,
    /// Those that may have it later, by when and in the order in which they came.
    later: BTreeMap<(Instant, u64), Key>,
    /// The same keys as in both.
    queued: HashSet<Key>,
    /// How many have been put off.
    put_off: u64,
    /// When each may have its next turn, of those that had one lately.
    next_turns: HashMap<Key, Instant>,
    /// Having their turn; `true`: seen to be behind meanwhile, so one more turn is due.
    working: HashMap<Key, bool>,
    pauses: HashMap<Key, Pause>,
}

struct Pause {
    until: Instant,
    disturbances: u32,
}

impl Queue {
    pub(super) fn new(pace: Duration) -> Self {
        Self {
            pace,
            waiting: VecDeque::new(),
            later: BTreeMap::new(),
            queued: HashSet::new(),
            put_off: 0,
            next_turns: HashMap::new(),
            working: HashMap::new(),
            pauses: HashMap::new(),
        }
    }

    pub(super) fn push(&mut self, key: Key, now: Instant) {
        if let Some(again) = self.working.get_mut(&key) {
            *again = true;
        } else if self.queued.insert(key.clone()) {
            match self.next_turns.get(&key) {
                Some(next) if *next > now => {
                    self.put_off += 1;
                    self.later.insert((*next, self.put_off), key);
                }
                _ => self.waiting.push_back(key),
            }
        }
    }

    /// The next whose turn it is. Those that pause leave the queue: the next look brings them back.
    pub(super) fn pop(&mut self, now: Instant) -> Option<Key> {
        while let Some(first) = self.later.first_entry()
            && first.key().0 <= now
        {
            self.waiting.push_back(first.remove());
        }
        while let Some(key) = self.waiting.pop_front() {
            self.queued.remove(&key);
            if self.pauses.get(&key).is_none_or(|pause| pause.until <= now) {
                if self.next_turns.len() >= REMEMBERED {
                    self.next_turns.retain(|_, next| *next > now);
                }
                self.next_turns.insert(key.clone(), now + self.pace);
                self.working.insert(key.clone(), false);
                return Some(key);
            }
        }
        None
    }

    /// When the first of those that were put off may have its turn.
    pub(super) fn next_turn(&self) -> Option<Instant> {
        self.later.first_key_value().map(|((next, _), _)| *next)
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
        if matches!(ended, Ended::More) {
            // What is put together for one turn is there already.
            self.next_turns.remove(&key);
        }
        if matches!(ended, Ended::More) || (again && matches!(ended, Ended::CaughtUp)) {
            self.push(key, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ProjectionId;

    const PACE: Duration = Duration::from_millis(50);

    fn key(name: &'static str) -> Key {
        let projection = ProjectionId { name, version: 1 };
        Key { tenant: "north".parse().unwrap(), projection }
    }

    #[test]
    fn who_has_had_a_turn_waits_its_pace_and_holds_nobody_up() {
        let (mut queue, start) = (Queue::new(PACE), Instant::now());
        queue.push(key("one"), start);
        assert_eq!(queue.pop(start), Some(key("one")));
        queue.push(key("one"), start);
        let retry = Duration::from_secs(30);
        queue.ended(key("one"), Ended::CaughtUp, start, retry);
        queue.push(key("other"), start);
        assert_eq!(queue.pop(start), Some(key("other")));
        assert_eq!(queue.pop(start + PACE / 2), None);
        assert_eq!(queue.next_turn(), Some(start + PACE));
        assert_eq!(queue.pop(start + PACE), Some(key("one")));
    }

    #[test]
    fn who_has_more_to_do_goes_on_at_once() {
        let (mut queue, start) = (Queue::new(PACE), Instant::now());
        queue.push(key("one"), start);
        assert_eq!(queue.pop(start), Some(key("one")));
        queue.ended(key("one"), Ended::More, start, Duration::from_secs(30));
        assert_eq!(queue.pop(start), Some(key("one")));
    }
}
