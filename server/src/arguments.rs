//! The arguments of the program: without a subcommand they are those of `serve`.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser as _};

use crate::cli::Cli;

impl Cli {
    /// The arguments of this program, which ends with a word on them where they are not understood.
    pub(crate) fn of_this_program() -> Self {
        let given: Vec<OsString> = std::env::args_os().collect();
        match Self::try_parse_from(&given) {
            Ok(cli) => cli,
            Err(error) if names_no_subcommand(&error, &given) => {
                let program = given.iter().take(1).cloned();
                let serve = ["serve", "--demo"].map(OsString::from);
                Self::parse_from(program.chain(serve).chain(given.iter().skip(1).cloned()))
            }
            Err(error) => error.exit(),
        }
    }
}

/// Whether the arguments are not understood for want of a subcommand, and for nothing else.
fn names_no_subcommand(error: &clap::Error, given: &[OsString]) -> bool {
    let command = Cli::command();
    let is_subcommand = |word: &OsString| command.find_subcommand(word).is_some();
    match error.kind() {
        ErrorKind::MissingSubcommand => true,
        ErrorKind::UnknownArgument => !given.iter().skip(1).any(is_subcommand),
        _ => false,
    }
}
