//! Lengths of time, in whole minutes.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// A number of minutes outside its type's range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} is {min} to {max} minutes, got {minutes}")]
pub struct MinutesError {
    what: &'static str,
    min: u32,
    max: u32,
    minutes: u32,
}

macro_rules! minutes {
    ($(#[$doc:meta])* $name:ident, $what:literal, $min:literal ..= $max:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema), schemars(extend("minimum" = $min, "maximum" = $max)))]
        #[serde(try_from = "u32", into = "u32")]
        pub struct $name(u32);

        impl $name {
            /// Checks a number of minutes.
            ///
            /// # Errors
            /// When it is outside this type's range.
            pub const fn from_minutes(minutes: u32) -> Result<Self, MinutesError> {
                if !matches!(minutes, $min..=$max) {
                    return Err(MinutesError { what: $what, min: $min, max: $max, minutes });
                }
                Ok(Self(minutes))
            }

            /// The number of minutes.
            #[must_use]
            pub const fn minutes(self) -> u32 {
                self.0
            }

            /// The same as a difference of instants.
            #[must_use]
            pub fn delta(self) -> TimeDelta {
                TimeDelta::minutes(i64::from(self.0))
            }
        }

        impl TryFrom<u32> for $name {
            type Error = MinutesError;

            fn try_from(minutes: u32) -> Result<Self, MinutesError> {
                Self::from_minutes(minutes)
            }
        }

        impl From<$name> for u32 {
            fn from(minutes: $name) -> Self {
                minutes.0
            }
        }
    };
}

minutes!(
    /// How long an appointment takes: a minute to 31 days.
    Duration, "a duration", 1..=44_640
);
minutes!(
    /// Time kept free before or after an appointment: none to a day.
    Buffer, "a buffer", 0..=1_440
);
minutes!(
    /// How long a hold is kept: a minute to an hour.
    HoldLength, "the length of a hold", 1..=60
);
minutes!(
    /// For how long a place is offered to a client on the waiting list: a minute to an hour, by a hold.
    OfferLength, "the length of an offer", 1..=60
);
minutes!(
    /// How long before a start something is done at the latest: none to a year.
    LeadTime, "a time before the start", 0..=525_600
);
minutes!(
    /// How far one start is from the next: a minute to a day.
    Step, "a step between starts", 1..=1_440
);

impl LeadTime {
    /// The earliest start that this leaves time for, at `now`.
    #[must_use]
    pub fn earliest_start(self, now: DateTime<Utc>) -> DateTime<Utc> {
        now + self.delta()
    }

    /// How many whole minutes are left from `now` to `start`, where that is less than this; they
    /// are negative once it has begun.
    #[must_use]
    pub fn missed(self, start: DateTime<Utc>, now: DateTime<Utc>) -> Option<i64> {
        let left = || (start - now).num_milliseconds().div_euclid(60_000);
        (start < self.earliest_start(now)).then(left)
    }
}

impl Step {
    /// What starts are apart where nobody says otherwise.
    pub const QUARTER_HOUR: Self = Self(15);
}

impl Duration {
    /// A day, whatever clocks do in it.
    pub const DAY: Self = Self(1_440);
}

impl Default for OfferLength {
    /// A quarter of an hour.
    fn default() -> Self {
        Self(15)
    }
}

impl Default for HoldLength {
    /// Ten minutes.
    fn default() -> Self {
        Self(10)
    }
}

impl Buffer {
    /// No time at all.
    pub const NONE: Self = Self(0);
}

impl Default for Buffer {
    fn default() -> Self {
        Self::NONE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_bounded() {
        assert!(Duration::from_minutes(0).is_err());
        assert!(Duration::from_minutes(44_641).is_err());
        assert_eq!(Buffer::from_minutes(0), Ok(Buffer::NONE));
        assert!(LeadTime::from_minutes(525_601).is_err());
        assert!(Step::from_minutes(0).is_err());
        assert!(Step::from_minutes(1_441).is_err());
    }

    #[test]
    fn a_lead_time_is_kept_until_its_last_instant() {
        let lead = LeadTime::from_minutes(60).unwrap();
        let start = DateTime::UNIX_EPOCH;
        let before = |lead: TimeDelta| start - lead;
        assert_eq!(lead.missed(start, before(TimeDelta::minutes(60))), None);
        let late = before(TimeDelta::minutes(60) - TimeDelta::microseconds(1));
        assert_eq!(lead.missed(start, late), Some(59));
        assert_eq!(lead.missed(start, start), Some(0));
        assert_eq!(lead.missed(start, start + TimeDelta::seconds(1)), Some(-1));
    }
}
