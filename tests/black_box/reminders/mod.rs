//! Clients are reminded by mail: real mail, handed to a real relay.
//!
//! * `sending`, `routes`, `secure`: what is sent and what is not, over HTTP, and to which relays.
//! * `races`, `crashes`, `away`: who cancels meanwhile, programs that are killed, a relay that is away.
//! * `clocks`: when it is due where clocks change. `due`: very many at once. `suspended`: nobody is reminded by a tenant that is.
//! * `words`: in whose words.

mod away;
mod clocks;
mod crashes;
mod due;
mod races;
mod routes;
mod secure;
mod sending;
mod suspended;
mod words;

use std::collections::BTreeMap;

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use serde_json::{Value, json};
use sqlx::Row as _;

use crate::database::AnotherTime;
use crate::harness::{Database, Practice, Server, eventually, id_of, personal};
use crate::mail::Relay;

/// A practice whose service reminds an hour before, and a program that can.
struct Reminding {
    relay: Relay,
    database: Database,
    server: Server,
    practice: Practice,
}

const HOUR: u32 = 60;

impl Reminding {
    fn new() -> Self {
        Self::with(Relay::start())
    }

    fn with(relay: Relay) -> Self {
        let options = relay.options();
        Self::with_options(relay, &options)
    }

    fn with_options(relay: Relay, options: &[&str]) -> Self {
        Self::on(relay, Server::start_with(&Database::fresh(), options))
    }

    fn on(relay: Relay, server: Server) -> Self {
        let database = server.database.clone();
        let mut practice = Practice::on(&server);
        let rules = json!([{"before_minutes": HOUR, "channel": "email"}]);
        practice.service = practice.a_service(&json!({"reminders": rules}));
        Self { relay, database, server, practice }
    }

    /// One where it is then.
    fn at(time: &AnotherTime) -> Self {
        let relay = Relay::start();
        let server = time.start(&relay.options());
        Self::on(relay, server)
    }

    /// The same, by another program.
    fn started_again(self, options: &[&str]) -> Self {
        let Self { relay, database, server, practice } = self;
        drop(server);
        let server = Server::start_with(&database, options);
        let practice = practice.moved_to(&server);
        Self { relay, database, server, practice }
    }

    /// A client whose mail goes there.
    fn client(&self, email: &str) -> String {
        self.client_with(&json!({"email": email}))
    }

    fn client_with(&self, members: &Value) -> String {
        personal::is_sent();
        let mut body = json!({"name": personal::NAME});
        body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        self.practice.created("/v1/clients", &body)
    }

    /// An appointment of which this client is to be reminded in so many seconds; in a room of its own.
    fn booked(&self, client: &str, seconds: i64) -> Value {
        let room = self.practice.a_room();
        let start = in_seconds(seconds) + TimeDelta::minutes(HOUR.into());
        let booking = self.practice.booking(start).with("client_id", client);
        booking.with("resource_ids", json!([room])).send().is(201)
    }

    /// What has happened to reminders of this appointment, in the order of the log.
    fn ledger(&self, appointment: &Value) -> Vec<(String, Value)> {
        let all = self.reminders();
        all.get(&id_of(appointment)).cloned().unwrap_or_default()
    }

    /// Of all appointments.
    fn reminders(&self) -> BTreeMap<String, Vec<(String, Value)>> {
        let query = "SELECT aggregate_id, event_type, payload FROM events
                      WHERE tenant_id = $1 AND aggregate_type = 'reminder' ORDER BY position";
        let (mut of, mut all) = (BTreeMap::new(), BTreeMap::<_, Vec<_>>::new());
        for row in self.database.sql().rows(query, &self.practice.tenant) {
            let (id, payload): (String, Value) = (row.get("aggregate_id"), row.get("payload"));
            if let Some(appointment) = payload["appointment_id"].as_str() {
                of.insert(id.clone(), appointment.to_owned());
            }
            all.entry(of[&id].clone()).or_default().push((row.get("event_type"), payload));
        }
        all
    }

    /// When the last of these was recorded.
    fn recorded_at(&self, appointment: &Value, event_type: &str) -> DateTime<Utc> {
        let query = "SELECT recorded_at FROM events WHERE tenant_id = $1
                        AND payload ->> 'appointment_id' = '{id}' AND event_type = '{type}'
                      ORDER BY position";
        let query = query.replace("{id}", &id_of(appointment)).replace("{type}", event_type);
        let rows = self.database.sql().rows(&query, &self.practice.tenant);
        rows.last().unwrap_or_else(|| panic!("no {event_type}")).get("recorded_at")
    }

    /// The names of what has happened, when the last of it is this.
    fn until(&self, appointment: &Value, last: &str) -> Vec<String> {
        eventually(last, || {
            let names = names(&self.ledger(appointment));
            names.last().is_some_and(|name| name == last).then_some(names)
        })
    }
}

fn names(ledger: &[(String, Value)]) -> Vec<String> {
    ledger.iter().map(|(name, _)| name.clone()).collect()
}

fn in_seconds(seconds: i64) -> DateTime<Utc> {
    let now = DateTime::<Utc>::from(std::time::SystemTime::now());
    now.trunc_subsecs(0) + TimeDelta::seconds(seconds)
}
