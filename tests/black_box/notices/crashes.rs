//! `kill -9` around the hand-over, with two programs on one database.

use std::ops::Range;

use serde_json::Value;

use super::{Telling, nine};
use crate::harness::{Database, size};
use crate::mail::Relay;
use crate::mail::killed::{Written, survives};

/// How often a program is killed.
const KILLS: &str = "DAYBOOK_NOTICE_KILLS";

impl Written for Telling {
    const NAME: &'static str = "Notice";
    const HANDED_OVER: Range<u64> = 0..1_500;

    fn relay(&self) -> &Relay {
        &self.relay
    }

    fn database(&self) -> &Database {
        &self.database
    }

    fn to(&self, address: &str) -> Value {
        self.booked(&self.client(address), nine())
    }

    fn ledger(&self, appointment: &Value) -> Vec<(String, Value)> {
        self.ledger(appointment)
    }
}

#[test]
fn whatever_is_killed_nobody_is_forgotten_and_whoever_is_told_twice_has_the_same() {
    let telling = Telling::impatient();
    for appointment in survives(&telling, size(KILLS, 2)) {
        assert!(telling.ledger(&appointment).iter().all(|(name, _)| name != "NoticeGivenUp"));
    }
    telling.database.run(&["verify"]).succeeded();
    telling.database.projections_are_what_the_log_says();
}
