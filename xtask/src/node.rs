//! Packages of npm, for tests that lint the OpenAPI document and run clients made from it: installed as the lock file
//! says, and kept until that changes.
//!
//! Where they cannot be had, the tests that need them fail, and say so; the others run.

use std::fs;
use std::process::Command;

use crate::python::target;
use crate::shell::{Failure, output, root, run, say};

/// Where the tests have their list of packages; in the target folder, `node/clients` has the packages.
const PACKAGES: &str = "tests/clients";

/// What was installed. Written last: a folder that is half filled has none.
const STAMP: &str = "made-from.json";

/// Makes sure of all that tests need.
pub(crate) fn ensure() -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::new(format!("packages of npm: {error}"));
    let (from, to) = (root().join(PACKAGES), target()?.join("node/clients"));
    let lock = fs::read(from.join("package-lock.json")).map_err(failed)?;
    if fs::read(to.join(STAMP)).is_ok_and(|made_from| made_from == lock) {
        return Ok(());
    }
    if output(Command::new("npm").arg("--version")).is_err() {
        return Err(Failure::new(
            "there is no npm. Tests run clients that are made from the OpenAPI document: install Node.js 20 or later.",
        ));
    }
    fs::create_dir_all(&to).map_err(failed)?;
    for file in ["package.json", "package-lock.json"] {
        fs::copy(from.join(file), to.join(file)).map_err(failed)?;
    }
    say(&format!("installing packages of npm in {}", to.display()));
    run(Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
        .current_dir(&to))?;
    fs::write(to.join(STAMP), lock).map_err(failed)
}
