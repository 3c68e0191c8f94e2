//! Clients are told by mail what becomes of their appointments.

mod calendars;
mod crashes;
mod races;
mod silence;
mod words;

use std::collections::BTreeSet;
use std::time::SystemTime;

use chrono::{DateTime, Datelike as _, NaiveDate, TimeDelta, Utc};
use serde_json::{Value, json};
use sqlx::Row as _;

use crate::harness::{Database, Practice, Server, eventually, id_of, personal};
use crate::mail::{Mail, Relay};

/// A practice whose clients are told.
struct Telling {
    relay: Relay,
    database: Database,
    server: Server,
    practice: Practice,
}

impl Telling {
    /// With rooms in Oslo.
    fn new() -> Self {
        let telling = Self::silent();
        telling.speaks("email");
        telling
    }

    /// One that has not chosen to tell them.
    fn silent() -> Self {
        let relay = Relay::start();
        let options = relay.patient();
        Self::with(relay, &options)
    }

    /// With programs that wait a second for each answer of the relay: so a try lapses soon whose program is gone.
    fn impatient() -> Self {
        let relay = Relay::start();
        let options = relay.options();
        let telling = Self::with(relay, &options);
        telling.speaks("email");
        telling
    }

    fn with(relay: Relay, options: &[&str]) -> Self {
        let database = Database::fresh();
        let server = Server::start_with(&database, options);
        let practice = Practice::on(&server);
        Self { relay, database, server, practice }
    }

    fn speaks(&self, notices: &str) {
        self.practice.settings(&json!({"notices": notices}));
    }

    fn client(&self, email: &str) -> String {
        self.client_with(&json!({"email": email}))
    }

    fn client_with(&self, members: &Value) -> String {
        personal::is_sent();
        let mut body = json!({"name": personal::NAME});
        body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        self.practice.created("/v1/clients", &body)
    }

    /// An appointment in a room of its own.
    fn booked(&self, client: &str, start: DateTime<Utc>) -> Value {
        let room = self.practice.a_resource(&json!({"time_zone": "Europe/Oslo"}));
        let booking = self.practice.booking(start).with("client_id", client);
        booking.with("resource_ids", json!([room])).send().is(201)
    }

    fn moved(&self, appointment: &Value, start: DateTime<Utc>) {
        let to = json!({"start_at": start.to_rfc3339()});
        self.practice.act(appointment, "reschedule", &to).is(200);
    }

    fn cancelled(&self, appointment: &Value) {
        self.practice.act(appointment, "cancel", &json!({"by": "client"})).is(200);
    }

    /// The one mail more that comes to this address.
    fn next(&self, before: usize, address: &str) -> Mail {
        let mut mails = self.relay.has(before + 1, address);
        assert_eq!(mails.len(), before + 1, "{mails:?}");
        mails.pop().unwrap()
    }

    /// What has happened to the notice of an appointment, in the order of the log.
    fn ledger(&self, appointment: &Value) -> Vec<(String, Value)> {
        let query = "SELECT aggregate_id, event_type, payload FROM events
                      WHERE tenant_id = $1 AND aggregate_type = 'notice' ORDER BY position";
        let rows = self.database.sql().rows(query, &self.practice.tenant);
        let mut of = BTreeSet::new();
        let (mut ledger, id) = (Vec::new(), id_of(appointment));
        for row in rows {
            let (stream, payload): (String, Value) = (row.get("aggregate_id"), row.get("payload"));
            if payload["appointment_id"] == json!(id) {
                of.insert(stream.clone());
            }
            if of.contains(&stream) {
                ledger.push((row.get("event_type"), payload));
            }
        }
        assert!(of.len() <= 1, "one stream of an appointment");
        ledger
    }

    /// The names of what has happened, when there is this at the end, so many times in all.
    fn until(&self, appointment: &Value, last: &str, times: usize) -> Vec<String> {
        eventually(last, || {
            let names = names(&self.ledger(appointment));
            let count = names.iter().filter(|name| *name == last).count();
            (count >= times && names.last().is_some_and(|name| name == last)).then_some(names)
        })
    }
}

fn names(ledger: &[(String, Value)]) -> Vec<String> {
    ledger.iter().map(|(name, _)| name.clone()).collect()
}

/// Nine in the morning in Oslo, on the next day to come before which clocks there are put forward at night: a Sunday.
fn nine() -> DateTime<Utc> {
    let soon = (DateTime::<Utc>::from(SystemTime::now()) + hours(48)).date_naive();
    let last_sunday_of_march = |year| {
        let end = NaiveDate::from_ymd_opt(year, 3, 31).unwrap();
        end - TimeDelta::days(end.weekday().num_days_from_sunday().into())
    };
    let days = [soon.year(), soon.year() + 1].map(last_sunday_of_march);
    let day = days.into_iter().find(|day| *day > soon).unwrap();
    day.and_hms_opt(7, 0, 0).unwrap().and_utc()
}

fn hours(hours: i64) -> TimeDelta {
    TimeDelta::hours(hours)
}
