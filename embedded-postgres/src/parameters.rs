//! The server's parameters, each with its reason.
//!
//! They go on the command line and not into `postgresql.conf`: a new daybook then brings its new
//! parameters to an old data folder, and nothing that was edited by hand is overwritten. A parameter
//! that daybook does not name can be set in `postgresql.conf` as usual.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::Path;

use crate::connection::PORT;
use crate::memory;
use crate::roles::Admission;
use crate::settings::{Durability, Settings};

/// For every cluster.
const COMMON: &[(&str, &str)] = &[
    // Only the socket: nothing on the network, and no port that can be taken.
    ("listen_addresses", ""),
    // Its folder is 0700 as well; either would do.
    ("unix_socket_permissions", "0700"),
    // Enough for every role of one daybook and a person with psql.
    ("max_connections", "100"),
    // The data is on an SSD or in the page cache: a random read costs little more than the next one.
    ("random_page_cost", "1.1"),
    // Compiling a plan costs more than our short queries.
    ("jit", "off"),
    // Parallel plans share memory through /dev/shm, of which a container has 64 MB, and then fail; with
    // two cores they win little.
    ("max_parallel_workers_per_gather", "0"),
    // Everything is stored and logged in UTC, whatever zone the machine is in.
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
    ("log_line_prefix", "%m [%p] "),
    // The log goes to our file through stderr; the collector would make a second place.
    ("logging_collector", "off"),
];

/// A commit that was answered is on the disk. These are the defaults, said aloud: no
/// `postgresql.conf` may turn them off.
const DURABLE: &[(&str, &str)] = &[
    ("fsync", "on"),
    ("synchronous_commit", "on"),
    ("full_page_writes", "on"),
    // Page images are the bulk of the WAL of an append-mostly load; compressing them is cheaper than
    // writing them.
    ("wal_compression", "on"),
    // A checkpoint every 1 GB of WAL, or 15 minutes: under load each one writes the hot pages again.
    ("max_wal_size", "1GB"),
    ("checkpoint_timeout", "15min"),
    // Segments that have been written are used again: commits wait while a new one is filled with
    // zeros.
    ("min_wal_size", "1GB"),
];

/// Where the server has them. LZ4 takes a fraction of the time of what `on` stands for: making the indexes
/// of a projection spent a third of it in `pglz_compress`.
pub(crate) const WISHED: &[(&str, &str)] = &[("wal_compression", "lz4")];

/// Nothing is ever read after a crash.
const THROWAWAY: &[(&str, &str)] = &[
    ("fsync", "off"),
    ("synchronous_commit", "off"),
    ("full_page_writes", "off"),
    // No standby and no archive: the least WAL.
    ("wal_level", "minimal"),
    ("max_wal_senders", "0"),
    // Long enough that a test run sees no checkpoint.
    ("checkpoint_timeout", "1h"),
    ("max_wal_size", "4GB"),
    // Many test processes may run beside each other.
    ("shared_buffers", "128MB"),
    // Each test has its own pools, and each program that it starts wants its budget.
    ("max_connections", "1000"),
    // A dropped database's tables need no cleaning.
    ("autovacuum", "off"),
];

/// The command line after the program's name.
pub(crate) fn arguments<'a>(
    settings: &Settings,
    wished: impl Iterator<Item = (&'a str, &'a str)>,
    pgdata: &Path,
    socket_dir: &Path,
) -> Vec<OsString> {
    let by_durability = match settings.durability {
        Durability::Durable => DURABLE,
        Durability::Throwaway => THROWAWAY,
    };
    let mut arguments = vec![OsString::from("-D"), pgdata.into()];
    let mut set = |assignment: OsString| arguments.extend([OsString::from("-c"), assignment]);
    // A page that is not in the server's own cache is copied and checked each time it is read.
    set(format!("shared_buffers={}MB", memory::shared_buffers_mb()).into());
    let Admission { hba, ident, .. } = Admission::of(pgdata);
    for (name, file) in [("hba_file=", hba), ("ident_file=", ident)] {
        let mut assignment = OsString::from(name);
        assignment.push(file);
        set(assignment);
    }
    // Of two values the later one counts.
    for (name, value) in COMMON.iter().chain(by_durability).copied().chain(wished) {
        set(format!("{name}={value}").into());
    }
    for (name, value) in &settings.parameters {
        set(format!("{name}={value}").into());
    }
    set(format!("port={PORT}").into());
    let mut sockets = OsString::from("unix_socket_directories=");
    sockets.push(quoted(socket_dir));
    set(sockets);
    arguments
}

/// The parameter is a list with commas; quotes keep a path in one piece.
fn quoted(path: &Path) -> OsString {
    let mut out = vec![b'"'];
    for &byte in path.as_os_str().as_bytes() {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
    OsString::from_vec(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_a_comma_and_a_quote_stays_one_path() {
        assert_eq!(quoted(Path::new("/a,b\"c")), "\"/a,b\"\"c\"");
    }

    #[test]
    fn a_parameter_of_the_caller_comes_after_ours() {
        let settings = Settings::new("/d").parameter("max_connections", "7");
        let wished = [("wal_compression", "lz4")].into_iter();
        let all = arguments(&settings, wished, Path::new("/d/postgres"), Path::new("/d/socket"));
        let place = |value: &str| all.iter().position(|a| a == value).unwrap();
        assert!(place("max_connections=7") > place("max_connections=100"));
        assert!(place("wal_compression=lz4") > place("wal_compression=on"));
        assert!(all.iter().any(|a| a == "fsync=on"));
    }
}
