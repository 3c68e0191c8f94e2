//! Which subscription is polled next.
//!
//! Those that somebody waits for, those that follow their logs, and those that are far behind or begin: queues that
//! take turns, and in each tenants do ([`Turns`]). So whoever has a million events to read, and ten thousand who
//! begin, hold nobody else up for more than a turn; and whoever reads what it has just written waits for a few turns,
//! however many tenants are booked at. None is polled twice at once, nor too soon after its last poll; one that
//! failed waits.
//!
//! It is bounded: what does not fit is left to be found again.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use tokio::time::Instant;

use super::poll::Outcome;
use super::turns::Turns;
use crate::checkpoint::Subscription;

/// After a failure of the database: 100 ms, doubled each time up to 10 s.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const MAX_DOUBLINGS: u32 = 7;
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// So many polls are remembered before those that are long ago are forgotten.
const REMEMBERED: usize = 1_024;

/// So many wait in each queue at most.
const MAX_WAITING: usize = 16_384;

/// How urgent the poll of a subscription is, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A reader waits for it.
    Awaited,
    /// At its end, or nearly.
    Live,
    /// Far behind, or just beginning.
    Backlog,
}

impl Kind {
    /// From this one on, in the order in which they have their turns.
    const fn in_turn(self) -> [Self; 3] {
        match self {
            Self::Awaited => [Self::Awaited, Self::Live, Self::Backlog],
            Self::Live => [Self::Live, Self::Backlog, Self::Awaited],
            Self::Backlog => [Self::Backlog, Self::Awaited, Self::Live],
        }
    }
}

#[derive(Default)]
struct Waiting {
    turns: Turns,
    count: usize,
}

impl Waiting {
    fn pop(&mut self) -> Option<Subscription> {
        let next = self.turns.pop()?;
        self.count -= 1;
        Some(next)
    }
}

pub(super) struct Queue {
    /// From the beginning of one poll of a subscription to that of its next, at least.
    poll_interval: Duration,
    /// Those that may be polled.
    awaited: Waiting,
    live: Waiting,
    backlog: Waiting,
    /// Whose turn it is when all wait.
    next_kind: Kind,
    /// Those that may be later, by when and in the order in which they came.
    later: BTreeMap<(Instant, u64), Subscription>,
    /// All that wait or may be polled later.
    queued: HashMap<Subscription, Kind>,
    /// How many have been put off.
    put_off: u64,
    /// When each may be polled next, of those that were lately.
    next_polls: HashMap<Subscription, Instant>,
    /// Being polled.
    running: HashMap<Subscription, Running>,
    pauses: HashMap<Subscription, Pause>,
}

struct Running {
    kind: Kind,
    /// Seen to be behind meanwhile, so one more poll is due.
    again: Option<Kind>,
}

struct Pause {
    until: Instant,
    failures: u32,
}

impl Queue {
    pub(super) fn new(poll_interval: Duration) -> Self {
        Self {
            poll_interval,
            awaited: Waiting::default(),
            live: Waiting::default(),
            backlog: Waiting::default(),
            next_kind: Kind::Awaited,
            later: BTreeMap::new(),
            queued: HashMap::new(),
            put_off: 0,
            next_polls: HashMap::new(),
            running: HashMap::new(),
            pauses: HashMap::new(),
        }
    }

    /// Whether it is known to be far behind, and waits for its turn.
    pub(super) fn has_backlog(&self, key: &Subscription) -> bool {
        self.queued.get(key) == Some(&Kind::Backlog)
    }

    fn waiting(&mut self, kind: Kind) -> &mut Waiting {
        match kind {
            Kind::Awaited => &mut self.awaited,
            Kind::Live => &mut self.live,
            Kind::Backlog => &mut self.backlog,
        }
    }

    /// Whether half of what it can hold would still fit.
    pub(super) fn has_room(&self) -> bool {
        let counts = [&self.awaited, &self.live, &self.backlog].map(|waiting| waiting.count);
        counts.into_iter().all(|count| count < MAX_WAITING / 2)
    }

    pub(super) fn push(&mut self, key: Subscription, kind: Kind, now: Instant) {
        if let Some(running) = self.running.get_mut(&key) {
            running.again = Some(running.again.map_or(kind, |known| known.min(kind)));
            return;
        }
        match self.queued.get(&key) {
            // It has turned out to be nearly at the end, or to be waited for.
            Some(known) if kind < *known => self.remove(&key),
            Some(_) => return,
            None => {}
        }
        match self.next_polls.get(&key) {
            Some(next) if *next > now => {
                self.put_off += 1;
                self.later.insert((*next, self.put_off), key.clone());
                self.queued.insert(key, kind);
            }
            _ => self.wait(key, kind),
        }
    }

