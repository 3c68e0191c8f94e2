//! Sets of time: lists of intervals that are sorted, disjoint and maximal.

use super::Interval;

/// The time that lies in at least one of them, in order; those that touch become one.
#[must_use]
pub fn union(mut intervals: Vec<Interval>) -> Vec<Interval> {
    intervals.sort_unstable_by_key(Interval::start);
    intervals.dedup_by(|next, kept| match kept.joined(next) {
        Some(both) => {
            *kept = both;
            true
        }
        None => false,
    });
    intervals
}

/// The time of `these` that lies in none of `others`. Each must be a [`union`].
#[must_use]
pub fn without(these: Vec<Interval>, others: &[Interval]) -> Vec<Interval> {
    if others.is_empty() {
        return these;
    }
    let mut left = Vec::with_capacity(these.len() + others.len());
    let mut others = others.iter().peekable();
    for interval in these {
        let mut rest = Some(interval);
        while let (Some(part), Some(other)) = (rest, others.peek()) {
            left.extend(part.before(other.start()));
            rest = part.after(other.end());
            // What the other has not used up of itself, it takes from the next.
            if rest.is_none() {
                break;
            }
            others.next();
        }
        left.extend(rest);
    }
    left
}

/// The time that lies in all of these sets. Each must be a [`union`].
#[must_use]
pub fn in_all(sets: Vec<Vec<Interval>>) -> Vec<Interval> {
    let (count, mut sets) = (sets.len(), sets);
    if count == 1 {
        return sets.pop().unwrap_or_default();
    }
    // Where one ends and another begins at once, nothing lies in all: an end goes first.
    let edges = sets.iter().flatten().flat_map(|it| [(it.end(), false), (it.start(), true)]);
    let mut edges: Vec<_> = edges.collect();
    edges.sort_unstable();
    let (mut open, mut since, mut all) = (0, None, Vec::new());
    for (at, begins) in edges {
        if let Some(since) = since.take() {
            all.extend(Interval::new(since, at));
        }
        open = if begins { open + 1 } else { open - 1 };
        since = (open == count).then_some(at);
    }
    all
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::*;

    fn hours(pairs: &[(i64, i64)]) -> Vec<Interval> {
        let at = |hour: i64| DateTime::UNIX_EPOCH + TimeDelta::hours(hour);
        pairs.iter().map(|(from, to)| Interval::new(at(*from), at(*to)).unwrap()).collect()
    }

    #[test]
    fn what_touches_or_overlaps_becomes_one() {
        let all = hours(&[(9, 12), (20, 21), (12, 13), (8, 10), (9, 11)]);
        assert_eq!(union(all), hours(&[(8, 13), (20, 21)]));
        assert_eq!(union(vec![]), vec![]);
    }

    #[test]
    fn what_lies_in_all_is_in_each() {
        let sets = |sets: &[&[(i64, i64)]]| sets.iter().map(|set| hours(set)).collect::<Vec<_>>();
        for (these, all) in [
            (sets(&[&[(0, 10), (12, 24)]]), hours(&[(0, 10), (12, 24)])),
            (sets(&[&[(0, 10), (12, 24)], &[(5, 20)]]), hours(&[(5, 10), (12, 20)])),
            (sets(&[&[(0, 10)], &[(10, 20)]]), vec![]),
            (sets(&[&[(0, 10)], &[]]), vec![]),
            (sets(&[&[(0, 9)], &[(1, 8)], &[(2, 3), (4, 20)]]), hours(&[(2, 3), (4, 8)])),
            (sets(&[&[(0, 5), (6, 9)], &[(5, 6)]]), vec![]),
        ] {
            assert_eq!(in_all(these.clone()), all, "{these:?}");
        }
    }

    #[test]
    fn what_is_taken_out_is_gone_and_no_more() {
        let day = || hours(&[(0, 10), (12, 24)]);
        for (taken, left) in [
            (hours(&[]), day()),
            (hours(&[(10, 12)]), day()),
            (hours(&[(0, 24)]), vec![]),
            (hours(&[(2, 3), (4, 5)]), hours(&[(0, 2), (3, 4), (5, 10), (12, 24)])),
            (hours(&[(8, 14)]), hours(&[(0, 8), (14, 24)])),
            (hours(&[(-5, 1), (9, 13), (23, 30)]), hours(&[(1, 9), (13, 23)])),
            (hours(&[(11, 24)]), hours(&[(0, 10)])),
        ] {
            assert_eq!(without(day(), &taken), left, "{taken:?}");
        }
    }
}
