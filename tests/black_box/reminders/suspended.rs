//! Clients of a tenant that is suspended hear nothing.

use std::mem;
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use serde_json::json;

use super::{HOUR, Reminding};
use crate::harness::Practice;
use crate::mail::Relay;

/// Begun is what is due longest: where nobody is suspended, it is the first.
#[test]
fn a_suspended_tenants_reminders_wait_until_it_is_resumed() {
    let relay = Relay::start();
    let options = relay.patient();
    // As long as there is no relay, nothing is sent.
    let mut reminding = Reminding::with_options(relay, &[]);
    let waits = reminding.booked(&reminding.client("waits@example.org"), 2);
    let mut other = Practice::on(&reminding.server);
    let rules = json!([{"before_minutes": HOUR, "channel": "email"}]);
    other.service = other.a_service(&json!({"reminders": rules}));
    let suspended = mem::replace(&mut reminding.practice, other);
    reminding.booked(&reminding.client("another@example.org"), 4);
    reminding.database.run(&["tenant", "suspend", &suspended.tenant]).succeeded();
    let mut reminding = reminding.started_again(&options);
    reminding.relay.has(1, "another@example.org");
    let resumed = DateTime::<Utc>::from(SystemTime::now());
    reminding.database.run(&["tenant", "resume", &suspended.tenant]).succeeded();
    reminding.relay.has(1, "waits@example.org");
    reminding.practice = suspended;
    assert!(reminding.recorded_at(&waits, "ReminderBegun") >= resumed);
    assert_eq!(reminding.relay.mails().len(), 2);
}
