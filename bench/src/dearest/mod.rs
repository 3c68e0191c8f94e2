//! `dearest`: of each route the dearest request that is allowed, and what it costs; then all of them at once, and
//! whether the program still says that it lives.
//!
//! * `house`: a tenant that has a lot of everything; `requests`: a request for each route.
//! * `cost`: processor time and memory of processes.
//! * `document`: the table in `docs/limits.md`.

mod cost;
mod document;
mod house;
mod requests;

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use hdrhistogram::Histogram;
use serde_json::Value;
use tokio::runtime;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::sleep;

use crate::cli::Options;
use crate::cluster::Server;
use crate::http::client::Connection;
use crate::http::server::{Program, Serving};
use crate::output;
use crate::report::{Aim, Report};
pub(crate) use cost::status_kb;
use cost::{Cost, Meter};
use house::House;
use requests::{Asked, REQUESTS};

/// Clients that send the dearest requests all at once.
const CLIENTS: usize = 64;

/// How often each request is measured: the dearest of these counts.
const TIMES: usize = 3;

pub(crate) async fn run(
    server: &Server,
    options: &Options,
    appointments: u64,
    daybook: Option<&Path>,
    document: Option<&Path>,
) -> anyhow::Result<Report> {
    let timing = options.timing(20);
    let program = Program::find(daybook)?;
    let (database, size) =
        House::seeded(server, if options.smoke { 2_000 } else { appointments }).await?;
    let serving = Serving::start(&program, &database, server.scratch("daybook.log")).await?;
    let house = Arc::new(House::furnished(&database, size, serving.address).await?);
    database.settle().await?;
    let routes = routes(&mut Connection::open(serving.address).await?, serving.address).await?;
    let mut report = Report::default();
    let mut rows = Vec::new();
    let meter = Meter::of(serving.id(), server.process_id()?)?;
    let mut failed = Vec::new();
    for route in &routes {
        let cost = match measured(&meter, &house, route).await {
            Ok(cost) => cost,
            Err(error) => {
                failed.push(format!("{route}: {error:#}"));
                continue;
            }
        };
        output::note(&format!("{route}: {cost}"));
        report.aim(&format!("{route}: processor, ms"), cost.processor_ms(), Aim::Below(250.0));
        report.aim(&format!("{route}: memory, MB"), cost.memory_mb, Aim::Below(32.0));
        rows.push((route.clone(), cost));
    }
    let lives = all_at_once(&house, serving.operations, timing.measured).await?;
    report.aim("p99 of /livez meanwhile, ms", lives.operations.p99, Aim::Below(50.0));
    let Lives { operations, api, answers } = &lives;
    let lives_so = format!(
        "{CLIENTS} clients: /livez {operations}; on the API's port {api}; answers {answers}"
    );
    // At once, as what each route costs: a route that is not measured ends the run without a report.
    output::note(&lives_so);
    report.remark(lives_so);
    if let Some(file) = document {
        document::write(file, &rows, &lives)?;
    }
    serving.stop()?;
    // What was measured is told all the same.
    ensure!(failed.is_empty(), "not measured:\n{}", failed.join("\n"));
    Ok(report)
}

/// All routes of the document that the program serves: none can be forgotten.
async fn routes(connection: &mut Connection, address: SocketAddr) -> anyhow::Result<Vec<String>> {
    let request = format!("GET /openapi.json HTTP/1.1\r\nhost: {address}\r\n\r\n");
    let document = connection.json(request.as_bytes()).await?;
    let paths = document["paths"].as_object().context("no paths")?;
    let of_path = |(path, methods): (&String, &Value)| -> Vec<String> {
        let methods = methods.as_object().into_iter().flat_map(|methods| methods.keys());
        methods.map(|method| format!("{} {path}", method.to_uppercase())).collect()
    };
    let routes: Vec<String> = paths.iter().flat_map(of_path).collect();
    for (known, _) in REQUESTS {
        ensure!(routes.iter().any(|route| route == known), "there is no route {known} any more");
    }
    Ok(routes)
}

