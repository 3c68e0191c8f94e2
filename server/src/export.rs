//! `daybook export`

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::Context;
use daybook_api::export::{self, ExportError};
use tokio::sync::{Semaphore, mpsc};

use crate::cli::Export;
use crate::database::Database;
use crate::feed::{Selected, select};
use crate::parts;

/// How many parts of the file may wait to be written.
const PARTS: usize = 2;

/// Writes the file.
pub(crate) async fn run(database: &Database, options: &Export) -> anyhow::Result<()> {
    // It changes nothing: tables that are missing are not made.
    let parts = parts::connected(database).await?;
    let Export { part, event_type, format, personal, output } = options;
    let Selected { feed, after, until, .. } =
        select(&parts.engine, part, event_type, *personal).await?;
    let (sender, written) = mpsc::channel(PARTS);
    let format = *format;
    let exported = tokio::spawn(async move {
        let turns = Semaphore::new(1);
        export::export(&feed, format, (after, until), &turns, sender).await
    });
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

/// Under another name until all of it is there, so that nobody takes a part for the whole: a name of its own,
/// so that two exports at once are two files. A link is followed; a pipe or a device takes what comes.
async fn to_file(path: &Path, written: Written) -> anyhow::Result<()> {
    let unwritable = || format!("cannot write {}", path.display());
    if let Ok(found) = fs::metadata(path)
        && !found.is_file()
    {
        let file = File::options().write(true).open(path).with_context(unwritable)?;
        return Ok(write_all(BufWriter::new(&file), written).await?);
    }
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut name = path.file_name().context("--output names no file")?.to_owned();
    name.push(".");
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let unfinished = tempfile::Builder::new()
        .prefix(&name)
        .suffix(".part")
        // Whoever it is meant for is given it: what is in it is somebody's calendar.
        .permissions(fs::Permissions::from_mode(0o600))
        .tempfile_in(folder.unwrap_or_else(|| Path::new(".")))
        .with_context(unwritable)?;
    // It removes itself, unless it comes to its name.
    write_all(BufWriter::new(&unfinished), written).await?;
    unfinished.as_file().sync_all().with_context(unwritable)?;
    unfinished.persist(&path).with_context(unwritable)?;
    Ok(())
}

type Written = mpsc::Receiver<Result<Vec<u8>, ExportError>>;

async fn write_all(mut to: impl Write, mut written: Written) -> Result<(), Failed> {
    while let Some(part) = written.recv().await {
        to.write_all(&part?)?;
    }
    Ok(to.flush()?)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    const PART: usize = 100_000;

    #[tokio::test]
    async fn of_two_exports_to_one_file_at_once_one_is_there_whole() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("events.csv");
        let begin = || {
            let ((parts, written), path) = (mpsc::channel(1), path.clone());
            (parts, tokio::spawn(async move { to_file(&path, written).await }))
        };
        let ((one, first), (other, second)) = (begin(), begin());
        for _ in 0..3 {
            one.send(Ok(vec![b'1'; PART])).await.unwrap();
            other.send(Ok(vec![b'2'; PART])).await.unwrap();
        }
        drop(one);
        first.await.unwrap().unwrap();
        assert_eq!(fs::read(&path).unwrap(), vec![b'1'; 3 * PART]);
        drop(other);
        second.await.unwrap().unwrap();
        assert_eq!(fs::read(&path).unwrap(), vec![b'2'; 3 * PART]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
    }

    #[tokio::test]
    async fn of_an_export_that_breaks_off_nothing_is_left_but_what_was_there_before() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("events.csv");
        fs::write(&path, "before").unwrap();
        let (parts, written) = mpsc::channel(2);
        parts.send(Ok(vec![b'1'; PART])).await.unwrap();
        parts.send(Err(ExportError::Encode("no".into()))).await.unwrap();
        assert!(to_file(&path, written).await.is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "before");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
