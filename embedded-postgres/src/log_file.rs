//! PostgreSQL's log.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use crate::error::{Doing as _, Error};
use crate::layout::for_its_owner;

/// A log over this size is put aside at a start, and the one before it is lost.
const LARGEST_BYTES: u64 = 10 * 1024 * 1024;
/// How much of it an error shows.
const TAIL_LINES: usize = 12;
const TAIL_BYTES: u64 = 16 * 1024;

/// PostgreSQL's log, from where it stood when this was opened.
#[derive(Debug)]
pub(crate) struct LogFile {
    path: PathBuf,
    from: u64,
}

impl LogFile {
    /// Puts a log aside that has grown too large. A running server is not cut off from its log, so
    /// this bounds what a restart finds, not what one long run writes.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let aside = path.with_extension("log.1");
        let mut from = fs::metadata(path).map_or(0, |found| found.len());
        if from > LARGEST_BYTES {
            fs::rename(path, &aside).doing("put aside", path)?;
            from = 0;
        }
        if aside.exists() {
            for_its_owner(OpenOptions::new().read(true), &aside)?;
        }
        Ok(Self { path: path.to_path_buf(), from })
    }

    /// For a child to write to, after all that is there.
    pub(crate) fn writer(&self) -> Result<File, Error> {
        for_its_owner(OpenOptions::new().create(true).append(true), &self.path)
    }

    /// The last lines since the log was opened, for an error message; empty when there are none.
    pub(crate) fn tail(&self) -> String {
        let mut bytes = Vec::new();
        if let Ok(mut file) = File::open(&self.path) {
            let end = file.metadata().map_or(0, |found| found.len());
            let start = self.from.max(end.saturating_sub(TAIL_BYTES));
            // What cannot be read is not shown; the error it belongs to matters more.
            let _ = file.seek(SeekFrom::Start(start));
            let _ = file.take(TAIL_BYTES).read_to_end(&mut bytes);
        }
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn an_error_shows_only_what_was_written_since() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("postgres.log");
        fs::write(&path, "long ago\n").unwrap();
        let log = LogFile::open(&path).unwrap();
        assert_eq!(log.tail(), "");
        for line in 0..20 {
            writeln!(log.writer().unwrap(), "line {line}").unwrap();
        }
        assert!(log.tail().starts_with("line 8\n") && log.tail().ends_with("line 19"));
        assert!(fs::read_to_string(&path).unwrap().starts_with("long ago"));
    }

    #[test]
    fn a_log_that_has_grown_too_large_is_put_aside_at_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("postgres.log");
        File::create(&path).unwrap().set_len(LARGEST_BYTES + 1).unwrap();
        let log = LogFile::open(&path).unwrap();
        writeln!(log.writer().unwrap(), "new").unwrap();
        assert_eq!(
            fs::metadata(folder.path().join("postgres.log.1")).unwrap().len(),
            LARGEST_BYTES + 1
        );
        assert_eq!(log.tail(), "new");
    }
}
