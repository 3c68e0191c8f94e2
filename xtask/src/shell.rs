//! Running programs, and talking to whoever reads the terminal or the log of a build.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Why a chore did not succeed, in words for its reader.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Writes a line to stdout. A closed pipe (`| head`) is no failure of the chore.
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stdout().lock(), "{line}");
}

/// Writes a line to stderr.
pub(crate) fn complain(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    // Where this was compiled is where it is run from: a binary of xtask is never installed.
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_path_buf()
}

/// The cargo that started us, in the workspace's root.
///
/// What `cargo run` says of xtask's own package is taken out of its environment: some build scripts
/// ask for it, and would build everything anew whenever xtask and a plain cargo take turns.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command.args(arguments).current_dir(root());
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs a command to its end; its output goes where ours goes.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    let shown = shown(command);
    let status = command.status().map_err(|error| not_started(&shown, &error))?;
    if status.success() { Ok(()) } else { Err(Failure::new(format!("`{shown}`: {status}"))) }
}

/// Whether a command can be run and succeeds; nobody sees what it says.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// What a command writes to stdout; stderr goes where ours goes.
pub(crate) fn output(command: &mut Command) -> Result<Vec<u8>, Failure> {
    let shown = shown(command);
    let command = command.stderr(std::process::Stdio::inherit());
    let output = command.output().map_err(|error| not_started(&shown, &error))?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(Failure::new(format!("`{shown}`: {}", output.status)))
    }
}

pub(crate) fn not_started(shown: &str, error: &io::Error) -> Failure {
    Failure::new(format!("`{shown}` could not be started: {error}"))
}

/// A command as one would type it.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let words = std::iter::once(name).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}
