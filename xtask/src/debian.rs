//! Programs of Debian that tests run: those that are missing are installed, where that is possible (root, on Debian);
//! elsewhere it is said what to install. Where one cannot be had, the tests that need it fail, and the others run.

use std::env;
use std::path::Path;
use std::process::Command;

use crate::shell::{Failure, output, run, say};

/// Where Debian has what is not on everybody's `PATH`.
const ELSEWHERE: [&str; 5] = [
    "/usr/sbin",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu/faketime",
    "/usr/lib/aarch64-linux-gnu/faketime",
];

/// A program, and the package that it is in.
struct Program {
    name: &'static str,
    package: &'static str,
}

/// All of them; the tests find them by their names.
const OF_TESTS: [Program; 12] = [
    Program { name: "curl", package: "curl" },
    Program { name: "haproxy", package: "haproxy" },
    Program { name: "jq", package: "jq" },
    Program { name: "nginx", package: "nginx-light" },
    Program { name: "prometheus", package: "prometheus" },
    Program { name: "promtool", package: "prometheus" },
    Program { name: "pgbouncer", package: "pgbouncer" },
    Program { name: "rabbitmq-server", package: "rabbitmq-server" },
    Program { name: "psql", package: "postgresql-client" },
    Program { name: "redis-server", package: "redis-server" },
    Program { name: "libfaketime.so.1", package: "libfaketime" },
    Program { name: "libnss_wrapper.so", package: "libnss-wrapper" },
];

/// Makes sure of all that tests need.
pub(crate) fn ensure() -> Result<(), Failure> {
    let packages = missing();
    if packages.is_empty() {
        return Ok(());
    }
    let packages = packages.join(" ");
    if !is_root() || !is_installed("apt-get") {
        return Err(Failure::new(format!(
            "tests run programs that are not installed: install {packages} (Debian: `apt-get install {packages}`)."
        )));
    }
    say(&format!("installing {packages}"));
    install(&packages)?;
    match missing().as_slice() {
        [] => Ok(()),
        still => Err(Failure::new(format!("{} is installed and not found", still.join(" ")))),
    }
}

/// The packages that are not there.
fn missing() -> Vec<&'static str> {
    let mut packages: Vec<_> =
        OF_TESTS.iter().filter(|it| !is_installed(it.name)).map(|it| it.package).collect();
    packages.dedup();
    packages
}

/// A service that comes with a program is not started, and what a machine has of packages may be old.
fn install(packages: &str) -> Result<(), Failure> {
    let script = format!(
        "export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1; \
         apt-get install --yes --no-install-recommends {packages} || \
         {{ apt-get update && apt-get install --yes --no-install-recommends {packages}; }}"
    );
    run(Command::new("sh").args(["-c", &script]))
}

fn is_root() -> bool {
    output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim_ascii() == b"0")
}

/// On the `PATH`, or where Debian keeps what only root runs, and libraries that pretend another time and other names.
fn is_installed(name: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(ELSEWHERE.map(Into::into));
    folders.map(|folder| folder.join(name)).any(|program| Path::new(&program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_machine_has_is_installed() {
        assert!(is_installed("sh"));
        assert!(!is_installed("no-such-program"));
    }
}
