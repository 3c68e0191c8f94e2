//! What is offered can be booked, and what can be booked is offered: tried minute by minute on calendars
//! that are made by chance.
//!
//! `DAYBOOK_CALENDARS` is how many, `DAYBOOK_SEED` begins with the same again.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};

use crate::harness::{Practice, a_practice, date, seed, size, utc};

/// Starts that are tried lie so many minutes apart: on the finest grid, and between.
const TRIED_EVERY_MINUTES: usize = 5;

/// A day and a half, so that a night is part of it.
const TRIED_HOURS: i64 = 36;

struct Calendar {
    practice: Practice,
    service: String,
    resource: String,
    zone: &'static str,
}

impl Calendar {
    fn by_chance(rng: &mut StdRng) -> Self {
        let practice = a_practice();
        let zone =
            *["UTC", "Europe/Oslo", "America/Santiago", "Australia/Lord_Howe"].choose(rng).unwrap();
        let step = *[10, 15, 20, 25, 60].choose(rng).unwrap();
        let service = practice.a_service(&json!({
            "duration_minutes": rng.random_range(5..=90),
            "buffer_before_minutes": rng.random_range(0..=2) * 5,
            "buffer_after_minutes": rng.random_range(0..=2) * 5,
            "rules": {"slot_step_minutes": step, "slot_offset_minutes": rng.random_range(0..2) * 5},
        }));
        let resource = practice.a_resource(&json!({
            "time_zone": zone,
            "capacity": rng.random_range(1..=2),
            "weekly_hours": weekly_hours(rng),
        }));
        let calendar = Self { practice, service, resource, zone };
        for _ in 0..rng.random_range(0..=3) {
            calendar.an_exception(rng);
        }
        for _ in 0..20 {
            // Some of these are refused, as they may be.
            calendar
                .book(begin() + TimeDelta::minutes(rng.random_range(0..TRIED_HOURS * 60)), true);
        }
        calendar
    }

    fn an_exception(&self, rng: &mut StdRng) {
        let day = rng.random_range(0..2);
        let (from, length) = (rng.random_range(0..20), rng.random_range(1..4));
        let at = |hour: u32| format!("{}T{hour:02}:{:02}", date(day), 30 * (hour % 2));
        let kind = *["extra-hours", "time-off"].choose(rng).unwrap();
        let hours = json!({"from": at(from), "to": at(from + length)});
        let path = format!("/v1/resources/{}/exceptions", self.resource);
        self.practice.api.post(&path, &json!({"kind": kind, "hours": hours})).send().is(201);
    }

    /// Whether it can be booked; the appointment stays if it is to.
    fn book(&self, start: DateTime<Utc>, stays: bool) -> bool {
        let booking = self.practice.booking(start).with("service_id", &*self.service);
        let answer = booking.with("resource_ids", json!([self.resource])).send();
        if answer.status != 201 {
            assert!([409, 422].contains(&answer.status), "{answer:#?}");
            return false;
        }
        if !stays {
            self.practice.act(&answer.json(), "cancel", &json!({"by": "staff"})).is(200);
        }
        true
    }

    fn offered(&self) -> BTreeSet<String> {
        let (from, to) = (date(0), date(2));
        let query = format!(
            "service_id={}&resource_id={}&from={from}&to={to}&tz=UTC&limit=1000",
            self.service, self.resource
        );
        let path = format!("/v1/availability?{query}");
        let answer = self.practice.api.get(&path).send().is(200);
        let slots = answer["slots"].as_array().unwrap();
        slots.iter().map(|slot| slot["start_at"].as_str().unwrap().to_owned()).collect()
    }
}

fn begin() -> DateTime<Utc> {
    date(0).and_time(chrono::NaiveTime::MIN).and_utc()
}

/// One to three windows of every day; one that would end before it begins crosses midnight.
fn weekly_hours(rng: &mut StdRng) -> Value {
    let days = json!(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]);
    let mut hours: Vec<u32> = (0..24).collect();
    let mut windows = Vec::new();
    for _ in 0..rng.random_range(1..=3) {
        let from = hours.remove(rng.random_range(0..hours.len()));
        let to = (from + rng.random_range(1..=7)) % 24;
        let window = |from: u32, to: u32| json!({"days": days, "from": format!("{from:02}:00"), "to": format!("{to:02}:30")});
        windows.push(window(from, to));
    }
    json!(windows)
}

#[test]
fn every_start_that_is_offered_can_be_booked_and_no_other() {
    let (calendars, seed) = (size("DAYBOOK_CALENDARS", 4), seed("random calendars"));
    let (mut tried, mut booked) = (0, 0);
    for seed in (seed..=u64::MAX).take(calendars) {
        let calendar = Calendar::by_chance(&mut StdRng::seed_from_u64(seed));
        let offered = calendar.offered();
        for minutes in (0..TRIED_HOURS * 60).step_by(TRIED_EVERY_MINUTES) {
            let start = begin() + TimeDelta::minutes(minutes);
            let can_be_booked = calendar.book(start, false);
            assert_eq!(
                offered.contains(&utc(start)),
                can_be_booked,
                "{start} in a calendar in {}, made with DAYBOOK_SEED={seed}",
                calendar.zone
            );
            tried += 1;
            booked += usize::from(can_be_booked);
        }
        calendar.practice.is_whole();
    }
    println!(
        "{tried} starts tried from DAYBOOK_SEED={seed} on, {booked} of them offered and booked"
    );
}