    fn wait(&mut self, key: Subscription, kind: Kind) {
        let waiting = self.waiting(kind);
        if waiting.count < MAX_WAITING {
            waiting.count += 1;
            waiting.turns.push(key.clone());
            self.queued.insert(key, kind);
        } else {
            self.queued.remove(&key);
        }
    }

    fn remove(&mut self, key: &Subscription) {
        let Some(kind) = self.queued.remove(key) else { return };
        let before = self.later.len();
        self.later.retain(|_, later| later != key);
        if self.later.len() == before {
            let waiting = self.waiting(kind);
            waiting.turns.remove(key);
            waiting.count -= 1;
        }
    }

    /// The next to poll, and of the backlog only where there is room for it. Those that pause leave the queue:
    /// they are found again.
    pub(super) fn pop(&mut self, now: Instant, backlog_room: usize) -> Option<Subscription> {
        while let Some(first) = self.later.first_entry()
            && first.key().0 <= now
        {
            let key = first.remove();
            let kind = self.queued.get(&key).copied().unwrap_or(Kind::Backlog);
            self.wait(key, kind);
        }
        let backlog = self.running.values().filter(|running| running.kind == Kind::Backlog);
        let may_backlog = backlog.count() < backlog_room;
        while let Some((key, kind)) = self.next(may_backlog) {
            self.queued.remove(&key);
            if self.pauses.get(&key).is_none_or(|pause| pause.until <= now) {
                if self.next_polls.len() >= REMEMBERED {
                    self.next_polls.retain(|_, next| *next > now);
                }
                self.next_polls.insert(key.clone(), now + self.poll_interval);
                self.running.insert(key.clone(), Running { kind, again: None });
                return Some(key);
            }
        }
        None
    }

