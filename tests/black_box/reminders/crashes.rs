//! `kill -9` around the hand-over, with two programs on one database.

use std::collections::BTreeSet;
use std::ops::Range;

use serde_json::Value;

use super::Reminding;
use crate::harness::{Database, id_of, size};
use crate::mail::Relay;
use crate::mail::killed::{Written, survives};

/// How often a program is killed.
const KILLS: &str = "DAYBOOK_REMINDER_KILLS";

impl Written for Reminding {
    const NAME: &'static str = "Reminder";
    const HANDED_OVER: Range<u64> = 3_500..6_500;

    fn relay(&self) -> &Relay {
        &self.relay
    }

    fn database(&self) -> &Database {
        &self.database
    }

    fn to(&self, address: &str) -> Value {
        self.booked(&self.client(address), 5)
    }

    fn ledger(&self, appointment: &Value) -> Vec<(String, Value)> {
        self.ledger(appointment)
    }
}

#[test]
fn whatever_is_killed_nobody_is_forgotten_and_whoever_has_it_twice_has_the_same() {
    let reminding = Reminding::new();
    let all = survives(&reminding, size(KILLS, 2));
    let ids: BTreeSet<String> = all.iter().map(id_of).collect();
    assert_eq!(reminding.reminders().keys().filter(|id| ids.contains(*id)).count(), all.len());
    reminding.database.run(&["verify"]).succeeded();
    reminding.database.projections_are_what_the_log_says();
}
