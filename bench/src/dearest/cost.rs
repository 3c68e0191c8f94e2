//! What a request costs: processor time of daybook and of its PostgreSQL, and memory of daybook.

use std::fmt;
use std::fs;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

use crate::http::client::Read;

/// Watches daybook, and PostgreSQL with all its processes.
pub(crate) struct Meter {
    daybook: Pid,
    postgres: Pid,
}

/// Where the clocks stood before a request.
#[derive(Clone, Copy)]
pub(crate) struct Begun {
    at: Instant,
    daybook: Duration,
    postgres: Duration,
    memory_kb: u64,
}

/// What one request cost.
#[derive(Debug, Clone)]
pub(crate) struct Cost {
    pub(crate) status: u16,
    pub(crate) bytes: usize,
    pub(crate) daybook_ms: f64,
    pub(crate) postgres_ms: f64,
    pub(crate) took_ms: f64,
    /// The most that daybook had at once, above what it had before.
    pub(crate) memory_mb: f64,
    /// Of the answer, for messages.
    pub(crate) beginning: String,
}

impl Cost {
    pub(crate) fn processor_ms(&self) -> f64 {
        self.daybook_ms + self.postgres_ms
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, bytes, daybook_ms, postgres_ms, took_ms, memory_mb, .. } = self;
        write!(
            f,
            "{status}, {bytes} bytes, daybook {daybook_ms:.1} ms, PostgreSQL {postgres_ms:.1} ms, took \
             {took_ms:.1} ms, {memory_mb:.1} MB"
        )
    }
}

impl Meter {
    pub(crate) fn of(daybook: u32, postgres: u32) -> anyhow::Result<Self> {
        let pid = |id: u32| anyhow::Ok(Pid::from_raw(i32::try_from(id)?));
        Ok(Self { daybook: pid(daybook)?, postgres: pid(postgres)? })
    }

    pub(crate) fn begin(&self) -> anyhow::Result<Begun> {
        // From now on the peak is that of this request.
        fs::write(format!("/proc/{}/clear_refs", self.daybook), "5")?;
        Ok(Begun {
            at: Instant::now(),
            daybook: processor_time(self.daybook)?,
            postgres: self.of_postgres()?,
            memory_kb: status_kb(self.daybook, "VmRSS")?,
        })
    }

    pub(crate) fn end(&self, begun: Begun, answer: Read) -> anyhow::Result<Cost> {
        let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
        let peak_kb = status_kb(self.daybook, "VmHWM")?;
        let memory_kb = u32::try_from(peak_kb.saturating_sub(begun.memory_kb))?;
        Ok(Cost {
            status: answer.status,
            bytes: answer.bytes,
            took_ms: ms(begun.at.elapsed()),
            daybook_ms: ms(processor_time(self.daybook)?.saturating_sub(begun.daybook)),
            postgres_ms: ms(self.of_postgres()?.saturating_sub(begun.postgres)),
            memory_mb: f64::from(memory_kb) / 1_024.0,
            beginning: answer.beginning,
        })
    }

    /// Of all processes of PostgreSQL; one that ends in between is forgotten.
    fn of_postgres(&self) -> anyhow::Result<Duration> {
        let children = format!("/proc/{0}/task/{0}/children", self.postgres);
        let children = fs::read_to_string(children)?;
        let ids = children.split_whitespace().filter_map(|id| id.parse().ok()).map(Pid::from_raw);
        Ok(ids.chain([self.postgres]).filter_map(|id| processor_time(id).ok()).sum())
    }
}

fn processor_time(process: Pid) -> anyhow::Result<Duration> {
    Ok(clock_gettime(clock_getcpuclockid(process)?)?.into())
}

/// A figure that the kernel keeps of a process, in KB.
pub(crate) fn status_kb(process: impl fmt::Display, name: &str) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let number = line.and_then(|line| line.split_whitespace().next()).context("no such figure")?;
    Ok(number.parse()?)
}
