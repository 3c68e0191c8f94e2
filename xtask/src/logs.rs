//! What the programs have logged while they were tested (`tests/black_box/harness/logs.rs`) must not have the personal
//! data that they were sent (`personal.rs` beside it says which that is).

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::python;
use crate::shell::{Failure, say};

/// What the tests' personal data is known by, a line each.
const MARKS: &str = "marks.txt";

/// Forgets the logs of the tests before.
pub(crate) fn clear() -> Result<(), Failure> {
    match fs::remove_dir_all(folder()?) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Failure::new(format!("the logs of the last tests stay: {error}")))
        }
        _ => Ok(()),
    }
}

/// Reads all of them.
pub(crate) fn check() -> Result<(), Failure> {
    let found = Found::of(&folder()?)?;
    say(&format!("{} bytes of logs in {} files", found.bytes, found.files));
    found.verdict()
}

/// In the target folder, where cargo has tests keep what they write.
fn folder() -> Result<PathBuf, Failure> {
    Ok(python::target()?.join("tmp/logs"))
}

/// What was found.
#[derive(Default)]
struct Found {
    files: usize,
    bytes: usize,
    /// Lines that have personal data, and where.
    personal: Vec<String>,
}

impl Found {
    fn of(folder: &Path) -> Result<Self, Failure> {
        let unreadable = |path: &Path, error| {
            Failure::new(format!("{} cannot be read: {error}", path.display()))
        };
        let path = folder.join(MARKS);
        let marks = fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
        let marks: Vec<&str> = marks.lines().filter(|mark| !mark.is_empty()).collect();
        let mut found = Self::default();
        for entry in fs::read_dir(folder).map_err(|error| unreadable(folder, error))? {
            let path = entry.map_err(|error| unreadable(folder, error))?.path();
            if path.file_name().is_some_and(|name| name != MARKS) {
                let log = fs::read(&path).map_err(|error| unreadable(&path, error))?;
                found.look(&path, &String::from_utf8_lossy(&log), &marks);
            }
        }
        Ok(found)
    }

    fn look(&mut self, path: &Path, log: &str, marks: &[&str]) {
        self.files += 1;
        self.bytes += log.len();
        let personal = log.lines().filter(|line| marks.iter().any(|mark| line.contains(mark)));
        self.personal.extend(personal.map(|line| format!("{}: {line}", path.display())));
    }

    /// Where nothing was logged, or nobody was known, nothing is proved.
    fn verdict(&self) -> Result<(), Failure> {
        if self.bytes == 0 {
            return Err(Failure::new("the tests have logged nothing, which proves nothing"));
        }
        if self.personal.is_empty() {
            return Ok(());
        }
        let shown: Vec<&str> = self.personal.iter().take(20).map(String::as_str).collect();
        let count = self.personal.len();
        let lines = shown.join("\n  ");
        Err(Failure::new(format!("personal data in {count} lines of the log:\n  {lines}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn personal_data_in_a_log_is_found() {
        let path = Path::new("server-1.log");
        let mut found = Found::default();
        found.look(path, "{\"route\":\"/v1/clients\"}\n", &["a-mark", "another"]);
        assert!(found.verdict().is_ok());
        found.look(path, "{}\n{\"name\":\"has a-mark in it\"}\n", &["a-mark", "another"]);
        assert_eq!(found.personal, ["server-1.log: {\"name\":\"has a-mark in it\"}"]);
        assert!(found.verdict().is_err());
    }

    #[test]
    fn no_log_proves_nothing() {
        let mut found = Found::default();
        found.look(Path::new("server-1.log"), "", &["a-mark"]);
        assert!(found.verdict().is_err());
    }
}
