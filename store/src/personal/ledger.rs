//! The ledger of erasures: who was erased, in a file that is no part of the database. A database that is restored from a dump of before
//! knows nothing of it, and has their keys.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, SecondsFormat, Utc};
use daybook_domain::{ClientId, TenantId};
use uuid::Uuid;

/// The form of a line.
const FORM: &str = "1";

/// No line is longer.
const MAX_LINE: u64 = 1_024;

/// The ledger of erasures. Cheap to clone; clones are one.
#[derive(Debug, Clone)]
pub struct ErasureLedger {
    path: Arc<Path>,
    file: Arc<Mutex<File>>,
}

/// Somebody who was erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasedClient {
    pub tenant: TenantId,
    pub client: ClientId,
    /// The key that was destroyed.
    pub key: Uuid,
    pub at: DateTime<Utc>,
}

/// The ledger cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error("the ledger of erasures {path}: {error}")]
    Io { path: PathBuf, error: io::Error },
    #[error(
        "line {line} of the ledger of erasures {path} is not understood: it was changed, or is of a later version"
    )]
    NotUnderstood { path: PathBuf, line: usize },
}

impl ErasureLedger {
    /// Opens it; it is made if it is not there. What a program has not written to its end is cut off: nobody was told that that
    /// erasure is done. Blocks.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let mut options = OpenOptions::new();
        let file = options.read(true).append(true).create(true).mode(0o600).open(path);
        let ledger = |mut file: File| {
            let whole = whole_lines(&mut file)?;
            file.set_len(whole)?;
            file.sync_all()?;
            // The name of a new file, too, is to outlive the machine.
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                File::open(folder)?.sync_all()?;
            }
            Ok(Self { path: path.into(), file: Arc::new(Mutex::new(file)) })
        };
        file.and_then(ledger).map_err(|error| io_error(path, error))
    }

    /// Adds a line, which is on disk when this is done.
    ///
    /// # Errors
    /// When it cannot be written: then it must not be said that somebody is erased.
    pub async fn append(&self, erased: ErasedClient) -> Result<(), LedgerError> {
        let ledger = self.clone();
        let appended = tokio::task::spawn_blocking(move || ledger.append_now(&erased)).await;
        appended.unwrap_or_else(|lost| Err(io_error(&self.path, io::Error::other(lost))))
    }

    fn append_now(&self, erased: &ErasedClient) -> Result<(), LedgerError> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let written = file.write_all(erased.line().as_bytes()).and_then(|()| file.sync_data());
        written.map_err(|error| io_error(&self.path, error))
    }

    /// All who are in it, in order. Blocks.
    ///
    /// # Errors
    /// When it cannot be read, or a line is none.
    pub fn erased(&self) -> Result<Vec<ErasedClient>, LedgerError> {
        let file = File::open(&self.path).map_err(|error| io_error(&self.path, error))?;
        let lines = BufReader::new(file).lines().enumerate();
        let read = lines.map(|(number, line)| {
            let line = line.map_err(|error| io_error(&self.path, error))?;
            let not_understood =
                || LedgerError::NotUnderstood { path: self.path.to_path_buf(), line: number + 1 };
            ErasedClient::read(&line).ok_or_else(not_understood)
        });
        read.collect()
    }
}

fn io_error(path: &Path, error: io::Error) -> LedgerError {
    LedgerError::Io { path: path.to_path_buf(), error }
}

/// How many bytes of it are whole lines.
fn whole_lines(file: &mut File) -> io::Result<u64> {
    let length = file.seek(SeekFrom::End(0))?;
    let from = length.saturating_sub(MAX_LINE);
    file.seek(SeekFrom::Start(from))?;
    let mut end = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(&*file, MAX_LINE), &mut end)?;
    let last = end.iter().rposition(|byte| *byte == b'\n');
    Ok(last.map_or(from, |last| from + last as u64 + 1))
}

impl ErasedClient {
    fn line(&self) -> String {
        let Self { tenant, client, key, at } = self;
        let at = at.to_rfc3339_opts(SecondsFormat::Micros, true);
        format!("{FORM} {tenant} {client} {key} {at}\n")
    }

    fn read(line: &str) -> Option<Self> {
        let mut parts = line.split(' ');
        let is_of_form = parts.next()? == FORM;
        let tenant = parts.next()?.parse().ok()?;
        let client = parts.next()?.parse::<Uuid>().ok()?.into();
        let key = parts.next()?.parse().ok()?;
        let at = DateTime::parse_from_rfc3339(parts.next()?).ok()?.to_utc();
        (is_of_form && parts.next().is_none()).then_some(Self { tenant, client, key, at })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::testing::noon;

    fn erased(n: u128) -> ErasedClient {
        let tenant = "clinic".parse().unwrap();
        ErasedClient {
            tenant,
            client: Uuid::from_u128(n).into(),
            key: Uuid::from_u128(n + 9),
            at: noon(),
        }
    }

    fn path() -> PathBuf {
        std::env::temp_dir().join(format!("daybook-ledger-{}", Uuid::now_v7()))
    }

    #[tokio::test]
    async fn it_has_all_who_were_erased_and_is_nobody_elses_to_read() {
        let path = path();
        let ledger = ErasureLedger::open(&path).unwrap();
        for n in 1..=3 {
            ledger.append(erased(n)).await.unwrap();
        }
        let again = ErasureLedger::open(&path).unwrap();
        assert_eq!(again.erased().unwrap(), [1, 2, 3].map(erased));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::remove_file(path).unwrap();
    }

    #[tokio::test]
    async fn a_line_that_was_cut_off_is_none_and_one_that_was_changed_is_found() {
        let path = path();
        let ledger = ErasureLedger::open(&path).unwrap();
        ledger.append(erased(1)).await.unwrap();
        let whole = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{whole}1 clinic 0192")).unwrap();
        let again = ErasureLedger::open(&path).unwrap();
        again.append(erased(2)).await.unwrap();
        assert_eq!(again.erased().unwrap(), [1, 2].map(erased));
        fs::write(&path, format!("{whole}nonsense\n{whole}")).unwrap();
        let changed = ErasureLedger::open(&path).unwrap().erased();
        assert!(matches!(changed, Err(LedgerError::NotUnderstood { line: 2, .. })), "{changed:?}");
        fs::remove_file(path).unwrap();
    }
}
