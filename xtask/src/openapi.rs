//! The committed documents of the API and those that the code makes: they must be the same.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::shell::{Failure, cargo, output, root, run, say};

const COMMITTED: &str = "api/openapi.json";

/// Each with the subcommand that prints it.
const DOCUMENTS: [(&str, &str); 2] = [(COMMITTED, "openapi"), ("api/asyncapi.json", "asyncapi")];

/// What the last release has promised: a test compares the committed document with it.
const PROMISED: &str = "api/openapi-v1.json";

/// Fails when a committed document is not the code's. The program must have been built.
pub(crate) fn compare() -> Result<(), Failure> {
    for (path, subcommand) in DOCUMENTS {
        let made = output(Command::new(program()?).arg(subcommand))?;
        let committed = fs::read(root().join(path))
            .map_err(|error| Failure::new(format!("{path} cannot be read: {error}")))?;
        let (committed, made) =
            (String::from_utf8_lossy(&committed), String::from_utf8_lossy(&made));
        if let Some(line) = difference(&committed, &made) {
            return Err(Failure::new(format!(
                "{path} is not what the code makes, from line {line} on. If the change is meant, run \
                 `cargo xtask openapi` and commit the file."
            )));
        }
    }
    Ok(())
}

/// Writes the committed documents anew.
pub(crate) fn regenerate() -> Result<(), Failure> {
    run(&mut cargo(&["build", "--package", "daybook", "--bin", "daybook"]))?;
    for (path, subcommand) in DOCUMENTS {
        let made = output(Command::new(program()?).arg(subcommand))?;
        if !made.starts_with(b"{") {
            return Err(Failure::new(format!("`daybook {subcommand}` printed no document")));
        }
        fs::write(root().join(path), made)
            .map_err(|error| Failure::new(format!("{path} cannot be written: {error}")))?;
        say(&format!("{path} is written"));
    }
    Ok(())
}

/// From now on, no release breaks what is in the committed document (docs/versions.md).
pub(crate) fn promise() -> Result<(), Failure> {
    fs::copy(root().join(COMMITTED), root().join(PROMISED))
        .map_err(|error| Failure::new(format!("{PROMISED} cannot be written: {error}")))?;
    say(&format!("{PROMISED} is written"));
    Ok(())
}

/// The program that was built beside us.
fn program() -> Result<PathBuf, Failure> {
    let us = env::current_exe()
        .map_err(|error| Failure::new(format!("where this program is, is unknown: {error}")))?;
    Ok(us.with_file_name("daybook").with_extension(env::consts::EXE_EXTENSION))
}

/// The first line, counted from 1, in which two texts differ.
fn difference(left: &str, right: &str) -> Option<usize> {
    if left == right {
        return None;
    }
    let same = left.lines().zip(right.lines()).take_while(|(left, right)| left == right).count();
    Some(same + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_differ_do_so_in_a_line() {
        assert_eq!(difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(difference("a\nb\n", "a\nc\n"), Some(2));
        assert_eq!(difference("a\n", "a\nb\n"), Some(2));
        assert_eq!(difference("a\nb", "a\nb\n"), Some(3));
    }
}
