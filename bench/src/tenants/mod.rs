//! `tenants`: what many tenants cost for whom nothing happens, beside a few who book.
//!
//! Each number of tenants has a server of its own. First it is left alone, then one tenant books over HTTP, then a
//! hundred do; each time somebody books and lists with `min_position`: reading what one has just written.

mod make;
mod people;
mod usage;

use std::path::Path;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::catalogue::Size;
use crate::cli::{Options, Timing};
use crate::cluster::Server;
use crate::http::client::Connection;
use crate::http::server::{Program, Serving};
use crate::load::{self, Window};
use crate::report::{Aim, Report};
use make::Made;
use people::{Booker, Reader};
use usage::Usage;

/// So many book: one, and then these.
const BOOKING: u64 = 100;

const BOOKS: &str = "tenants-book";
const READS: &str = "tenants-read";

/// Connections that book, and those that read what they have written.
const BOOKERS: usize = 16;
const READERS: usize = 2;

/// How long it is left alone before that is measured: what has just happened has come to rest.
const SETTLES: Duration = Duration::from_secs(90);

/// Operators' questions are asked so often; the longest answer counts.
const QUESTIONS: u32 = 20;

pub(crate) async fn run(
    server: &Server,
    options: &Options,
    tenants: &[u64],
    daybook: Option<&Path>,
) -> anyhow::Result<Report> {
    let program = Program::find(daybook)?;
    let timing = options.timing(10);
    let mut report = Report::default();
    let tenants = if options.smoke { &[1, 200] } else { tenants };
    for count in tenants {
        let settles = if options.smoke { timing.measured } else { SETTLES };
        cell(server, &program, *count, (settles, timing), &mut report).await?;
    }
    for case in [BOOKS, READS] {
        for booking in [1, BOOKING] {
            compare(&mut report, &format!("{case}-{booking}"), booking);
        }
    }
    Ok(report)
}

async fn cell(
    server: &Server,
    program: &Program,
    tenants: u64,
    (settles, timing): (Duration, Timing),
    report: &mut Report,
) -> anyhow::Result<()> {
    let size = Size::new(true, 0);
    let made = make::make(server, size, tenants, BOOKING).await?;
    let begun = Instant::now();
    let log = server.scratch(&format!("daybook-{tenants}.log"));
    let serving = Serving::start(program, &made.database, log).await?;
    let ready = begun.elapsed();
    sleep(settles).await;
    let mut usage = Usage::begin(server, &made.database, serving.id()).await?;
    sleep(timing.measured * 2).await;
    let idle = usage.since(server).await?;
    report.remark(format!(
        "{tenants} tenants: ready after {:.2} s; idle: {idle}; {} MB",
        ready.as_secs_f64(),
        usage.resident_mb()?
    ));
    for booking in [1, BOOKING] {
        under_load(&made, &serving, tenants, booking, timing, report).await?;
    }
    questions(program, &made, &serving, tenants, report).await?;
    report.remark(format!("{tenants} tenants: {} MB after load", usage.resident_mb()?));
    serving.stop()?;
    server.drop(made.database).await
}

async fn under_load(
    made: &Made,
    serving: &Serving,
    tenants: u64,
    booking: u64,
    timing: Timing,
    report: &mut Report,
) -> anyhow::Result<()> {
    let booking_keys = &made.keys[..usize::try_from(booking)?.min(made.keys.len())];
    let window = Window::from_now(timing);
    let mut bookers = Vec::new();
    for n in 0..BOOKERS {
        bookers.push(Booker::new(serving.address, booking_keys, n, made).await?);
    }
    let mut readers = Vec::new();
    for n in 0..READERS {
        readers.push(Reader(Booker::new(serving.address, booking_keys, n, made).await?));
    }
    let (booked, read) = tokio::try_join!(load::run(window, bookers), load::run(window, readers))?;
    for (case, samples) in [(BOOKS, booked), (READS, read)] {
        let row = report.add(&format!("{case}-{booking}"), BOOKERS, samples.of(case)?);
        row.among(tenants);
    }
    Ok(())
}

/// What an operator, a balancer and Prometheus ask.
async fn questions(
    program: &Program,
    made: &Made,
    serving: &Serving,
    tenants: u64,
    report: &mut Report,
) -> anyhow::Result<()> {
    let (api, operations) = (serving.address, serving.operations);
    let mut said = Vec::new();
    let asked = [(operations, "/readyz"), (operations, "/metrics"), (api, "/v1/projections")];
    for (address, path) in asked {
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\n\r\n",
            made.keys[0]
        );
        let mut connection = Connection::open(address).await?;
        let mut longest = Duration::ZERO;
        for _ in 0..QUESTIONS {
            let begun = Instant::now();
            connection.ask(request.as_bytes()).await?;
            longest = longest.max(begun.elapsed());
        }
        said.push(format!("{path} {:.1} ms", longest.as_secs_f64() * 1_000.0));
    }
    for command in [&["projections", "list"][..], &["doctor"]] {
        let begun = Instant::now();
        program.ask(&made.database, command)?;
        said.push(format!("{} {:.2} s", command.join(" "), begun.elapsed().as_secs_f64()));
    }
    report.remark(format!("{tenants} tenants: at most {}", said.join(", ")));
    Ok(())
}

/// Beside the fewest tenants of whom as many can book.
fn compare(report: &mut Report, case: &str, booking: u64) {
    let enough = report.rows(case).filter(|row| row.tenants() >= Some(booking));
    let rates: Vec<_> = enough.map(|row| row.per_second).collect();
    let [first, .., last] = rates[..] else { return };
    report.aim(
        &format!("{case}: times slower with the most tenants"),
        first / last,
        Aim::Below(1.1),
    );
}
