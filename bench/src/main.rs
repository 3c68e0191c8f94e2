//! The load benchmarks, run by hand: `cargo run --profile dist -p bench -- append|http|nodes|availability|cache|dearest|mixed|as-of|grow|tenants|verify|rebuild|relay|import`.
//!
//! * `append`, `http`, `nodes`, `availability`, `cache`, `dearest`, `mixed`, `as_of`, `grow`, `tenants`, `verify`, `rebuild`, `relay`, `import`: a module per subcommand, made of cells. A cell is one kind of
//!   load at one number in flight.
//! * `cluster`: the PostgreSQL of a run; `load`, `samples`, `report`: load, latencies, table and JSON.
//! * `daybook`, `catalogue`, `calendar`, `seed`, `searches`: what is measured, and what it is full of.
//! * `rivals`: what it is measured against, on the same PostgreSQL.
//!
//! What the figures mean: `bench/README.md`.

mod append;
mod as_of;
mod availability;
mod cache;
mod calendar;
mod catalogue;
mod cli;
mod cluster;
mod daybook;
mod dearest;
mod grow;
mod http;
mod import;
mod load;
mod machine;
mod mixed;
mod nodes;
mod output;
mod rebuild;
mod relay;
mod report;
mod rivals;
mod samples;
mod searches;
mod seed;
mod tenants;
mod verify;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use clap::Parser;

use cli::{Cli, What};
use cluster::Server;
use report::Report;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::error(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<()> {
    let server = Server::start(&cli.options)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let measured = runtime.block_on(async {
        tokio::select! {
            measured = measure(cli, &server) => measured,
            _ = tokio::signal::ctrl_c() => bail!("interrupted"),
        }
    });
    // Connections first, then the database that they lead to.
    runtime.shutdown_timeout(Duration::from_secs(1));
    server.stop()?;
    measured?.finish(cli.options.json.as_deref())
}

async fn measure(cli: &Cli, server: &Server) -> anyhow::Result<Report> {
    machine::introduce(server).await?;
    let options = &cli.options;
    match &cli.what {
        What::Append { appointments } => append::run(server, options, *appointments).await,
        What::Http { appointments, daybook } => {
            http::run(server, options, *appointments, daybook.as_deref()).await
        }
        What::Nodes { daybook } => nodes::run(server, options, daybook.as_deref()).await,
        What::Availability { daybook } => {
            availability::run(server, options, daybook.as_deref()).await
        }
        What::Cache { appointments, daybook, redis_url } => {
            let (daybook, redis) = (daybook.as_deref(), redis_url.as_deref());
            cache::run(server, options, *appointments, daybook, redis).await
        }
        What::Dearest { appointments, daybook, document } => {
            let document = document.as_deref();
            dearest::run(server, options, *appointments, daybook.as_deref(), document).await
        }
        What::Mixed { appointments } => mixed::run(server, options, *appointments).await,
        What::AsOf { appointments } => as_of::run(server, options, *appointments).await,
        What::Verify { appointments } => verify::run(server, options, *appointments).await,
        What::Rebuild { appointments } => rebuild::run(server, options, *appointments).await,
        What::Relay { appointments, daybook, amqp_url } => {
            relay::run(server, options, *appointments, daybook.as_deref(), amqp_url).await
        }
        What::Tenants { tenants, daybook } => {
            tenants::run(server, options, tenants, daybook.as_deref()).await
        }
        What::Import { events, daybook } => {
            import::run(server, options, *events, daybook.as_deref()).await
        }
        What::Grow { max } => grow::run(server, options, *max).await,
    }
}
