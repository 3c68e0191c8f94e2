//! Which subscription is polled next: first come, first served; none twice at once, nor too soon after its last
//! poll; one that failed waits.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use super::poll::Outcome;
use crate::checkpoint::Subscription;

/// After a failure of the database: 100 ms, doubled each time up to 10 s.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const MAX_DOUBLINGS: u32 = 7;
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// So many polls are remembered before those that are long ago are forgotten.
const REMEMBERED: usize = 1_024;

pub(super) struct Queue {
    /// From the beginning of one poll of a subscription to that of its next, at least.
    poll_interval: Duration,
    /// Those that may be polled.
    waiting: VecDeque<Subscription>,
    /// Those that may be later, by when and in the order in which they came.
    later: BTreeMap<(Instant, u64), Subscription>,
    /// The same keys as in both.
    queued: HashSet<Subscription>,
    /// How many have been put off.
    put_off: u64,
    /// When each may be polled next, of those that were lately.
    next_polls: HashMap<Subscription, Instant>,
    /// Being polled; `true`: seen to be behind meanwhile, so one more poll is due.
    running: HashMap<Subscription, bool>,
    pauses: HashMap<Subscription, Pause>,
}

struct Pause {
    until: Instant,
    failures: u32,
}

impl Queue {
    pub(super) fn new(poll_interval: Duration) -> Self {
        Self {
            poll_interval,
            waiting: VecDeque::new(),
            later: BTreeMap::new(),
            queued: HashSet::new(),
            put_off: 0,
            next_polls: HashMap::new(),
            running: HashMap::new(),
            pauses: HashMap::new(),
        }
    }

    pub(super) fn push(&mut self, key: Subscription, now: Instant) {
        if let Some(again) = self.running.get_mut(&key) {
            *again = true;
        } else if self.queued.insert(key.clone()) {
            match self.next_polls.get(&key) {
                Some(next) if *next > now => {
                    self.put_off += 1;
                    self.later.insert((*next, self.put_off), key);
                }
                _ => self.waiting.push_back(key),
            }
        }
    }

    /// The next to poll. Those that pause leave the queue: the next schedule brings them back.
    pub(super) fn pop(&mut self, now: Instant) -> Option<Subscription> {
        while let Some(first) = self.later.first_entry()
            && first.key().0 <= now
        {
            self.waiting.push_back(first.remove());
        }
        while let Some(key) = self.waiting.pop_front() {
            self.queued.remove(&key);
            if self.pauses.get(&key).is_none_or(|pause| pause.until <= now) {
                if self.next_polls.len() >= REMEMBERED {
                    self.next_polls.retain(|_, next| *next > now);
                }
                self.next_polls.insert(key.clone(), now + self.poll_interval);
                self.running.insert(key.clone(), false);
                return Some(key);
            }
        }
        None
    }

    /// When the first of those that were put off may have its turn.
    pub(super) fn next_poll(&self) -> Option<Instant> {
        self.later.first_key_value().map(|((next, _), _)| *next)
    }

    pub(super) fn ended(
        &mut self,
        key: Subscription,
        ended: Outcome,
        now: Instant,
        retry_stalled: Duration,
    ) {
        let again = self.running.remove(&key).unwrap_or_default();
        match ended {
            Outcome::CaughtUp | Outcome::Behind | Outcome::NotLeading => {
                self.pauses.remove(&key);
            }
            Outcome::Stalled => {
                let pause = Pause { until: now + retry_stalled, failures: 0 };
                self.pauses.insert(key, pause);
                return;
            }
            Outcome::Failed => {
                let before = self.pauses.get(&key).map_or(0, |pause| pause.failures);
                let pause = FIRST_PAUSE * 2_u32.pow(before.min(MAX_DOUBLINGS));
                let until = now + pause.min(LONGEST_PAUSE);
                self.pauses.insert(key, Pause { until, failures: before + 1 });
                return;
            }
        }
        if matches!(ended, Outcome::Behind) {
            // What is put together for one turn is there already.
            self.next_polls.remove(&key);
        }
        if matches!(ended, Outcome::Behind) || (again && matches!(ended, Outcome::CaughtUp)) {
            self.push(key, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ProjectionId;

    const PACE: Duration = Duration::from_millis(50);

    fn key(name: &'static str) -> Subscription {
        let projection = ProjectionId { name, version: 1 };
        Subscription { tenant: "north".parse().unwrap(), projection }
    }

    #[test]
    fn who_has_had_a_turn_waits_its_pace_and_holds_nobody_up() {
        let (mut queue, start) = (Queue::new(PACE), Instant::now());
        queue.push(key("one"), start);
        assert_eq!(queue.pop(start), Some(key("one")));
        queue.push(key("one"), start);
        let retry = Duration::from_secs(30);
        queue.ended(key("one"), Outcome::CaughtUp, start, retry);
        queue.push(key("other"), start);
        assert_eq!(queue.pop(start), Some(key("other")));
        assert_eq!(queue.pop(start + PACE / 2), None);
        assert_eq!(queue.next_poll(), Some(start + PACE));
        assert_eq!(queue.pop(start + PACE), Some(key("one")));
    }

    #[test]
    fn who_has_more_to_do_goes_on_at_once() {
        let (mut queue, start) = (Queue::new(PACE), Instant::now());
        queue.push(key("one"), start);
        assert_eq!(queue.pop(start), Some(key("one")));
        queue.ended(key("one"), Outcome::Behind, start, Duration::from_secs(30));
        assert_eq!(queue.pop(start), Some(key("one")));
    }
}
