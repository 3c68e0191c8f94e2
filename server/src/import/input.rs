//! Where files come from: a path, a folder, or standard input; and which of them is of what kind.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use daybook_domain::Name;
use daybook_integrations::calendar::{CalendarFile, Group, ReadError, Reading};
use daybook_integrations::table::TableFile;

/// The most files of a folder.
const MAX_FILES: usize = 10_000;

/// What a calendar is called of which nobody says it.
pub(super) const NO_NAME: &str = "Imported calendar";

/// What is on standard input.
const STANDARD_INPUT: &str = "-";

/// A file that can be imported.
#[derive(Debug)]
pub(crate) enum Input {
    Calendar(CalendarFile<File>),
    Table(TableFile<File>),
}

impl Input {
    /// Reads what there is of a file before its first event: whether it is whole.
    ///
    /// # Errors
    /// When it is not.
    pub(crate) fn open(mut file: File) -> Result<Self, ReadError> {
        let mut start = [0; 512];
        let read = file.read(&mut start)?;
        file.seek(SeekFrom::Start(0))?;
        if daybook_integrations::table::is_table(&start[..read]) {
            TableFile::open(file).map(Self::Table)
        } else {
            CalendarFile::open(file).map(Self::Calendar)
        }
    }

    /// How many events it has.
    pub(crate) fn event_count(&self) -> usize {
        match self {
            Self::Calendar(file) => file.event_count(),
            Self::Table(file) => file.event_count(),
        }
    }

    /// Which program wrote it.
    pub(crate) fn product(&self) -> Option<&str> {
        match self {
            Self::Calendar(file) => file.calendars().first().and_then(|it| it.product.as_deref()),
            Self::Table(_) => None,
        }
    }

    /// What its calendar is called.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Calendar(file) => file.calendars().first().and_then(|it| it.name.as_deref()),
            Self::Table(_) => None,
        }
    }

    pub(super) fn next_group(&mut self, reading: &Reading) -> Result<Option<Group>, ReadError> {
        match self {
            Self::Calendar(file) => file.next_group(reading),
            Self::Table(file) => file.next_group(reading),
        }
    }
}

/// The files that are meant: one, all below a folder that are calendars or tables, or standard input.
pub(crate) fn files(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let (mut folders, mut files) = (vec![path.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        let shown = folder.display().to_string();
        for entry in folder.read_dir().with_context(|| format!("cannot read {shown}"))? {
            let path = entry.with_context(|| format!("cannot read {shown}"))?.path();
            if path.is_dir() {
                folders.push(path);
            } else if is_importable(&path) {
                files.push(path);
            }
            if files.len() > MAX_FILES {
                bail!("{} has more than {MAX_FILES} files", path_of(&files));
            }
        }
    }
    if files.is_empty() {
        bail!("{} has no file *.ics or *.csv", path.display());
    }
    files.sort();
    Ok(files)
}

fn path_of(files: &[PathBuf]) -> String {
    files.first().and_then(|file| file.parent()).unwrap_or(Path::new(".")).display().to_string()
}

fn is_importable(path: &Path) -> bool {
    let ends = |end: &str| path.extension().is_some_and(|found| found.eq_ignore_ascii_case(end));
    ["ics", "ical", "ifb", "csv"].into_iter().any(ends)
}

/// Opens a file, or standard input. What can be read only once is written to a temporary file first.
pub(crate) fn open(path: &Path) -> anyhow::Result<Input> {
    let shown = path.display();
    let cannot = || format!("cannot read {shown}");
    let file = if path.as_os_str() == STANDARD_INPUT {
        spooled(&mut io::stdin().lock()).context("cannot read standard input")?
    } else {
        let mut file = File::open(path).with_context(cannot)?;
        if file.metadata().with_context(cannot)?.is_file() {
            file
        } else {
            spooled(&mut file).with_context(cannot)?
        }
    };
    Input::open(file).with_context(|| format!("{shown} is not imported"))
}

fn spooled(from: &mut impl Read) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(&mut from.take(daybook_integrations::calendar::MAX_FILE_BYTES + 1), &mut file)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

/// What a file is called, as the name of its calendar.
pub(crate) fn name_of(path: &Path) -> anyhow::Result<Name> {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let stem = stem.filter(|stem| stem != STANDARD_INPUT);
    let words = stem.unwrap_or_default().replace(|c: char| c.is_control(), " ");
    Ok(Name::new(&words).or_else(|_| Name::new(NO_NAME))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_names_its_calendar_by_its_own_name() {
        let name = |path: &str| name_of(Path::new(path)).unwrap().to_string();
        assert_eq!(name("exports/Room 9.ics"), "Room 9");
        assert_eq!(name("-"), NO_NAME);
        assert_eq!(name(&"x".repeat(300)), NO_NAME);
    }

    #[test]
    fn a_folder_is_all_its_calendars_and_tables_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a");
        std::fs::create_dir(&inner).unwrap();
        for name in ["b.ICS", "a/c.ics", "d.csv", "notes.txt"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let found = files(folder.path()).unwrap();
        let names = found.iter().map(|path| path.strip_prefix(folder.path()).unwrap());
        let names: Vec<_> = names.map(|path| path.display().to_string()).collect();
        assert_eq!(names, ["a/c.ics", "b.ICS", "d.csv"]);
        assert!(files(&folder.path().join("a").join("none")).is_ok(), "it is said when it is read");
        std::fs::remove_file(inner.join("c.ics")).unwrap();
        assert!(files(&inner).is_err());
    }
}
