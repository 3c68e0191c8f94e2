//! How much of the machine's memory the server's own cache may take.

use std::fs;

/// For a machine that does not say how much it has.
const UNKNOWN_MB: u64 = 256;

const LEAST_MB: u64 = 128;
/// Beyond it nothing was measured; the rest of the memory caches files anyway.
const MOST_MB: u64 = 1_024;

/// PostgreSQL advises a quarter of a machine that is its own; ours is shared. What is not used is not taken.
const SHARE: u64 = 8;

/// The server's cache, in megabytes (`shared_buffers`).
pub(crate) fn shared_buffers_mb() -> u64 {
    let machine = fs::read_to_string("/proc/meminfo").ok();
    let container = fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    of(machine.as_deref(), container.as_deref())
}

fn of(machine: Option<&str>, container: Option<&str>) -> u64 {
    let machine = machine.and_then(|info| {
        let line = info.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
        Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? / 1_024)
    });
    // `max`: no limit.
    let container = container.and_then(|bytes| bytes.trim().parse::<u64>().ok());
    let all = machine.into_iter().chain(container.map(|bytes| bytes >> 20)).min();
    all.map_or(UNKNOWN_MB, |all| (all / SHARE).clamp(LEAST_MB, MOST_MB))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(gigabytes: u64) -> String {
        format!("MemFree:  1 kB\nMemTotal:       {} kB\n", gigabytes << 20)
    }

    #[test]
    fn the_cache_is_a_share_of_the_memory_within_bounds() {
        assert_eq!(of(Some(&machine(4)), None), 512);
        assert_eq!(of(Some(&machine(64)), None), MOST_MB);
        assert_eq!(of(Some(&machine(0)), None), LEAST_MB);
        assert_eq!(of(None, None), UNKNOWN_MB);
        assert_eq!(of(Some("MemTotal: much"), Some("x")), UNKNOWN_MB);
    }

    #[test]
    fn the_memory_of_a_container_counts_where_it_is_less() {
        let machine = machine(64);
        assert_eq!(of(Some(&machine), Some("2147483648\n")), 256);
        assert_eq!(of(Some(&machine), Some("max\n")), MOST_MB);
    }
}