    fn next(&mut self, may_backlog: bool) -> Option<(Subscription, Kind)> {
        let order = self.next_kind.in_turn().into_iter();
        for kind in order.filter(|kind| may_backlog || *kind != Kind::Backlog) {
            if let Some(key) = self.waiting(kind).pop() {
                self.next_kind = kind.in_turn()[1];
                return Some((key, kind));
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
        let running = self.running.remove(&key);
        let again = running.and_then(|running| running.again);
        match ended {
            Outcome::CaughtUp | Outcome::Released | Outcome::Behind | Outcome::NotLeading => {
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
        match ended {
            Outcome::Behind => {
                // What is put together for one turn is there already.
                self.next_polls.remove(&key);
                self.push(key, Kind::Backlog, now);
            }
            Outcome::CaughtUp | Outcome::Released => {
                if let Some(kind) = again {
                    self.push(key, kind, now);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ProjectionId;

    const PACE: Duration = Duration::from_millis(50);
    const RETRY: Duration = Duration::from_secs(30);

    fn key_of(tenant: &str, name: &'static str) -> Subscription {
        let projection = ProjectionId { name, version: 1 };
        Subscription { tenant: tenant.parse().unwrap(), projection }
    }

    fn key(name: &'static str) -> Subscription {
        key_of("north", name)
    }

    #[test]
    fn who_has_had_a_turn_waits_its_pace_and_holds_nobody_up() {
        let (mut queue, start) = (Queue::new(PACE), Instant::now());
        queue.push(key("one"), Kind::Live, start);
        assert_eq!(queue.pop(start, 1), Some(key("one")));
        queue.push(key("one"), Kind::Live, start);
        queue.ended(key("one"), Outcome::CaughtUp, start, RETRY);
        queue.push(key("other"), Kind::Live, start);
        assert_eq!(queue.pop(start, 1), Some(key("other")));
        assert_eq!(queue.pop(start + PACE / 2, 1), None);
        assert_eq!(queue.next_poll(), Some(start + PACE));
        assert_eq!(queue.pop(start + PACE, 1), Some(key("one")));
    }

    #[test]
    fn who_has_more_to_do_goes_on_at_once() {
        let (mut queue, start) = (Queue::new(PACE), Instant::now());
        queue.push(key("one"), Kind::Live, start);
        assert_eq!(queue.pop(start, 1), Some(key("one")));
        queue.ended(key("one"), Outcome::Behind, start, RETRY);
        assert_eq!(queue.pop(start, 1), Some(key("one")));
    }

    /// How many turns others have before the one that follows its log.
    fn turns_before_live(queue: &mut Queue, now: Instant) -> usize {
        queue.push(key_of("live", "one"), Kind::Live, now);
        let others = std::iter::from_fn(|| queue.pop(now, usize::MAX));
        others.take_while(|next| *next != key_of("live", "one")).count()
    }

    #[test]
    fn ten_thousand_that_begin_hold_nobody_up_for_more_than_a_turn() {
        let (mut queue, now) = (Queue::new(PACE), Instant::now());
        for n in 0..10_000 {
            queue.push(key_of(&format!("new-{n}"), "one"), Kind::Backlog, now);
        }
        assert!(turns_before_live(&mut queue, now) <= 1);
    }

    #[test]
    fn who_is_far_behind_holds_nobody_up_for_more_than_a_turn() {
        let (mut queue, mut now) = (Queue::new(PACE), Instant::now());
        for name in ["a", "b", "c", "d", "e", "f"] {
            queue.push(key_of("far", name), Kind::Backlog, now);
        }
        for _ in 0..100 {
            assert!(turns_before_live(&mut queue, now) <= 1);
            queue.ended(key_of("live", "one"), Outcome::CaughtUp, now, RETRY);
            for name in ["a", "b", "c", "d", "e", "f"] {
                if queue.running.contains_key(&key_of("far", name)) {
                    queue.ended(key_of("far", name), Outcome::Behind, now, RETRY);
                }
            }
            now += PACE;
        }
    }

    #[test]
    fn who_is_waited_for_has_its_turn_before_a_thousand_who_came_earlier() {
        let (mut queue, now) = (Queue::new(PACE), Instant::now());
        for n in 0..1_000 {
            queue.push(key_of(&format!("live-{n}"), "one"), Kind::Live, now);
            queue.push(key_of(&format!("new-{n}"), "one"), Kind::Backlog, now);
        }
        // Also while one that is far behind has the only place for such.
        for n in 990..1_000 {
            let awaited = key_of(&format!("live-{n}"), "one");
            queue.push(awaited.clone(), Kind::Awaited, now);
            let others = std::iter::from_fn(|| queue.pop(now, 1));
            assert!(others.take_while(|next| *next != awaited).count() <= 2);
        }
        let backlog = queue.running.values().filter(|running| running.kind == Kind::Backlog);
        assert_eq!(backlog.count(), 1);
    }

    #[test]
    fn those_that_are_waited_for_hold_nobody_up_for_more_than_two_turns() {
        let (mut queue, now) = (Queue::new(PACE), Instant::now());
        for n in 0..1_000 {
            queue.push(key_of(&format!("awaited-{n}"), "one"), Kind::Awaited, now);
        }
        assert!(turns_before_live(&mut queue, now) <= 2);
    }

    #[test]
    fn who_is_waited_for_during_its_poll_is_polled_again_in_such_a_turn() {
        let (mut queue, now) = (Queue::new(Duration::ZERO), Instant::now());
        queue.push(key("one"), Kind::Live, now);
        assert_eq!(queue.pop(now, 1), Some(key("one")));
        queue.push(key("one"), Kind::Awaited, now);
        queue.push(key("one"), Kind::Live, now);
        queue.ended(key("one"), Outcome::CaughtUp, now, RETRY);
        assert_eq!(queue.queued.get(&key("one")), Some(&Kind::Awaited));
    }

    #[test]
    fn the_backlog_leaves_room_for_those_that_follow() {
        let (mut queue, now) = (Queue::new(PACE), Instant::now());
        queue.push(key_of("far", "a"), Kind::Backlog, now);
        queue.push(key_of("far", "b"), Kind::Backlog, now);
        assert_eq!(queue.pop(now, 1), Some(key_of("far", "a")));
        assert_eq!(queue.pop(now, 1), None);
        queue.push(key_of("live", "a"), Kind::Live, now);
        assert_eq!(queue.pop(now, 1), Some(key_of("live", "a")));
    }

    #[test]
    fn who_turns_out_to_be_nearly_there_leaves_the_backlog() {
        let (mut queue, now) = (Queue::new(PACE), Instant::now());
        for n in 0..100 {
            queue.push(key_of(&format!("new-{n}"), "one"), Kind::Backlog, now);
        }
        let last = key_of("new-99", "one");
        queue.push(last.clone(), Kind::Live, now);
        assert_eq!(queue.pop(now, 1), Some(last));
        let rest = std::iter::from_fn(|| queue.pop(now, usize::MAX)).count();
        assert_eq!((rest, queue.backlog.count, queue.queued.len()), (99, 0, 0));
    }

    #[test]
    fn it_holds_no_more_than_it_can_and_takes_again_what_did_not_fit() {
        let (mut queue, now) = (Queue::new(PACE), Instant::now());
        let all = 0..MAX_WAITING + 10;
        for n in all.clone() {
            queue.push(key_of(&format!("new-{n}"), "one"), Kind::Backlog, now);
        }
        assert_eq!(queue.queued.len(), MAX_WAITING);
        assert!(!queue.has_room());
        assert_eq!(std::iter::from_fn(|| queue.pop(now, usize::MAX)).count(), MAX_WAITING);
        queue.push(key_of(&format!("new-{}", all.end - 1), "one"), Kind::Backlog, now);
        assert!(queue.pop(now, usize::MAX).is_some());
    }
}
