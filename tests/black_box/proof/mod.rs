//! Proof: the real program under load, and killed, by clients who write down all that they see; and
//! checks of what they saw against what is in the database.
//!
//! A check is a function of what is there, and says what it has found. Each is shown to find what it
//! is there for, in `controls` and `verified`, on a database that was damaged on purpose.
//!
//! The sizes are small where nobody says otherwise; see CONTRIBUTING.md. Whoever chooses at random
//! says from which seed, and `DAYBOOK_SEED` makes the same choices again.

#![expect(clippy::print_stdout, reason = "a seed that nobody is told cannot be used again")]

mod accounts;
mod calendar;
mod claims;
mod client;
mod controls;
mod double_booking;
mod finding;
mod follower;
mod kills;
mod linearizability;
mod rebuild;
mod recorder;
mod verified;

use std::env;
use std::fmt::Debug;
use std::str::FromStr;

use finding::Finding;

/// What they hold is to be limited by time alone.
const HOLDS_WITHOUT_NUMBER: [&str; 2] = ["--holds-per-client", "1000"];

/// A size from the environment.
fn size<T: FromStr<Err: Debug>>(name: &str, otherwise: T) -> T {
    match env::var(name) {
        Ok(value) => value.parse().unwrap_or_else(|error| panic!("{name}={value}: {error:?}")),
        Err(_) => otherwise,
    }
}

/// Where all choices of a test come from.
fn seed(test: &str) -> u64 {
    let seed = size("DAYBOOK_SEED", rand::random());
    println!("{test}: DAYBOOK_SEED={seed}");
    seed
}
