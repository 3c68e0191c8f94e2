//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

/// daybook under load, beside what else the same PostgreSQL could have done.
///
/// Every run starts a PostgreSQL of its own, prints a table and, on request, writes it as JSON.
#[derive(Parser)]
#[command(name = "bench")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) what: What,
    #[command(flatten)]
    pub(crate) options: Options,
}

#[derive(Subcommand)]
pub(crate) enum What {
    /// The command path without HTTP, beside pgbench and postgres-es.
    Append {
        /// How many appointments there are before.
        #[arg(long, default_value_t = 0)]
        appointments: u64,
    },
    /// `POST /v1/appointments` of a real server, beside pgbench.
    Http {
        /// How many appointments there are before.
        #[arg(long, default_value_t = 0)]
        appointments: u64,
        /// The program to serve with [default: built for the purpose].
        #[arg(long)]
        daybook: Option<PathBuf>,
    },
    /// `POST /v1/appointments` of one tenant on two real servers, beside one of them.
    Nodes {
        /// The program to serve with [default: built for the purpose].
        #[arg(long)]
        daybook: Option<PathBuf>,
    },
    /// `GET /v1/availability` of a real server: 30 days of 1 and of 50 resources.
    Availability {
        /// The program to serve with [default: built for the purpose].
        #[arg(long)]
        daybook: Option<PathBuf>,
    },
    /// What is asked again and again, of a real server that caches answers and of one that does not, in turn.
    Cache {
        /// How many appointments there are.
        #[arg(long, default_value_t = 100_000)]
        appointments: u64,
        /// The program to serve with [default: built for the purpose].
        #[arg(long)]
        daybook: Option<PathBuf>,
        /// A Redis behind the cache.
        #[arg(long)]
        redis_url: Option<String>,
    },
    /// Of each route the dearest request that is allowed, and all of them at once.
    Dearest {
        /// How many appointments there are.
        #[arg(long, default_value_t = 300_000)]
        appointments: u64,
        /// The program to serve with [default: built for the purpose].
        #[arg(long)]
        daybook: Option<PathBuf>,
        /// Write the table into this document, between its marks: docs/limits.md.
        #[arg(long)]
        document: Option<PathBuf>,
    },
    /// 70 % searches, 20 % bookings, 10 % changes on many appointments, and the projections' lag.
    Mixed {
        /// How many appointments there are before [default: 1,000,000].
        #[arg(long)]
        appointments: Option<u64>,
    },
    /// Searches as of moments of the past, beside the same searches now.
    AsOf {
        /// How many appointments there are; half of them, and a third, have changed since.
        #[arg(long, default_value_t = 200_000)]
        appointments: u64,
    },
    /// Bookings and searches at 10,000, 100,000, 1,000,000 and 5,000,000 appointments.
    Grow {
        /// The most appointments. All four sizes take longer than five minutes.
        #[arg(long, default_value_t = 1_000_000)]
        max: u64,
    },
    /// Making the appointments projection from the log, beside the same fold in SQL.
    Rebuild {
        /// How many appointments there are, of two events each.
        #[arg(long, default_value_t = 1_000_000)]
        appointments: u64,
    },
    /// A log that is published to a broker, beside a publisher that does nothing else with the same messages.
    Relay {
        /// How many appointments there are, of one event each.
        #[arg(long, default_value_t = 100_000)]
        appointments: u64,
        /// The program to serve with [default: built for the purpose].
        #[arg(long)]
        daybook: Option<PathBuf>,
        /// A RabbitMQ: all that it has in the exchange `daybook` is the benchmark's.
        #[arg(long)]
        amqp_url: String,
    },
    /// One tenant, and a hundred, who book among 1, 1,000, 10,000 and 100,000 for whom nothing happens.
    Tenants {
        /// How many tenants.
        #[arg(long, value_delimiter = ',', default_values_t = [1, 1_000, 10_000, 100_000])]
        tenants: Vec<u64>,
        /// The program to serve with [default: built for the purpose].
        #[arg(long)]
        daybook: Option<PathBuf>,
    },
    /// One calendar of many events, imported by the program, and then again.
    Import {
        /// How many events it has.
        #[arg(long, default_value_t = 100_000)]
        events: u32,
        /// The program that imports [default: built for the purpose].
        #[arg(long)]
        daybook: Option<PathBuf>,
    },
    /// `daybook verify`, beside a plain COPY of the same rows.
    Verify {
        /// How many appointments there are, of one event each.
        #[arg(long, default_value_t = 1_000_000)]
        appointments: u64,
    },
}

#[derive(Args)]
pub(crate) struct Options {
    /// Write the rows to this file, as a JSON array.
    #[arg(long, global = true)]
    pub(crate) json: Option<PathBuf>,
    /// How long each cell is measured, after a fifth as long to warm up [default: append and http
    /// 10, nodes 8, mixed 20, grow 5; with --smoke 1].
    #[arg(long, global = true, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seconds: Option<u64>,
    /// Measure daybook at these numbers in flight only, instead of the usual ones.
    #[arg(long, global = true, value_delimiter = ',')]
    in_flight: Option<Vec<usize>>,
    /// append and http: each booking has a note, which is personal, and sealed.
    #[arg(long, global = true)]
    pub(crate) notes: bool,
    /// Leave out pgbench and postgres-es, and with them the ratios.
    #[arg(long, global = true)]
    pub(crate) alone: bool,
    /// Small and short: to see that it works. The figures mean nothing.
    #[arg(long, global = true)]
    pub(crate) smoke: bool,
    /// Where the temporary folder of the database is made.
    #[arg(long, global = true, default_value = "/var/tmp")]
    pub(crate) dir: PathBuf,
    /// A server parameter other than daybook's own choice, as NAME=VALUE.
    #[arg(long = "pg", global = true, value_name = "NAME=VALUE", value_parser = parameter)]
    pub(crate) parameters: Vec<(String, String)>,
}

impl Options {
    /// How long a cell is warmed up and measured.
    pub(crate) fn timing(&self, usual_seconds: u64) -> Timing {
        let usual = if self.smoke { 1 } else { usual_seconds };
        let measured = Duration::from_secs(self.seconds.unwrap_or(usual));
        Timing { warm_up: measured / 5, measured }
    }

    /// The numbers in flight to be measured.
    pub(crate) fn in_flight(&self, usual: &[usize]) -> Vec<usize> {
        self.in_flight.clone().unwrap_or_else(|| usual.to_vec())
    }
}

/// How long a cell takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timing {
    /// Under load, but not counted.
    pub(crate) warm_up: Duration,
    /// Counted.
    pub(crate) measured: Duration,
}

impl Timing {
    /// As long as the warm-up, and nothing more.
    pub(crate) const fn only_warm_up(self) -> Self {
        Self { warm_up: Duration::ZERO, measured: self.warm_up }
    }
}

fn parameter(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("a parameter is NAME=VALUE")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}
