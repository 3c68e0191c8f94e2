//! When a resource is open: its weekly hours, exceptions and holidays, and what may be booked then.

mod clock_changes;
mod exceptions;
mod holidays;
mod refusals;
mod weekly;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use crate::harness::{Answer, Practice, a_practice};

/// A practice with a resource to open and close.
struct Place {
    practice: Practice,
    resource: String,
}

impl Place {
    /// In that zone, with these weekly windows: `"mon,tue 09:00-17:00"`.
    fn in_zone(zone: &str, windows: &[&str]) -> Self {
        let practice = a_practice();
        let hours = weekly(windows);
        let resource = practice.a_resource(&json!({"time_zone": zone, "weekly_hours": hours}));
        Self { practice, resource }
    }

    fn path(&self, rest: &str) -> String {
        format!("/v1/resources/{}{rest}", self.resource)
    }

    fn resource(&self) -> Value {
        self.practice.api.get(&self.path("")).send().is(200)
    }

    /// Half an hour from `start`.
    fn book(&self, start: DateTime<Utc>) -> Answer {
        self.practice.booking(start).with("resource_ids", json!([self.resource])).send()
    }

    #[track_caller]
    fn is_open(&self, start: DateTime<Utc>) {
        self.book(start).is(201);
    }

    #[track_caller]
    fn is_closed(&self, start: DateTime<Utc>) {
        let problem = self.book(start).is_refused(422, "outside-opening-hours");
        assert_eq!(problem["resource_id"], self.resource);
    }

    fn add(&self, exception: &Value) -> Answer {
        self.practice.api.post(&self.path("/exceptions"), exception).send()
    }

    fn remove(&self, exception: &Value) -> Answer {
        let path = self.path(&format!("/exceptions/{}", exception["id"].as_str().unwrap()));
        self.practice.api.request("DELETE", &path).send()
    }

    fn observe(&self, holidays: &Value) -> Answer {
        let body = json!({"holidays": holidays});
        self.practice.api.request("PUT", &self.path("/holidays")).json(&body).send()
    }

    fn opening_hours(&self, query: &str) -> Answer {
        self.practice.api.get(&self.path(&format!("/opening-hours?{query}"))).send()
    }

    /// Each stretch as `start/end`, first as the resource's clocks show it and then in UTC.
    fn open(&self, from: &str, to: &str) -> Vec<(String, String)> {
        let hours = self.opening_hours(&format!("from={from}&to={to}")).is(200);
        assert_eq!((&hours["from"], &hours["to"]), (&json!(from), &json!(to)));
        assert_eq!(hours["resource_id"], self.resource);
        let text = |stretch: &Value, name: &str| stretch[name].as_str().unwrap().to_owned();
        let shown = |stretch: &Value| {
            let span = |start, end| format!("{}/{}", text(stretch, start), text(stretch, end));
            (span("local_start_at", "local_end_at"), span("start_at", "end_at"))
        };
        hours["open"].as_array().unwrap().iter().map(shown).collect()
    }

    #[track_caller]
    fn opens(&self, (from, to): (&str, &str), expected: &[(&str, &str)]) {
        let expected: Vec<_> =
            expected.iter().map(|(local, utc)| ((*local).to_owned(), (*utc).to_owned())).collect();
        assert_eq!(self.open(from, to), expected);
    }
}

fn weekly(windows: &[&str]) -> Value {
    let week = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let window = |window: &&str| {
        let (days, times) = window.split_once(' ').unwrap();
        let days: Vec<&str> = if days == "daily" { week.into() } else { days.split(',').collect() };
        let (from, to) = times.split_once('-').unwrap();
        json!({"days": days, "from": from, "to": to})
    };
    windows.iter().map(window).collect()
}
