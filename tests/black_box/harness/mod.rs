//! What the tests share.

mod answer;
mod api;
mod booking;
mod calendar_file;
pub(crate) mod child;
mod database;
mod logs;
pub(crate) mod personal;
mod practice;
mod server;
mod size;
mod sql;
mod time;
mod wire;

pub(crate) use self::answer::Answer;
pub(crate) use self::api::{Api, Request};
pub(crate) use self::booking::Booking;
pub(crate) use self::calendar_file::{CalendarFile, Session};
pub(crate) use self::child::spawn;
pub(crate) use self::database::{Database, Finished, program, run};
pub(crate) use self::practice::{Practice, a_practice, a_tenant, id_of, route_of};
pub(crate) use self::server::Server;
pub(crate) use self::size::{seed, size};
pub(crate) use self::sql::Sql;
pub(crate) use self::time::{date, monday, today, utc};
pub(crate) use self::wire::Wire;

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

/// The schemas of projections: the one place where their versions stand in these tests.
pub(crate) const APPOINTMENTS: &str = "appointments_8";
pub(crate) const CATALOGUE: &str = "catalogue_7";
pub(crate) const UTILISATION: &str = "utilisation_5";

/// The same of the next version of the program: see `tests/next`.
pub(crate) const NEXT_APPOINTMENTS: &str = "appointments_9";

/// What `act` gives on each of `count` threads, which all begin at once; in the order of their numbers.
pub(crate) fn at_once<T: Send>(count: usize, act: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let all_are_there = Barrier::new(count);
    thread::scope(|scope| {
        let begin = |number| {
            let (all_are_there, act) = (&all_are_there, &act);
            scope.spawn(move || {
                all_are_there.wait();
                act(number)
            })
        };
        let threads: Vec<_> = (0..count).map(begin).collect();
        threads.into_iter().map(|thread| thread.join().expect("the thread's own panic")).collect()
    })
}

/// Waits for what must come by itself, and fails when it does not.
pub(crate) fn eventually<T>(what: &str, found: impl FnMut() -> Option<T>) -> T {
    within(Duration::from_secs(30), what, found)
}

/// Waits for what comes by itself, but may take its time.
pub(crate) fn within<T>(limit: Duration, what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(Instant::now() < deadline, "not within {limit:?}: {what}");
        thread::sleep(Duration::from_millis(50));
    }
}
