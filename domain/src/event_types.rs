//! The names of all events, for the log and for those who ask for some of them.

use cqrs_es::{Aggregate, DomainEvent};

use crate::HasPersonal;
use crate::aggregates;
use crate::claim::Claims;

/// The events of an aggregate, as the log has to know them.
pub trait AggregateEvent: DomainEvent + Claims + HasPersonal {
    /// The name of each of its types.
    const NAMES: &'static [&'static str];

    /// The version in which each of them is written, in the same order.
    const VERSIONS: &'static [&'static str];

    /// Whether an aggregate begins with it: whether it can happen to what does not exist, and to
    /// nothing else.
    fn creates(&self) -> bool;
}

/// Names the events of an aggregate after their variants, and says which of them it begins with. They
/// are written in version 1.0 of their form, where no other is named.
macro_rules! event_types {
    (@version) => { "1.0" };
    (@version $version:literal) => { $version };
    (
        $event:ident: creating $($first:ident $(= $first_version:literal)?),+;
        then $($later:ident $(= $later_version:literal)?),+
    ) => {
        impl cqrs_es::DomainEvent for $event {
            fn event_type(&self) -> String {
                match self {
                    $(Self::$first(_) => stringify!($first),)+
                    $(Self::$later(_) => stringify!($later),)+
                }
                .to_owned()
            }

            fn event_version(&self) -> String {
                match self {
                    $(Self::$first(_) => $crate::event_types!(@version $($first_version)?),)+
                    $(Self::$later(_) => $crate::event_types!(@version $($later_version)?),)+
                }
                .to_owned()
            }
        }

        impl $crate::AggregateEvent for $event {
            const NAMES: &'static [&'static str] =
                &[$(stringify!($first),)+ $(stringify!($later)),+];

            const VERSIONS: &'static [&'static str] = &[
                $($crate::event_types!(@version $($first_version)?),)+
                $($crate::event_types!(@version $($later_version)?)),+
            ];

            fn creates(&self) -> bool {
                matches!(self, $(Self::$first(_))|+)
            }
        }
    };
}
pub(crate) use event_types;

macro_rules! names {
    ($($name:ident: $aggregate:ty, $id:ty, $refusal:ty;)+) => {
        /// The names of the events of each type of aggregate.
        pub const EVENT_TYPES: &[(&str, &[&str])] = &[$((
            <$aggregate as Aggregate>::TYPE,
            <<$aggregate as Aggregate>::Event as AggregateEvent>::NAMES,
        )),+];
    };
}
aggregates!(names);

/// Whether there is such an event.
#[must_use]
pub fn is_event_type(name: &str) -> bool {
    EVENT_TYPES.iter().any(|(_, names)| names.contains(&name))
}

/// The type of aggregate of that name, as it is written in the log.
#[must_use]
pub fn aggregate_type(name: &str) -> Option<&'static str> {
    EVENT_TYPES.iter().map(|(aggregate, _)| *aggregate).find(|aggregate| *aggregate == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde::de::DeserializeOwned;
    use serde_json::json;

    use super::*;

    /// What serde says that the events of an aggregate are called.
    fn names<E: DeserializeOwned>() -> BTreeSet<String> {
        let said = serde_json::from_value::<E>(json!({"type": "?"})).err().unwrap().to_string();
        let (_, names) = said.split_once("expected ").unwrap();
        names.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    }

    macro_rules! each_name {
        ($($name:ident: $aggregate:ty, $id:ty, $refusal:ty;)+) => {[$((
            <$aggregate as Aggregate>::TYPE,
            names::<<$aggregate as Aggregate>::Event>(),
        )),+]};
    }

    #[test]
    fn every_event_is_named_as_it_is_stored() {
        let stored = aggregates!(each_name);
        let listed = EVENT_TYPES.iter().map(|(aggregate, names)| {
            (*aggregate, names.iter().map(|&name| name.to_owned()).collect::<BTreeSet<_>>())
        });
        assert_eq!(listed.collect::<Vec<_>>(), stored);
    }
}
