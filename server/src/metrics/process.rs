//! The process itself, as Prometheus' client libraries show it; from `/proc`, so on Linux only.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use daybook_store::metrics::{
    PROCESS_CPU_SECONDS, PROCESS_MAX_FILES, PROCESS_MEMORY, PROCESS_OPEN_FILES, PROCESS_START,
    PROCESS_THREADS,
};
use metrics::{counter, gauge};

/// In which processor time is counted: `USER_HZ`, the same on all that we build for.
const TICKS_PER_SECOND: u64 = 100;

/// The process begins.
pub(super) fn began() {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    gauge!(PROCESS_START).set(since_epoch.as_secs_f64());
}

/// Notes what the kernel says of the process now.
pub(super) fn measure() {
    if let Some(ticks) = fs::read_to_string("/proc/self/stat").ok().as_deref().and_then(ticks) {
        counter!(PROCESS_CPU_SECONDS).absolute(ticks / TICKS_PER_SECOND);
    }
    if let Ok(status) = fs::read_to_string("/proc/self/status") {
        if let Some(kilobytes) = number_after(&status, "VmRSS:") {
            gauge!(PROCESS_MEMORY).set(kilobytes * 1_024.0);
        }
        if let Some(threads) = number_after(&status, "Threads:") {
            gauge!(PROCESS_THREADS).set(threads);
        }
    }
    if let Ok(files) = fs::read_dir("/proc/self/fd") {
        gauge!(PROCESS_OPEN_FILES).set(f64::from(u32::try_from(files.count()).unwrap_or(u32::MAX)));
    }
    if let Ok(limits) = fs::read_to_string("/proc/self/limits")
        && let Some(most) = number_after(&limits, "Max open files")
    {
        gauge!(PROCESS_MAX_FILES).set(most);
    }
}

/// The ticks that the process has run for: fields 14 and 15 of its `stat`. The second, its name in brackets, may
/// have spaces.
fn ticks(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(user + system)
}

/// The first number after a name at the beginning of a line.
fn number_after(text: &str, name: &str) -> Option<f64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_the_users_and_the_systems() {
        let stat = "7 (a (b) c) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 9 0 99 1 1";
        assert_eq!(ticks(stat), Some(300));
        assert_eq!(ticks("7 (name) S 1"), None);
    }

    #[test]
    fn a_number_stands_after_its_name() {
        let status = "Name:\tdaybook\nVmRSS:\t   2048 kB\nThreads:\t9\n";
        assert_eq!(number_after(status, "VmRSS:"), Some(2_048.0));
        assert_eq!(number_after(status, "Threads:"), Some(9.0));
        assert_eq!(number_after("Max open files            unlimited", "Max open files"), None);
    }
}
