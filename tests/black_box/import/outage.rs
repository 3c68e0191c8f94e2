//! A database that goes away in the middle of an import is waited for.

use std::thread;
use std::time::Duration;

use serde_json::json;

use super::*;
use crate::database::Postgres;
use crate::harness::{Database, Sql, within};

const TENANT: &str = "clinic";
const EVENTS: usize = 5_000;

/// Half hours of a hall, one after the other.
fn half_hours() -> String {
    let first: DateTime<Utc> = "2027-01-01T00:00:00Z".parse().unwrap();
    let at = |n: usize| first + chrono::TimeDelta::minutes(30 * i64::try_from(n).unwrap());
    let text = |at: DateTime<Utc>| at.format("%Y%m%dT%H%M%SZ").to_string();
    let times: Vec<_> = (0..EVENTS).map(|n| (text(at(n)), text(at(n + 1)))).collect();
    let events: Vec<_> = times.iter().map(|(start, end)| ("Taken", &**start, &**end)).collect();
    a_calendar(&events)
}

fn counts(booked: usize, there: usize) -> String {
    format!("booked {booked}, already there {there}, refused 0")
}

struct Outage {
    postgres: Postgres,
    database: Database,
    folder: TempDir,
}

impl Outage {
    /// With a tenant, of which one event was imported.
    fn new() -> Self {
        let postgres = Postgres::start(&[]);
        let database = Database::at(postgres.url());
        let outage = Self { postgres, database, folder: tempfile::tempdir().unwrap() };
        let one = a_calendar(&[("Before", "20260101T000000Z", "20260101T003000Z")]);
        let done = outage.database.import(&outage.file(&one), TENANT, &["--source", "before"]);
        assert_eq!(done.last_line(), counts(1, 0), "{done:#?}");
        outage
    }

    fn file(&self, content: &str) -> PathBuf {
        let path = self.folder.path().join("calendar.ics");
        fs::write(&path, content).unwrap();
        path
    }

    fn events(&self) -> usize {
        let mut sql = Sql::connect(&self.postgres.url(), None);
        let count = sql.number("SELECT count(*) FROM events WHERE tenant_id = $1", TENANT);
        count.try_into().unwrap()
    }

    fn is_in_the_middle(&self) {
        let some = || (self.events() > 300).then_some(());
        within(Duration::from_mins(1), "some events are booked", some);
        assert!(self.events() < EVENTS, "it is in the middle of it");
    }

    /// All were booked, each once.
    fn is_whole(&self) {
        let mut sql = Sql::connect(&self.postgres.url(), None);
        let count =
            "SELECT count(*) FROM events WHERE tenant_id = $1 AND event_type = 'AppointmentBooked'";
        let booked = usize::try_from(sql.number(count, TENANT)).unwrap();
        assert_eq!(booked, EVENTS + 1);
        self.database.run(&["verify"]).succeeded();
        let again = self.database.import(&self.file(&half_hours()), TENANT, &[]);
        assert_eq!(again.last_line(), counts(0, EVENTS), "{again:#?}");
    }
}

#[test]
fn an_import_by_the_command_waits_for_a_database_that_is_stopped_and_started_again() {
    let mut outage = Outage::new();
    let (file, database) = (outage.file(&half_hours()), outage.database.clone());
    let importing = thread::spawn(move || database.import(&file, TENANT, &[]));
    outage.is_in_the_middle();
    outage.postgres = outage.postgres.away_for(Duration::from_secs(4));
    let done = importing.join().unwrap();
    assert_eq!((done.code, done.last_line()), (Some(0), &*counts(EVENTS, 0)), "{done:#?}");
    outage.is_whole();
}

#[test]
fn an_import_over_http_waits_for_a_database_that_is_killed() {
    let outage = Outage::new();
    let server = Server::start(&outage.database);
    let api = server.api(Some(outage.database.key(TENANT, "manage")));
    let request = api.request("POST", "/v1/imports").header("prefer", "respond-async");
    let sent = request.body("text/calendar", half_hours()).send();
    assert_eq!(sent.is(201)["status"], "running");
    let path = sent.header("location").unwrap().to_owned();
    outage.is_in_the_middle();
    outage.postgres.kill_dash_9();
    let report = within(Duration::from_mins(1), "the import is done", || {
        let answer = api.get(&path).send();
        (answer.status == 200 && answer.json()["status"] != "running").then(|| answer.json())
    });
    assert_eq!(report["status"], "finished", "{report}");
    assert_eq!(report["counts"]["booked"], json!(EVENTS), "{report}");
    drop(server);
    outage.is_whole();
}