/// The dearest of a few times.
async fn measured(meter: &Meter, house: &Arc<House>, route: &str) -> anyhow::Result<Cost> {
    let request = requests::of(route)?;
    let mut dearest: Option<Cost> = None;
    for _ in 0..TIMES {
        let asked = request(Arc::clone(house)).await?;
        let mut connection = Connection::open(house.address).await?;
        // What others do in the meantime is not this request's.
        sleep(Duration::from_millis(300)).await;
        let begun = meter.begin()?;
        let answer = connection.read_through(asked.bytes().as_bytes()).await?;
        let cost = meter.end(begun, answer)?;
        let taken = !cost.beginning.contains("problem:invalid-");
        ensure!(taken && asked.may_be_answered(cost.status), "{} {}", cost.status, cost.beginning);
        if dearest.as_ref().is_none_or(|known| known.processor_ms() < cost.processor_ms()) {
            dearest = Some(cost);
        }
    }
    dearest.context("it was not measured")
}

/// How the program lives while many ask for what is dearest.
pub(super) struct Lives {
    /// Where whoever keeps it running asks.
    operations: Latency,
    /// Where balancers do.
    api: Latency,
    /// How many answers there were, by status.
    answers: String,
}

/// How long `/livez` takes, in milliseconds.
#[derive(Clone, Copy)]
pub(super) struct Latency {
    p50: f64,
    p99: f64,
    longest: f64,
}

impl Display for Latency {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { p50, p99, longest } = self;
        write!(f, "{p50:.1} ms at the median, {p99:.1} ms at p99, {longest:.1} ms at most")
    }
}

async fn all_at_once(
    house: &Arc<House>,
    operations: SocketAddr,
    lasting: Duration,
) -> anyhow::Result<Lives> {
    let answered = Arc::new(Mutex::new(BTreeMap::new()));
    let mut clients = JoinSet::new();
    for n in 0..CLIENTS {
        clients.spawn(one_of_many(Arc::clone(house), n, Arc::clone(&answered)));
    }
    let api = house.address;
    let asked = [operations, api].map(|address| spawn_blocking(move || lives(address, lasting)));
    let [operations, api] = asked;
    let (operations, api) = (operations.await??, api.await??);
    // An export may take minutes yet: whoever has no answer by now is not counted.
    clients.shutdown().await;
    let answers = std::mem::take(&mut *answered.lock().unwrap_or_else(PoisonError::into_inner));
    let said = answers.iter().map(|(status, count)| format!("{status}: {count}"));
    Ok(Lives { operations, api, answers: said.collect::<Vec<_>>().join(", ") })
}

/// Asks again and again whether the program lives, on a thread of its own: the clients' do not count. Blocks.
fn lives(address: SocketAddr, lasting: Duration) -> anyhow::Result<Latency> {
    let mut took = Histogram::<u64>::new(3)?;
    let probe = Asked::get("/livez").without_key().to(address);
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let began = Instant::now();
        while began.elapsed() < lasting {
            // Whoever looks after the program opens a connection each time.
            let asked = Instant::now();
            let answer = Connection::open(address).await?.ask(probe.as_bytes()).await?;
            ensure!(answer.status == 200, "/livez: {}", answer.status);
            took.record(u64::try_from(asked.elapsed().as_micros())?)?;
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    })?;
    let ms = |micros: u64| Duration::from_micros(micros).as_secs_f64() * 1_000.0;
    Ok(Latency {
        p50: ms(took.value_at_quantile(0.5)),
        p99: ms(took.value_at_quantile(0.99)),
        longest: ms(took.max()),
    })
}

/// Sends the requests of all routes in turn, each client from another one on, and counts the answers by status.
async fn one_of_many(
    house: Arc<House>,
    first: usize,
    answered: Arc<Mutex<BTreeMap<u16, u64>>>,
) -> anyhow::Result<()> {
    let mut turn = first * 7;
    loop {
        let (_, request) = REQUESTS[turn % REQUESTS.len()];
        turn += 1;
        // What a request needs may itself be refused where there is too much to do.
        let Ok(asked) = request(Arc::clone(&house)).await else { continue };
        let mut connection = Connection::open(house.address).await?;
        if let Ok(answer) = connection.read_through(asked.bytes().as_bytes()).await {
            let mut answered = answered.lock().unwrap_or_else(PoisonError::into_inner);
            *answered.entry(answer.status).or_insert(0) += 1;
        }
    }
}
