//! The daybook program: it puts the parts together, and each subcommand is a file.

mod again;
mod analysts;
mod arguments;
mod audit;
mod cli;
mod database;
mod demo;
mod doctor;
mod erasures;
mod export;
mod feed;
mod holidays;
mod import;
mod issuer;
mod key;
mod leftovers;
mod listen_address;
mod listener;
mod logging;
mod mailing;
mod master_key;
mod metrics;
mod operator_key;
#[cfg(feature = "otlp")]
mod otlp;
mod output;
mod parts;
mod progress;
mod projections;
mod psql;
mod ready;
mod relay;
mod replay;
mod roles;
mod seal;
mod secret_files;
mod serve;
mod sweeper;
mod tenant;
mod verify;
mod waiting;
mod webhooks;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use clap::CommandFactory as _;
use tokio_util::sync::CancellationToken;

use cli::{Cli, Command, HolidaysCommand};
use database::Database;
use daybook_projections::analytics::{self, AnalystRole, Published};
use daybook_store::audit::{Asked, gathering};
use listener::Signals;
use master_key::MasterKeyCommand;

/// What one thread allocates for a command, another frees: the system's allocator spends more time
/// on that than daybook on deciding.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // First of all: there is one thread.
    if let Err(error) = secret_files::into_environment(&Cli::command()) {
        output::error(&error);
        return ExitCode::FAILURE;
    }
    let cli = Cli::of_this_program();
    let _running = logging::start(cli.log_format);
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::error(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    let place = cli.place;
    match cli.command {
        Command::Serve(options) => serve::run(&place, *options),
        Command::Migrate => on_runtime(&place, async |database| {
            let parts = parts::connected(database).await?;
            parts::prepare(&parts).await?;
            let published = analytics::publish(parts.log().owners_pool()).await?;
            if published == Published::Ours(AnalystRole::MayNotBeMade) {
                tracing::warn!("{}", analysts::NO_ROLE);
            }
            output::line("the database is up to date")
        }),
        Command::Key { command } => {
            on_runtime(&place, async |database| key::run(database, command).await)
        }
        Command::Issuer { command } => {
            on_runtime(&place, async |database| issuer::run(database, command).await)
        }
        Command::OperatorKey { command } => {
            on_runtime(&place, async |database| operator_key::run(database, command).await)
        }
        Command::Tenant { command } => {
            on_runtime(&place, async |database| tenant::run(database, command).await)
        }
        Command::Import(options) => {
            // Before anything is started: a file that cannot be read needs no database.
            let files = import::open(&options)?;
            on_runtime(&place, async |database| import::run(database, &options, files).await)
        }
        Command::Holidays { command: HolidaysCommand::Import(options) } => {
            let calendar = holidays::read(&options)?;
            on_runtime(&place, async |database| holidays::run(database, &options, calendar).await)
        }
        Command::Verify(options) => {
            on_runtime(&place, async |database| verify::run(database, &options).await)
        }
        Command::Projections { command } => {
            on_runtime(&place, async |database| projections::run(database, command).await)
        }
        Command::Relay { command } => {
            on_runtime(&place, async |database| relay::run_command(database, command).await)
        }
        Command::Export(options) => {
            on_runtime(&place, async |database| export::run(database, &options).await)
        }
        Command::Replay(options) => match &options.what_if {
            None => on_runtime(&place, async |database| replay::run(database, &options).await),
            Some(policy) => ending_itself(&place, async |database, told| {
                replay::what_if(database, &options, policy, told).await
            }),
        },
        Command::Erasures { command } => {
            on_runtime(&place, async |database| erasures::run(database, command).await)
        }
        Command::Seal { tenant } => {
            on_runtime(&place, async |database| seal::run(database, &tenant).await)
        }
        Command::Audit { command } => {
            on_runtime(&place, async |database| audit::run(database, command).await)
        }
        Command::Ready(options) => ready::run(&options),
        Command::Doctor => on_runtime(&place, async |database| doctor::run(database).await),
        Command::Url => psql::url(&place),
        Command::DatabaseRoles => output::text(daybook_embedded_postgres::roles::SQL),
        Command::Psql { arguments } => psql::run(&place, &arguments),
        Command::MasterKey { command: MasterKeyCommand::Create } => master_key::create(),
        Command::MasterKey { command } => {
            on_runtime(&place, async |database| master_key::run(database, command).await)
        }
        Command::Openapi => output::text(&daybook_api::document()?),
        Command::Asyncapi => output::text(&daybook_api::feed_document()?),
    }
}

/// Opens the database, does the work on a runtime until it is told to stop, and closes the database again.
fn on_runtime(
    place: &cli::Place,
    work: impl AsyncFnOnce(&Database) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    ending_itself(place, async |database, told| {
        let work = gathering(Asked::by_command_line(), work(database));
        let done = told.run_until_cancelled(work).await.map(|(done, _)| done);
        done.unwrap_or_else(|| bail!("told to stop: what was under way is cut off"))
    })
}

/// The same for work that leaves nothing behind: it is told when to stop, and ends itself.
fn ending_itself(
    place: &cli::Place,
    work: impl AsyncFnOnce(&Database, CancellationToken) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let database = Database::open(place)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    // Whoever works on the same PostgreSQL goes on with it; it is left in order.
    let done = runtime.block_on(async { work(&database, Signals::hear()?.first).await });
    // Connections first, then the database that they lead to.
    runtime.shutdown_timeout(Duration::from_secs(1));
    database.close()?;
    done
}
