//! The committed OpenAPI document and the one that the code makes: they must be one.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::shell::{Failure, cargo, output, root, run, say};

const COMMITTED: &str = "api/openapi.json";

/// Fails when the committed document is not the code's. The program must have been built.
pub(crate) fn compare() -> Result<(), Failure> {
    let made = output(Command::new(program()?).arg("openapi"))?;
    let committed = fs::read(root().join(COMMITTED))
        .map_err(|error| Failure::new(format!("{COMMITTED} cannot be read: {error}")))?;
    difference(&String::from_utf8_lossy(&committed), &String::from_utf8_lossy(&made)).map_or_else(
        || Ok(()),
        |line| {
            Err(Failure::new(format!(
                "{COMMITTED} is not what the code makes, from line {line} on. If the change is \
                 meant, run `cargo xtask openapi` and commit the file."
            )))
        },
    )
}

/// Writes the committed document anew.
pub(crate) fn regenerate() -> Result<(), Failure> {
    run(&mut cargo(&["build", "--package", "daybook", "--bin", "daybook"]))?;
    let made = output(Command::new(program()?).arg("openapi"))?;
    if !made.starts_with(b"{") {
        return Err(Failure::new("`daybook openapi` printed no document"));
    }
    fs::write(root().join(COMMITTED), made)
        .map_err(|error| Failure::new(format!("{COMMITTED} cannot be written: {error}")))?;
    say(&format!("{COMMITTED} is written"));
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
