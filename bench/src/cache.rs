//! `cache`: what is asked again and again, of a program that caches answers and of one that does not, in turn.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, ensure};
use chrono::{Days, NaiveDate};
use daybook_domain::rights::ScopeSet;
use daybook_store::Position;
use daybook_store::keys::{self, NewKey};

use crate::catalogue::Size;
use crate::cli::Options;
use crate::cluster::Server;
use crate::daybook::Daybook;
use crate::http::client::Connection;
use crate::http::server::{Program, Serving};
use crate::load::{self, Window, Work};
use crate::report::{Aim, Report};

/// How often each is measured, in turn; the better of these counts.
const ROUNDS: usize = 2;

/// What is asked, and of which program.
struct Case {
    /// Without a cache, and with one.
    names: [&'static str; 2],
    path: fn(&Facts, u64) -> String,
    aim: Aims,
}

#[derive(Clone, Copy, PartialEq)]
enum Aims {
    /// At least three times as many.
    Faster,
    /// At most a tenth slower: what is asked is another thing each time, or is not cached.
    AsFast,
}

/// What questions are made of.
struct Facts {
    head: Position,
    begins: NaiveDate,
}

impl Facts {
    fn day(&self, days: u64) -> NaiveDate {
        self.begins.checked_add_days(Days::new(days)).unwrap_or(self.begins)
    }

    fn utilisation(&self, from: u64, limit: u64) -> String {
        let (from, to) = (self.day(from), self.day(from + 29));
        format!("/v1/utilisation?from={from}&to={to}&group_by=day,resource&limit={limit}")
    }

    fn as_of(&self, back: u64) -> String {
        let position = self.head.minus(back % (self.head.get() / 2).max(1));
        let from = self.begins;
        format!("/v1/appointments?as_of=position:{position}&from={from}&status=booked")
    }
}

const CASES: [Case; 6] = [
    Case {
        names: ["utilisation", "utilisation-cached"],
        path: |facts, _| facts.utilisation(0, 200),
        aim: Aims::Faster,
    },
    Case {
        names: ["as-of", "as-of-cached"],
        path: |facts, _| facts.as_of(1_000),
        aim: Aims::Faster,
    },
    Case {
        names: ["utilisation-anew", "utilisation-anew-cached"],
        path: |facts, n| facts.utilisation(n / 20 % 60, 180 + n % 20),
        aim: Aims::AsFast,
    },
    Case { names: ["as-of-anew", "as-of-anew-cached"], path: Facts::as_of, aim: Aims::AsFast },
    Case {
        names: ["search-now", "search-now-cached"],
        path: |facts, _| format!("/v1/appointments?from={}&status=booked", facts.begins),
        aim: Aims::AsFast,
    },
    Case {
        names: ["services", "services-cached"],
        path: |_, _| "/v1/services".to_owned(),
        aim: Aims::AsFast,
    },
];

const CONNECTIONS: [usize; 2] = [1, 8];

pub(crate) async fn run(
    server: &Server,
    options: &Options,
    appointments: u64,
    daybook: Option<&Path>,
    redis: Option<&str>,
) -> anyhow::Result<Report> {
    let timing = options.timing(3);
    let size = Size::new(options.smoke, if options.smoke { 2_000 } else { appointments });
    let program = Program::find(daybook)?;
    let database = Daybook::template(server, size).await?;
    let opened = Daybook::open(&database, size)?;
    let now = opened.engine.clock().now();
    let (pool, all) = (opened.log().pool(), NewKey::of(ScopeSet::Admin.scopes()));
    let key = keys::create(pool, &opened.tenant, all, now).await?.key;
    let head = opened.log().head(&opened.tenant).await?.context("a log without an end")?;
    opened.close().await;
    database.settle().await?;
    let facts = Arc::new(Facts { head, begins: size.begins.date_naive() });
    let mut with = vec!["--cache-mib", "64"];
    with.extend(redis.iter().flat_map(|url| ["--redis-url", url]));
    let programs = [vec!["--cache-mib", "0"], with];
    let mut serving = Vec::new();
    for (n, arguments) in programs.iter().enumerate() {
        let log = server.scratch(&format!("daybook-{n}.log"));
        serving.push(Serving::start_with(&program, &database, log, arguments).await?);
    }
    let mut report = Report::default();
    for case in &CASES {
        for connections in options.in_flight(&CONNECTIONS) {
            let asked = Arc::new(AtomicU64::new(0));
            let mut best = [0.0_f64; 2];
            for _ in 0..ROUNDS {
                for (n, serving) in serving.iter().enumerate() {
                    let mut askers = Vec::with_capacity(connections);
                    for _ in 0..connections {
                        askers.push(Asker {
                            connection: Connection::open(serving.address).await?,
                            address: serving.address,
                            key: key.clone(),
                            facts: Arc::clone(&facts),
                            asked: Arc::clone(&asked),
                            name: case.names[n],
                            path: case.path,
                        });
                    }
                    let samples = load::run(Window::from_now(timing), askers).await?;
                    let row = report.add(case.names[n], connections, samples.of(case.names[n])?);
                    best[n] = best[n].max(row.per_second);
                }
            }
            let (what, times) = (format!("{} at {connections}", case.names[0]), best[1] / best[0]);
            match case.aim {
                Aims::Faster => {
                    report.aim(&format!("{what}: times as many"), times, Aim::AtLeast(3.0));
                }
                Aims::AsFast => {
                    report.aim(&format!("{what}: times slower"), 1.0 / times, Aim::Below(1.1));
                }
            }
        }
    }
    for serving in serving {
        serving.stop()?;
    }
    Ok(report)
}

struct Asker {
    connection: Connection,
    address: SocketAddr,
    key: String,
    facts: Arc<Facts>,
    asked: Arc<AtomicU64>,
    name: &'static str,
    path: fn(&Facts, u64) -> String,
}

impl Work for Asker {
    async fn once(&mut self) -> anyhow::Result<&'static str> {
        let path = (self.path)(&self.facts, self.asked.fetch_add(1, Ordering::Relaxed));
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\n\r\n",
            self.address, self.key
        );
        let answer = self.connection.ask(request.as_bytes()).await?;
        ensure!(answer.status == 200, "{path}: {} {}", answer.status, answer.body);
        Ok(self.name)
    }
}
