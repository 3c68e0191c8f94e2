//! Secrets from files: of each option that is a secret, `NAME_FILE` in the environment names a file that has what `NAME` would
//! have, as containers are given secrets.
//!
//! Which options are secrets is declared once, where they are: help shows no values of theirs (`hide_env_values`). So whoever
//! adds one has this with it.

use std::collections::BTreeSet;
use std::env;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::Command;

/// A URL with sixteen servers in it is shorter.
const MAX_BYTES: u64 = 16 << 10;

const SUFFIX: &str = "_FILE";

/// Puts what the files have into this program's environment, where the options look. Only for the beginning of `main`, before
/// there is a second thread.
///
/// # Errors
/// When a file cannot be read, or a secret is given in both ways. No secret is in what is said.
pub(crate) fn into_environment(program: &Command) -> anyhow::Result<()> {
    let mut names = BTreeSet::new();
    secrets(program, &mut names);
    for name in names {
        let file = format!("{name}{SUFFIX}");
        let Some(path) = given(&file) else { continue };
        ensure!(
            given(&name).is_none(),
            "{name} and {file} are both set: a secret is given by one of them"
        );
        let path = PathBuf::from(path);
        // Whoever has written the secret itself there is not to read it in a log.
        ensure!(!path.to_string_lossy().contains("://"), "{file} is a URL: it is to name a file");
        let secret = read(&path).with_context(|| format!("{file} {}", path.display()))?;
        #[expect(unsafe_code, reason = "clap reads secrets from there and from nowhere else")]
        // SAFETY: no other thread runs yet.
        unsafe {
            env::set_var(name, secret);
            // Whoever daybook starts inherits all of it: another daybook would be refused with both.
            env::remove_var(file);
        }
    }
    Ok(())
}

/// What is empty is not given: that is how compose files pass on what is not there.
fn given(name: &str) -> Option<std::ffi::OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// The variables of all options that are secrets.
fn secrets(command: &Command, names: &mut BTreeSet<String>) {
    let hidden = command.get_arguments().filter(|option| option.is_hide_env_values_set());
    let hidden = hidden.filter_map(|option| option.get_env());
    names.extend(hidden.filter_map(|name| name.to_str()).map(str::to_owned));
    for subcommand in command.get_subcommands() {
        secrets(subcommand, names);
    }
}

fn read(path: &Path) -> anyhow::Result<String> {
    let mut secret = String::new();
    let file = File::open(path)?;
    file.take(MAX_BYTES + 1).read_to_string(&mut secret)?;
    ensure!(secret.len() as u64 <= MAX_BYTES, "no secret is so long");
    // An editor ends the line.
    let secret = secret.trim_end_matches(['\r', '\n']);
    ensure!(!secret.is_empty(), "it is empty");
    ensure!(!secret.contains('\0'), "it is no text");
    Ok(secret.to_owned())
}
