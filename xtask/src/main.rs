//! The project's own chores, as `cargo xtask <command>`.
//!
//! It depends on nothing but the standard library, so that it starts at once, and knows nothing of how
//! daybook works: it calls cargo, the built program, cargo-deny, apt-get for programs that tests run, and python3 for
//! the tests that run Python programs. PostgreSQL is found, or fetched, by the tests themselves (`embedded-postgres`).

mod compose;
mod corpus;
mod debian;
mod deny;
mod kubectl;
mod logs;
mod node;
mod openapi;
mod python;
mod shell;
mod steps;
mod tally;
mod test;

use std::env;
use std::process::ExitCode;

const USAGE: &str = "\
The project's own chores.

  cargo xtask test                       everything that must hold before a commit
  cargo xtask test -p daybook-store      the tests alone, with these arguments for cargo test
  cargo xtask test -- slot_taken         the tests alone whose names contain this
  cargo xtask deny                       what every dependency must be (deny.toml)
  cargo xtask openapi                    write api/openapi.json anew, from the code
  cargo xtask examples                   ask for the examples of the documents anew, and write those
  cargo xtask events                     write what events say anew, from their types, and the documents that show it
  cargo xtask promise                    take api/openapi.json as what this release promises to its clients
  cargo xtask compose-test               bring up deploy/compose/test.yml on a Docker engine, kill each container once
                                         while clients book, compare, and take it down
  cargo xtask corpus FOLDER              import every calendar below a folder, each into a scratch tenant, and
                                         say what came in by program, and what was refused by reason
";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["test"] => test::everything(),
        ["test", selection @ ..] => test::selected(selection),
        ["deny"] => deny::check(),
        ["openapi"] => openapi::regenerate(),
        ["examples"] => test::examples().and_then(|()| openapi::regenerate()),
        ["events"] => test::events().and_then(|()| openapi::regenerate()),
        ["promise"] => openapi::promise(),
        ["compose-test"] => compose::test(),
        ["corpus", folder] => corpus::import(folder),
        [] | ["help" | "--help" | "-h"] => {
            shell::say(USAGE);
            Ok(())
        }
        unknown => Err(shell::Failure::new(format!("no command {}\n\n{USAGE}", unknown.join(" ")))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            shell::complain(&format!("xtask: {failure}"));
            ExitCode::FAILURE
        }
    }
}
