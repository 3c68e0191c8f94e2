//! On what is measured: said before each table, and checked where it must hold.

use std::fs;
use std::thread;

use anyhow::ensure;
use sqlx::{Connection as _, PgConnection};

use crate::cluster::Server;
use crate::output;

/// The parameters that decide what a commit costs.
const PARAMETERS: &[&str] = &[
    "server_version",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "wal_sync_method",
    "wal_compression",
    "shared_buffers",
    "max_wal_size",
];

/// Says what the run runs on.
pub(crate) async fn introduce(server: &Server) -> anyhow::Result<()> {
    let mut connection = server.admin().await?;
    let mut said = Vec::new();
    for name in PARAMETERS {
        let value = show(&mut connection, name).await?;
        let must_be_on = ["fsync", "synchronous_commit"].contains(name);
        ensure!(!must_be_on || value == "on", "{name} is {value}: such figures compare nothing");
        said.push(format!("{name} {value}"));
    }
    connection.close().await?;
    let cores = thread::available_parallelism()?;
    output::line(&format!("{cores} cores, {}", processor().unwrap_or_default()))?;
    output::line(&said.join(", "))?;
    if cfg!(debug_assertions) {
        output::note("This is a debug build: its figures mean nothing.");
    }
    if let Some(load) = load_average().filter(|load| *load > 0.5) {
        output::note(&format!("The load average is {load}: something else is at work here."));
    }
    Ok(())
}

async fn show(connection: &mut PgConnection, name: &str) -> Result<String, sqlx::Error> {
    sqlx::query_scalar("SELECT current_setting($1)").bind(name).fetch_one(connection).await
}

fn processor() -> Option<String> {
    let all = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = all.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn load_average() -> Option<f64> {
    fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}

/// The processor time that this process has used, in seconds; `None` where it is not told.
pub(crate) fn processor_seconds() -> Option<f64> {
    processor_seconds_of(std::process::id(), false)
}

/// The same of another process, on request with that of its children that have ended.
pub(crate) fn processor_seconds_of(process: u32, with_children: bool) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // Behind the name, which may hold anything: the state is field 3, user and system time are 14
    // and 15, those of children 16 and 17, in hundredths of a second.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let hundredths = |field: usize| fields.get(field - 3)?.parse::<f64>().ok();
    let last = if with_children { 17 } else { 15 };
    let all: Option<f64> = (14..=last).map(hundredths).sum();
    Some(all? / 100.0)
}
