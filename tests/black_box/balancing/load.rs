//! Clients who book, and one who reads the feed.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread::{self, Scope};
use std::time::Duration;

use chrono::TimeDelta;
use uuid::Uuid;

use crate::events::sse::Stream;
use crate::harness::{Api, Practice, monday};

/// How many book at once.
pub(super) const CLIENTS: usize = 6;

/// Clients who book one slot after the other, each in a room of its own, over a connection that is kept.
pub(super) struct Load<'a> {
    practice: &'a Practice,
    rooms: Vec<String>,
    /// Whether a request has a key, and is sent again until it is answered.
    again: bool,
    sent: AtomicUsize,
    booked: AtomicUsize,
    failed: Mutex<Vec<String>>,
}

impl<'a> Load<'a> {
    pub(super) fn new(practice: &'a Practice, again: bool) -> Self {
        Self {
            practice,
            rooms: (0..CLIENTS).map(|_| practice.a_room()).collect(),
            again,
            sent: AtomicUsize::new(0),
            booked: AtomicUsize::new(0),
            failed: Mutex::default(),
        }
    }

    pub(super) fn sent(&self) -> usize {
        self.sent.load(Ordering::Relaxed)
    }

    pub(super) fn booked(&self) -> usize {
        self.booked.load(Ordering::Relaxed)
    }

    pub(super) fn failed(&self) -> Vec<String> {
        self.failed.lock().unwrap().clone()
    }

    pub(super) fn start<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        over: &'scope AtomicBool,
    ) {
        for room in &self.rooms {
            scope.spawn(|| {
                let api = self.practice.api.kept_alive();
                for nth in 0.. {
                    if over.load(Ordering::Relaxed) {
                        break;
                    }
                    self.book(&api, room, nth);
                    thread::sleep(Duration::from_millis(10));
                }
            });
        }
    }

    fn book(&self, api: &Api, room: &str, nth: i64) {
        let start = monday(0, 0) + TimeDelta::minutes(30 * nth);
        let booking = self.practice.booking(start).with("resource_ids", vec![room]);
        let booking =
            if self.again { booking.idempotency_key(&Uuid::now_v7().to_string()) } else { booking };
        loop {
            self.sent.fetch_add(1, Ordering::Relaxed);
            let failure = match booking.request_of(api).try_send() {
                Ok(answer) if answer.status == 201 => {
                    self.booked.fetch_add(1, Ordering::Relaxed);
                    return;
                }
                Ok(answer) => format!("{answer:?}"),
                Err(error) => error.to_string(),
            };
            self.failed.lock().unwrap().push(failure);
            if !self.again {
                return;
            }
            thread::sleep(Duration::from_millis(100));
        }
    }
}

/// One who reads the feed, and resumes whenever it is cut off.
pub(super) struct Reader {
    seen: Receiver<u64>,
    over: Arc<AtomicBool>,
}

impl Reader {
    pub(super) fn start(api: Api) -> Self {
        let (see, seen) = mpsc::channel();
        let over = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&over);
        thread::spawn(move || {
            let mut last_id: Option<String> = None;
            while !is_over.load(Ordering::Relaxed) {
                let Ok(mut stream) = Stream::open(&api, "", last_id.as_deref()) else {
                    thread::sleep(Duration::from_millis(100));
                    continue;
                };
                while let Some(event) = stream.next() {
                    if event.name.is_empty() && see.send(event.id.parse().unwrap()).is_err() {
                        return;
                    }
                }
                last_id = stream.last_id;
            }
        });
        Self { seen, over }
    }

    /// All positions that it has seen, up to this one.
    pub(super) fn until(self, last: u64) -> Vec<u64> {
        let mut all = Vec::new();
        while all.last() != Some(&last) {
            let seen = self.seen.recv_timeout(Duration::from_secs(20));
            all.push(seen.unwrap_or_else(|error| panic!("{error}: seen up to {:?}", all.last())));
        }
        self.over.store(true, Ordering::Relaxed);
        all
    }
}
