//! How long a follower that fails is left alone: longer and longer, up to a bound, each time a little more or less, so that
//! those that failed together are not tried together.

use std::time::Duration;

use rand::Rng as _;

/// How followers of a kind are tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pauses {
    /// After the first failure.
    pub first: Duration,
    /// By how much each is longer than the one before.
    pub factor: u32,
    /// The longest.
    pub most: Duration,
    /// After it has failed for so long it is given up. `None`: never.
    pub patience: Option<Duration>,
}

/// By so many hundredths a pause is shorter or longer.
const JITTER: u32 = 25;

impl Pauses {
    /// The pause after so many failures in a row.
    pub(super) fn after(&self, failures: u32) -> Duration {
        let jitter = rand::rng().random_range(100 - JITTER..=100 + JITTER);
        self.without_jitter(failures) * jitter / 100
    }

    fn without_jitter(&self, failures: u32) -> Duration {
        let times = self.factor.checked_pow(failures.saturating_sub(1));
        times.and_then(|times| self.first.checked_mul(times)).unwrap_or(self.most).min(self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_bound_and_no_two_need_be_the_same() {
        let (first, most) = (Duration::from_secs(1), Duration::from_hours(8));
        let pauses = Pauses { first, factor: 4, most, patience: None };
        let seconds = |failures| pauses.without_jitter(failures).as_secs();
        assert_eq!([1, 2, 3, 8, 9, 40].map(seconds), [1, 4, 16, 16_384, 28_800, 28_800]);
        let drawn: Vec<Duration> = (0..50).map(|_| pauses.after(3)).collect();
        assert!(drawn.iter().all(|it| (12..=20).contains(&it.as_secs())), "{drawn:?}");
        assert!(drawn.iter().any(|it| *it != drawn[0]), "{drawn:?}");
    }
}
