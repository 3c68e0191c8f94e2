//! `availability`: free time of 30 days through `GET /v1/availability` of a real server.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context as _, ensure};
use chrono::{DateTime, Days, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, Utc};
use daybook_domain::rights::ScopeSet;
use daybook_store::keys::{self, NewKey};
use serde_json::{Value, json};

use crate::calendar::drawn;
use crate::catalogue::Size;
use crate::cli::Options;
use crate::cluster::Server;
use crate::daybook::Daybook;
use crate::http::client::Connection;
use crate::http::server::{Program, Serving};
use crate::load::{self, Window, Work};
use crate::report::{Aim, Report};

const ONE: &str = "availability-1";
const FIFTY: &str = "availability-50";

const RESOURCES: usize = 50;
const CONNECTIONS: [usize; 3] = [1, 4, 16];

/// Half hours that are booked of each resource, of the 600 of 30 days from eight to six.
const BOOKED: u64 = 60;
const DAYS: u64 = 30;
const HALF_HOURS: u64 = 20;

pub(crate) async fn run(
    server: &Server,
    options: &Options,
    daybook: Option<&Path>,
) -> anyhow::Result<Report> {
    let timing = options.timing(10);
    let size = Size::new(true, 0);
    let program = Program::find(daybook)?;
    let database = Daybook::template(server, size).await?;
    let opened = Daybook::open(&database, size)?;
    let now = opened.engine.clock().now();
    let key = keys::create(
        opened.log().pool(),
        &opened.tenant,
        NewKey::of(ScopeSet::Admin.scopes()),
        now,
    )
    .await?
    .key;
    opened.close().await;
    let serving = Serving::start(&program, &database, server.scratch("daybook.log")).await?;
    let house = House::furnished(serving.address, key, size.begins.date_naive()).await?;
    database.settle().await?;
    let mut report = Report::default();
    for (case, resources) in [(ONE, 1), (FIFTY, RESOURCES)] {
        for connections in options.in_flight(&CONNECTIONS) {
            let mut askers = Vec::with_capacity(connections);
            for _ in 0..connections {
                let connection = Connection::open(serving.address).await?;
                askers.push(Asker { case, connection, request: house.question(resources) });
            }
            let samples = load::run(Window::from_now(timing), askers).await?;
            report.add(case, connections, samples.of(case)?);
        }
    }
    let offered = house.offered(RESOURCES).await?;
    report.remark(format!("of {RESOURCES} resources, {offered} starts were offered"));
    serving.stop()?;
    aims(&mut report);
    Ok(report)
}

/// Resources with appointments.
struct House {
    address: SocketAddr,
    key: String,
    from: NaiveDate,
    resources: Vec<String>,
}

impl House {
    /// Registers and books over HTTP, as anyone would.
    async fn furnished(address: SocketAddr, key: String, from: NaiveDate) -> anyhow::Result<Self> {
        let mut house = Self { address, key, from, resources: Vec::new() };
        let mut connection = Connection::open(address).await?;
        let service = json!({"name": "Visit", "category": "visit", "duration_minutes": 30});
        let service = house.made(&mut connection, "/v1/services", &service).await?;
        let client = json!({"name": "A client"});
        let client = house.made(&mut connection, "/v1/clients", &client).await?;
        let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let hours = json!([{"days": days, "from": "08:00", "to": "18:00"}]);
        for n in 0..RESOURCES {
            let room = json!({
                "name": format!("Room {n}"), "kind": "room", "time_zone": "UTC",
                "weekly_hours": hours,
            });
            let room = house.made(&mut connection, "/v1/resources", &room).await?;
            for start in house.starts(n) {
                let booking = json!({
                    "service_id": service, "client_id": client, "resource_ids": [room],
                    "start_at": start.to_rfc3339_opts(SecondsFormat::Secs, true),
                });
                house.made(&mut connection, "/v1/appointments", &booking).await?;
            }
            house.resources.push(room);
        }
        Ok(house)
    }

    /// As many different half hours as are booked, scattered over the days.
    fn starts(&self, resource: usize) -> impl Iterator<Item = DateTime<Utc>> {
        let midnight = self.from.and_time(NaiveTime::MIN).and_utc();
        // A step that has no divisor in common with their number meets each once.
        let first = drawn(resource as u64);
        let half_hours = (0..BOOKED).map(move |n| (first + n * 211) % (DAYS * HALF_HOURS));
        half_hours.map(move |n| {
            let time = TimeDelta::minutes(8 * 60 + 30 * (n % HALF_HOURS).cast_signed());
            midnight + Days::new(n / HALF_HOURS) + time
        })
    }

    async fn made(
        &self,
        connection: &mut Connection,
        path: &str,
        body: &Value,
    ) -> anyhow::Result<String> {
        let (Self { address, key, .. }, body) = (self, body.to_string());
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let made = connection.json(request.as_bytes()).await?;
        Ok(made["id"].as_str().context("no id")?.to_owned())
    }

    /// All starts of the days, on any of the first so many resources.
    fn question(&self, resources: usize) -> String {
        let Self { address, key, from, .. } = self;
        let to = *from + Days::new(DAYS - 1);
        let of = self.resources[..resources].join("&resource_id=");
        let query = format!("duration_minutes=30&from={from}&to={to}&tz=UTC&limit=10000");
        format!(
            "GET /v1/availability?{query}&resource_id={of} HTTP/1.1\r\nhost: {address}\r\n\
             authorization: Bearer {key}\r\n\r\n"
        )
    }

    async fn offered(&self, resources: usize) -> anyhow::Result<usize> {
        let mut connection = Connection::open(self.address).await?;
        let answer = connection.json(self.question(resources).as_bytes()).await?;
        Ok(answer["slots"].as_array().context("no slots")?.len())
    }
}

struct Asker {
    case: &'static str,
    connection: Connection,
    request: String,
}

impl Work for Asker {
    async fn once(&mut self) -> anyhow::Result<&'static str> {
        let answer = self.connection.ask(self.request.as_bytes()).await?;
        ensure!(answer.status == 200, "{}: {}", answer.status, answer.body);
        Ok(self.case)
    }
}

fn aims(report: &mut Report) {
    let row = |case: &str, connections: usize| {
        let row = report.rows(case).find(|row| row.in_flight == connections);
        row.map(|row| (row.per_second, row.p99_ms))
    };
    let (one, one_at_4) = (row(ONE, 16), row(ONE, 4));
    let fifty = row(FIFTY, 4);
    if let Some((rate, _)) = one {
        report.aim("answers per second, 1 resource at 16", rate, Aim::AtLeast(6_810.0));
    }
    if let Some((_, p99)) = one_at_4 {
        report.aim("p99 of 1 resource at 4, ms", p99, Aim::Below(10.0));
    }
    if let Some((rate, p99)) = fifty {
        report.aim("answers per second, 50 resources at 4", rate, Aim::AtLeast(780.0));
        report.aim("p99 of 50 resources at 4, ms", p99, Aim::Below(10.0));
    }
}
