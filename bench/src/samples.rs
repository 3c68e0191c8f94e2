//! Latencies, by what was done.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

/// No latency is longer than this; whatever is counts as this long.
const LONGEST_MICROS: u64 = 600 * 1_000_000;

/// Three digits of every latency are kept.
const DIGITS: u8 = 3;

/// The latencies of a cell.
pub(crate) struct Samples {
    measured: Duration,
    by_what: BTreeMap<&'static str, Histogram<u64>>,
}

/// What a kind of sample comes to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Summary {
    pub(crate) per_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) p999_ms: f64,
}

impl Summary {
    /// A rate of something that has no latencies.
    pub(crate) const fn of_rate(per_second: f64) -> Self {
        Self { per_second, p50_ms: 0.0, p99_ms: 0.0, p999_ms: 0.0 }
    }
}

impl Samples {
    /// None yet, of a cell that is measured for so long.
    pub(crate) fn new(measured: Duration) -> Self {
        Self { measured, by_what: BTreeMap::new() }
    }

    pub(crate) fn add(&mut self, what: &'static str, micros: u32) -> anyhow::Result<()> {
        let histogram = match self.by_what.entry(what) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(Histogram::new_with_bounds(1, LONGEST_MICROS, DIGITS)?)
            }
        };
        histogram.saturating_record(u64::from(micros));
        Ok(())
    }

    /// What was done, in alphabetical order, and what it comes to.
    pub(crate) fn summaries(&self) -> impl Iterator<Item = (&'static str, Summary)> {
        self.by_what.iter().map(|(what, histogram)| (*what, self.summary(histogram)))
    }

    /// All of one kind; an error where there is none, for then nothing was measured.
    pub(crate) fn of(&self, what: &'static str) -> anyhow::Result<Summary> {
        let histogram = self.by_what.get(what);
        let histogram = histogram.ok_or_else(|| anyhow::anyhow!("not one {what} was finished"))?;
        Ok(self.summary(histogram))
    }

    fn summary(&self, histogram: &Histogram<u64>) -> Summary {
        let ms = |quantile| millis(histogram.value_at_quantile(quantile));
        Summary {
            per_second: float(histogram.len()) / self.measured.as_secs_f64(),
            p50_ms: ms(0.5),
            p99_ms: ms(0.99),
            p999_ms: ms(0.999),
        }
    }
}

fn millis(micros: u64) -> f64 {
    float(micros) / 1_000.0
}

/// A count as a number to calculate with.
#[expect(clippy::cast_precision_loss, reason = "no count here has more than 52 bits")]
pub(crate) const fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_a_latency_that_so_many_did_not_exceed() {
        let mut samples = Samples::new(Duration::from_secs(10));
        for micros in 1..=1_000 {
            samples.add("book", micros * 1_000).unwrap();
        }
        let Summary { per_second, p50_ms, p99_ms, p999_ms } = samples.of("book").unwrap();
        assert_eq!(per_second.to_bits(), 100_f64.to_bits());
        for (found, expected) in [(p50_ms, 500.0), (p99_ms, 990.0), (p999_ms, 999.0)] {
            assert!((found - expected).abs() <= expected / 1_000.0, "{found} is not {expected}");
        }
    }

    #[test]
    fn a_kind_that_was_never_done_is_an_error_and_not_a_zero() {
        assert!(Samples::new(Duration::from_secs(1)).of("book").is_err());
    }
}
