//! A tenant that has a lot of everything, and what requests need of it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use chrono::{DateTime, Days, NaiveDate, SecondsFormat, TimeDelta, Utc};
use daybook_domain::rights::ScopeSet;
use daybook_store::keys::{self, NewKey, Owner};
use serde_json::{Value, json};

use super::requests::Asked;
use crate::catalogue::{self, Size};
use crate::cluster::{Database, Server};
use crate::daybook::Daybook;
use crate::http::client::Connection;

const WEEK: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A time as iCalendar writes it.
const UTC: &str = "%Y%m%dT%H%M%SZ";

/// As many rooms as a search looks at, and as one role names.
pub(crate) const ROOMS: u64 = 200;
pub(crate) const AMONG: u64 = 100;

/// A tenant, and who may do everything in it.
pub(crate) struct House {
    pub(crate) address: SocketAddr,
    pub(crate) key: String,
    pub(crate) operator_key: String,
    pub(crate) size: Size,
    /// A room that opens and closes fifty times a day, with as many holidays as there can be.
    pub(crate) fussy_room: String,
    /// A room with a thousand places, in which thousands have appointments in one week.
    pub(crate) crowded_room: String,
    /// A service that needs sixteen roles filled, each by one of a hundred rooms.
    pub(crate) crew: String,
    /// A service for which only the rooms at the end of the list are left to book.
    pub(crate) plain: String,
    /// A service that is given in sessions, and a session that many are in.
    pub(crate) class: String,
    pub(crate) session: String,
    pub(crate) series: String,
    /// A room that only this program books.
    pub(crate) own_room: String,
    next: AtomicU64,
}

impl House {
    /// A database with rooms, clients and appointments.
    pub(crate) async fn seeded(
        server: &Server,
        appointments: u64,
    ) -> anyhow::Result<(Database, Size)> {
        let size = Size { resource_bits: 8, clients: 1_024, ..Size::new(false, appointments) };
        Ok((Daybook::template(server, size).await?, size))
    }

