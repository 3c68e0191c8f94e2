//! `daybook psql` and `daybook url`: daybook's own PostgreSQL for other clients.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use daybook_embedded_postgres::{ConnectionInfo, Settings, attach, open};
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::Place;
use crate::database::data_dir;
use crate::output;

const NO_CLIENT: &str = "there is no psql: install PostgreSQL's client (on Debian \
                         postgresql-client), or give another client what `daybook url` prints";

/// Prints where it is reached. It is up as long as a server runs on the folder.
pub(crate) fn url(place: &Place) -> anyhow::Result<()> {
    ensure_own(place)?;
    let folder = data_dir(place)?;
    let Some(connection) = attach(&folder)? else {
        bail!(
            "no server runs on {}: start `daybook serve`, or use `daybook psql`",
            folder.display()
        )
    };
    output::line(&connection.url())
}

/// Runs psql with these arguments, to its end.
pub(crate) fn run(place: &Place, arguments: &[OsString]) -> anyhow::Result<()> {
    ensure_own(place)?;
    let opened = open(Settings::new(data_dir(place)?))?;
    // Ctrl-C is psql's: it cancels a query. Without a handler it would end this program, and leave PostgreSQL behind.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let _handler = runtime.block_on(async { signal(SignalKind::interrupt()) })?;
    let ConnectionInfo { socket_dir, port, user, database, .. } = opened.connection();
    // Not as an argument: then one of psql's own, like another user, would count for nothing.
    let mut psql = Command::new("psql");
    psql.env("PGHOST", socket_dir).env("PGPORT", port.to_string());
    psql.env("PGUSER", user).env("PGDATABASE", database).env_remove("PGHOSTADDR");
    let ran = psql.args(arguments).status();
    opened.close()?;
    let status = match ran {
        Err(error) if error.kind() == ErrorKind::NotFound => bail!(NO_CLIENT),
        ran => ran.context("psql cannot be run")?,
    };
    ensure!(status.success(), "psql ended with {status}");
    Ok(())
}

/// Another PostgreSQL has a URL already.
fn ensure_own(place: &Place) -> anyhow::Result<()> {
    let named = place.database_url.as_deref().is_some_and(|url| !url.is_empty());
    let elsewhere = named || place.database_elsewhere;
    ensure!(
        !elsewhere,
        "it is for daybook's own PostgreSQL: yours is reached by the URL that you gave"
    );
    Ok(())
}
