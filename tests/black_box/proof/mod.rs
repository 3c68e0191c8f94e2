//! Proof: the real program under load, and killed, by clients who write down all that they see; and
//! checks of what they saw against what is in the database.
//!
//! A check is a function of what is there, and says what it has found. Each is shown to find what it
//! is there for, in `controls`, `histories` and `verified`, on a database that was damaged on purpose.
//!
//! The sizes are small where nobody says otherwise; see CONTRIBUTING.md. A test that chooses at random
//! says from which seed, and `DAYBOOK_SEED` makes the same choices again.

mod accounts;
mod calendar;
mod checker;
pub(crate) mod claims;
mod client;
mod controls;
mod double_booking;
mod finding;
mod follower;
mod histories;
mod history;
mod kills;
mod linearizability;
mod nodes;
mod rebuild;
mod recorder;
mod verified;

use serde_json::{Value, json};

use finding::Finding;

/// What clients hold is to be limited by time alone.
fn holds_without_number() -> Value {
    json!({"holds_per_client": 1_000})
}