    /// The rest, over HTTP, as anyone would.
    pub(crate) async fn furnished(
        database: &Database,
        size: Size,
        address: SocketAddr,
    ) -> anyhow::Result<Self> {
        let daybook = Daybook::open(database, size)?;
        let now = daybook.engine.clock().now();
        let (pool, all) = (daybook.log().pool(), NewKey::of(ScopeSet::Admin.scopes()));
        let key = keys::create(pool, &daybook.tenant, all, now).await?.key;
        let operator_key = keys::create(pool, Owner::Operator, NewKey::default(), now).await?.key;
        daybook.close().await;
        let mut house = Self {
            address,
            key,
            operator_key,
            size,
            fussy_room: String::new(),
            crowded_room: String::new(),
            crew: String::new(),
            plain: String::new(),
            class: String::new(),
            session: String::new(),
            series: String::new(),
            own_room: String::new(),
            next: AtomicU64::new(0),
        };
        house.own_room = house.a_room(&json!({})).await?;
        house.fussy_room = house.a_fussy_room().await?;
        let service = |more: Value| {
            let mut body = json!({"name": "A service", "category": "visit", "duration_minutes": 1});
            if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
                body.extend(more.clone());
            }
            Asked::post("/v1/services", &body)
        };
        house.plain = house.made(service(json!({}))).await?;
        house.crew = house.made(service(json!({"needs": roles()}))).await?;
        house.class = house.made(service(json!({"session_places": 500}))).await?;
        house.crowded_room =
            house.a_crowded_room(if size.appointments < 10_000 { 1 } else { 10 }).await?;
        house.session = house.a_session().await?;
        for client in 0..250 {
            let body = json!({"client_id": catalogue::client(client)});
            let path = format!("/v1/sessions/{}/appointments", house.session);
            house.made(Asked::post(&path, &body)).await?;
        }
        let series = house.a_series(366);
        house.series = house.made(series).await?;
        Ok(house)
    }

    pub(crate) async fn a_room(&self, but: &Value) -> anyhow::Result<String> {
        let always = json!([{"days": WEEK, "from": "00:00", "to": "24:00"}]);
        let mut body = json!({"name": "A room", "kind": "equipment", "time_zone": "UTC", "weekly_hours": always});
        if let (Some(body), Some(but)) = (body.as_object_mut(), but.as_object()) {
            body.extend(but.clone());
        }
        self.made(Asked::post("/v1/resources", &body)).await
    }

    async fn a_fussy_room(&self) -> anyhow::Result<String> {
        let room = self.a_room(&json!({"weekly_hours": many_windows()})).await?;
        for turn in 0..12 {
            self.done(Asked::put(&format!("/v1/resources/{room}/holidays"), &many_holidays(turn)))
                .await?;
        }
        Ok(room)
    }

    /// So many times five hundred appointments in one week.
    async fn a_crowded_room(&self, batches: u64) -> anyhow::Result<String> {
        let room = self.a_room(&json!({"capacity": 1_000})).await?;
        for batch in 0..batches {
            let booking = |n: u64| {
                json!({
                    "service_id": self.plain, "resource_ids": [room], "client_id": catalogue::client(n),
                    "start_at": instant(self.day(10) + TimeDelta::hours(i64::try_from(n % 100 + batch).unwrap_or_default())),
                    "title": "t".repeat(300),
                })
            };
            let items: Vec<_> = (0..500).map(booking).collect();
            self.done(Asked::post("/v1/appointments:batch", &json!({"items": items}))).await?;
        }
        Ok(room)
    }

    /// A session at a time of its own.
    pub(crate) async fn a_session(&self) -> anyhow::Result<String> {
        let room = self.a_room(&json!({})).await?;
        let body = json!({
            "service_id": self.class, "resource_ids": [room], "start_at": instant(self.day(30)),
        });
        self.made(Asked::post("/v1/sessions", &body)).await
    }

    /// So many appointments, one a day, at a minute of their own.
    pub(crate) fn a_series(&self, count: u32) -> Asked {
        let start = self.next_start().naive_utc().format("%Y-%m-%dT%H:%M");
        let body = json!({
            "service_id": self.plain, "resource_ids": [self.own_room], "client_id": catalogue::client(1),
            "dtstart": start.to_string(), "time_zone": "UTC", "rrule": format!("FREQ=DAILY;COUNT={count}"),
        });
        Asked::post("/v1/series", &body)
    }

    /// The body of a booking that nothing is against.
    pub(crate) fn a_booking(&self) -> Value {
        json!({
            "service_id": self.plain, "resource_ids": [self.own_room], "client_id": catalogue::client(2),
            "start_at": instant(self.next_start()), "note": "n".repeat(4_000),
        })
    }

    /// An iCalendar file with an event for each quarter of an hour.
    pub(crate) fn a_calendar(&self, events: u64) -> String {
        let mut text =
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//daybook//bench//EN\r\n".to_owned();
        let mut start = self.size.begins;
        for n in 0..events {
            let end = start + TimeDelta::minutes(15);
            let event = format!(
                "BEGIN:VEVENT\r\nUID:{n}@bench\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:{}\r\nDTEND:{}\r\n\
                 SUMMARY:A visit\r\nCATEGORIES:visit\r\nEND:VEVENT\r\n",
                start.format(UTC),
                end.format(UTC),
            );
            text += &event;
            start = end;
        }
        text + "END:VCALENDAR\r\n"
    }

    /// An appointment that was just booked.
    pub(crate) async fn booked(&self) -> anyhow::Result<String> {
        self.made(Asked::post("/v1/appointments", &self.a_booking())).await
    }

    /// A minute that nobody has booked the own room in.
    pub(crate) fn next_start(&self) -> DateTime<Utc> {
        let minutes = self.next.fetch_add(1, Ordering::Relaxed);
        self.size.begins + TimeDelta::minutes(i64::try_from(minutes).unwrap_or_default())
    }

    /// So many days after the first that is booked.
    pub(crate) fn day(&self, days: u64) -> DateTime<Utc> {
        self.size.begins + Days::new(days)
    }

    pub(crate) fn date(&self, days: u64) -> NaiveDate {
        self.day(days).date_naive()
    }

    /// The id of what a request makes.
    pub(crate) async fn made(&self, asked: Asked) -> anyhow::Result<String> {
        let made = self.done(asked).await?;
        Ok(made["id"].as_str().with_context(|| format!("no id in {made}"))?.to_owned())
    }

    pub(crate) async fn done(&self, asked: Asked) -> anyhow::Result<Value> {
        let mut connection = Connection::open(self.address).await?;
        connection.json(asked.by(&self.key).to(self.address).as_bytes()).await
    }
}

/// Sixteen, each filled by one of the same hundred rooms.
pub(crate) fn roles() -> Value {
    let among: Vec<_> = (0..AMONG).map(catalogue::resource).collect();
    (0..16).map(|n| json!({"role": format!("role {n}"), "among": among})).collect()
}

/// Fifty a day.
pub(crate) fn many_windows() -> Value {
    let time = |minute: u32| format!("{:02}:{:02}", minute / 60, minute % 60);
    let window = |n: u32| json!({"days": WEEK, "from": time(28 * n), "to": time(28 * n + 10)});
    (0..50).map(window).collect()
}

/// A thousand, with names as long as a body has room for; others each turn.
pub(crate) fn many_holidays(turn: u64) -> Value {
    let first = NaiveDate::from_ymd_opt(2027, 1, 1).unwrap_or_default();
    let holiday = |n: u64| {
        let name = format!("{n} {turn} {}", "h".repeat(180));
        json!({"date": first + Days::new(n), "name": name})
    };
    json!({"holidays": (0..1_000).map(holiday).collect::<Vec<_>>()})
}

pub(crate) fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
