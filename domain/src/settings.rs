//! What a tenant has chosen for itself, where no service says it.

use serde::{Deserialize, Serialize};

use crate::Titles;
use crate::notice::Notices;
use crate::service::{ClientEntryLimit, EntryLimit, HoldLimit};
use crate::time::OfferLength;

/// Gives a macro all settings of a tenant: what each is, its name, its type; of those that are numbers, as which that is written,
/// and the bounds of it; the others are one of a few words. What there is of each setting (the column apart, which a migration
/// makes) is made of this: the row, what is asked for and told over HTTP, the options of `daybook tenant set`. The types are
/// to be in scope.
#[macro_export]
macro_rules! with_tenant_settings {
    ($make:ident) => {
        $make! {
            numbers {
                /// How many holds one client can have at once: 1 to 1,000; else 3.
                holds_per_client: HoldLimit as u16, 1 to 1_000;
                /// For how many minutes a place is offered to a client on the waiting list: 1 to 60; else 15.
                offer_minutes: OfferLength as u32, 1 to 60;
                /// How many times one client can wait at once: 1 to 1,000; else 20.
                waiting_per_client: ClientEntryLimit as u16, 1 to 1_000;
                /// How many entries of the waiting list can be open: 1 to 50,000; else 1,000.
                waiting_list: EntryLimit as u16, 1 to 50_000;
                /// How many days ahead series of imported calendars are followed: 1 to 3,660; else 731.
                import_days: ImportDays as u16, 1 to 3_660;
                /// Over how many local days it is added up who is booked least, where a service chooses by that: 1 to 31;
                /// else 7.
                least_booked_days: LeastBookedDays as u16, 1 to 31;
                /// How many days after their last appointment clients are erased, if they have nothing before them; 0: they
                /// stay: 0 to 36,500; else 0.
                retention_days: RetentionDays as u16, 0 to 36_500;
            }
            words {
                /// What titles are that callers give, from then on: public or personal; else public.
                titles: Titles;
                /// How clients are told what becomes of appointments that are made from then on: off or email; else off.
                notices: Notices;
            }
        }
    };
}

macro_rules! settings {
    (
        numbers {$(
            $(#[doc = $doc:literal])+ $name:ident: $type:ident as $number:ty, $min:tt to $max:tt;
        )+}
        words {$(
            $(#[doc = $word_doc:literal])+ $word:ident: $words:ident;
        )+}
    ) => {
        /// What a tenant has chosen. A decision takes them as they are then, and its event says by which it was made
        /// wherever that matters later: no decision is taken again because they change.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub struct TenantSettings {
            $($(#[doc = $doc])+ pub $name: $type,)+
            $($(#[doc = $word_doc])+ pub $word: $words,)+
        }

        #[cfg(test)]
        #[test]
        fn the_bounds_that_are_told_are_those_that_hold() {
            $(
                for number in [$min, $max] {
                    assert!($type::try_from(number).is_ok(), "{} {number}", stringify!($name));
                }
                let beyond = [<$number>::checked_sub($min, 1), <$number>::checked_add($max, 1)];
                for number in beyond.into_iter().flatten() {
                    assert!($type::try_from(number).is_err(), "{} {number}", stringify!($name));
                }
            )+
        }

        #[cfg(test)]
        #[test]
        fn what_is_said_of_a_setting_is_what_holds() {
            let thousands = |number: u32| match number {
                0..1_000 => number.to_string(),
                _ => format!("{},{:03}", number / 1_000, number % 1_000),
            };
            let default = TenantSettings::default();
            let check = |said: &str, holds: String| assert!(said.ends_with(&holds), "{holds} {said}");
            $(
                let otherwise = thousands(<$number>::from(default.$name).into());
                let bounds = format!("{} to {}", thousands($min), thousands($max));
                check(&[$($doc),+].concat(), format!(": {bounds}; else {otherwise}."));
            )+
            $(
                let words = $words::ALL.map($words::as_str).join(" or ");
                check(&[$($word_doc),+].concat(), format!(": {words}; else {}.", default.$word));
            )+
        }
    };
}

with_tenant_settings!(settings);

/// Whole days, within bounds.
macro_rules! days {
    ($(
        $(#[$doc:meta])* $name:ident: $min:literal to $max:literal, else $default:literal;
        $error:ident: $what:literal;
    )+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "u16", into = "u16")]
        pub struct $name(u16);

        #[doc = concat!("A number of days outside the range of [`", stringify!($name), "`].")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
        #[error("{} {} to {} days, got {days}", $what, $min, $max)]
        pub struct $error {
            days: u16,
        }

        impl $name {
            #[must_use]
            pub const fn get(self) -> u16 {
                self.0
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self($default)
            }
        }

        impl TryFrom<u16> for $name {
            type Error = $error;

            fn try_from(days: u16) -> Result<Self, $error> {
                if ($min..=$max).contains(&days) { Ok(Self(days)) } else { Err($error { days }) }
            }
        }

        impl From<$name> for u16 {
            fn from(days: $name) -> Self {
                days.0
            }
        }
    )+};
}

days! {
    /// How many days ahead something is followed that may have no end: two years, unless it is said.
    ImportDays: 1 to 3660, else 731;
    ImportDaysError: "series are followed for";

    /// How many local days count for who is booked least: those up to the day of the appointment.
    LeastBookedDays: 1 to 31, else 7;
    LeastBookedDaysError: "who is booked least is told by";

    /// How many days after their last appointment clients are erased; 0: never.
    RetentionDays: 0 to 36_500, else 0;
    RetentionDaysError: "clients are erased after";
}

impl RetentionDays {
    /// The most: a hundred years.
    pub const MAX: u16 = 36_500;

    /// Whether they are never erased for that.
    #[must_use]
    pub const fn is_never(self) -> bool {
        self.0 == 0
    }
}
