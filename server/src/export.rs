//! `daybook export`

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use daybook_api::export::{self, ExportError};
use tokio::sync::mpsc;

use crate::cli::Export;
use crate::database::Database;
use crate::feed::{Selected, select};
use crate::parts;

/// How many parts of the file may wait to be written.
const PARTS: usize = 2;

/// Writes the file.
pub(crate) async fn run(database: &Database, options: &Export) -> anyhow::Result<()> {
    // It changes nothing: tables that are missing are not made.
    let parts = parts::connect(database);
    let Export { part, types, format, personal, output } = options;
    let Selected { feed, after, until, .. } = select(parts.log(), part, types, *personal).await?;
    let (sender, written) = mpsc::channel(PARTS);
    let format = *format;
    let exported =
        tokio::spawn(async move { export::export(&feed, format, after, until, sender).await });
    let Some(path) = output else {
        return match write_all(io::stdout().lock(), written).await {
            // A reader that went away is no error.
            Err(Failed::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => Ok(written?),
        };
    };
    to_file(path, written).await?;
    // Not on standard output, where a file may go.
    tracing::info!("wrote {} events to {}", exported.await?, path.display());
    Ok(())
}

/// Why a file is not written.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Export(#[from] ExportError),
    #[error(transparent)]
    Write(#[from] io::Error),
}

/// Under another name until all of it is there, so that nobody takes a part for the whole.
async fn to_file(path: &Path, written: Written) -> anyhow::Result<()> {
    let mut name = path.file_name().context("--output names no file")?.to_owned();
    name.push(".part");
    let unfinished: PathBuf = path.with_file_name(name);
    let file = File::create(&unfinished)
        .with_context(|| format!("cannot write {}", unfinished.display()))?;
    let written = write_all(BufWriter::new(&file), written).await;
    if let Err(error) = written.and_then(|()| Ok(file.sync_all()?)) {
        let _ = fs::remove_file(&unfinished);
        return Err(error.into());
    }
    fs::rename(&unfinished, path).with_context(|| format!("cannot write {}", path.display()))
}

type Written = mpsc::Receiver<Result<Vec<u8>, ExportError>>;

async fn write_all(mut to: impl Write, mut written: Written) -> Result<(), Failed> {
    while let Some(part) = written.recv().await {
        to.write_all(&part?)?;
    }
    Ok(to.flush()?)
}
