//! To what of a tenant somebody is limited.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::{Few, Place, Placed};
use crate::service::ServiceTerms;
use crate::session::SessionScheduled;
use crate::waiting::Joined;
use crate::{AppointmentId, Category, ClientId, Location, ResourceId, folded};

/// To what of a tenant somebody is limited: what is not said is no limit, and all that are said count. An appointment
/// lies within them or it is not there.
///
/// A row with a limit that this version does not know is not read: it would allow too much.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct Limits {
    /// Where it takes place, letter for letter. What takes place nowhere does not in any of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locations: Option<Few<Location>>,
    /// It has one of them at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_ids: Option<Few<ResourceId>>,
    /// However they are spelt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub categories: Option<Few<Category>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// It is this one: of whoever has a link.
    #[serde(skip)]
    pub appointment_id: Option<AppointmentId>,
}

impl Serialize for Limits {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

/// Of an object alone: an empty list would be no limits.
impl<'de> Deserialize<'de> for Limits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = Map::deserialize(deserializer)?;
        Self::deserialize(Value::Object(object)).map_err(D::Error::custom)
    }
}

impl Limits {
    /// Whether there are none.
    #[must_use]
    pub const fn are_none(&self) -> bool {
        let Self { locations, resource_ids, categories, client_id, appointment_id } = self;
        locations.is_none()
            && resource_ids.is_none()
            && categories.is_none()
            && client_id.is_none()
            && appointment_id.is_none()
    }

    /// Whether they let through all that `other` lets through.
    #[must_use]
    pub fn include(&self, other: &Self) -> bool {
        let categories = |limits: &Self| {
            let few = limits.categories.as_ref()?;
            Some(Few::all(few.iter().map(|category| folded(category.as_str()))))
        };
        includes(self.locations.as_ref(), other.locations.as_ref())
            && includes(self.resource_ids.as_ref(), other.resource_ids.as_ref())
            && includes(categories(self).as_ref(), categories(other).as_ref())
            && self.client_id.is_none_or(|client| other.client_id == Some(client))
            && self.appointment_id.is_none_or(|id| other.appointment_id == Some(id))
    }

    /// The same, which are those of `other` where they say nothing.
    #[must_use]
    pub fn or(self, other: &Self) -> Self {
        Self {
            locations: self.locations.or_else(|| other.locations.clone()),
            resource_ids: self.resource_ids.or_else(|| other.resource_ids.clone()),
            categories: self.categories.or_else(|| other.categories.clone()),
            client_id: self.client_id.or(other.client_id),
            appointment_id: self.appointment_id.or(other.appointment_id),
        }
    }

    /// Whether an appointment that lies there is there.
    #[must_use]
    pub fn admit(&self, place: &Place<'_>) -> bool {
        let Place { id, location, resource_ids, category, client_id } = *place;
        self.is_at(location)
            && self.has_one_of(resource_ids.as_slice())
            && self.is_in(category)
            && self.is_of(client_id)
            && self.appointment_id.is_none_or(|own| own == id)
    }

    /// Whether something is there: what is of the whole tenant is not, nor is what has not been made.
    #[must_use]
    pub fn see(&self, placed: &Placed<'_>) -> bool {
        match placed {
            _ if self.are_none() => true,
            Placed::At(place) => self.admit(place),
            Placed::Client(client) => self.client_id == Some(*client),
            Placed::Series(client_id) => self.is_of(*client_id),
            Placed::Entry { client_id, resource_ids } => {
                self.is_of(*client_id) && self.has_one_of(resource_ids)
            }
            Placed::Resource(id) => self.see_resource(*id),
            Placed::Service(terms) => self.see_service(terms),
            Placed::Nowhere | Placed::Whole => false,
        }
    }

    /// Whether a resource is there. Where resources are not limited, all are.
    #[must_use]
    pub fn see_resource(&self, id: ResourceId) -> bool {
        self.has_one_of(&[id])
    }

    /// Whether a service is there: one that takes place nowhere can take place anywhere.
    #[must_use]
    pub fn see_service(&self, terms: &ServiceTerms) -> bool {
        let is_there = terms.location.is_none() || self.is_at(terms.location.as_ref());
        is_there && self.is_in(&terms.category)
    }

    /// Whether a session of a service with these terms is there: it takes place where its service does. Who comes is no
    /// matter, for that is what their appointments are of.
    #[must_use]
    pub fn see_session(&self, plan: &SessionScheduled, terms: Option<&ServiceTerms>) -> bool {
        let location = terms.and_then(|terms| terms.location.as_ref());
        (location.is_none() || self.is_at(location))
            && self.is_in(&plan.category)
            && self.has_one_of(plan.slot.resource_ids.as_slice())
    }

    /// Whether an entry of the waiting list for a service with these terms is there: what it would be offered is. Where
    /// resources are limited, it waits for one of those by name.
    #[must_use]
    pub fn see_entry(&self, joined: &Joined, terms: Option<&ServiceTerms>) -> bool {
        let is_offered = |terms| self.see_what_is_given(terms);
        self.are_none() || (self.see(&joined.placed()) && terms.is_some_and(is_offered))
    }

    /// Whether what a service with these terms gives is there, where nobody says otherwise: at its location, in its category.
    #[must_use]
    pub fn see_what_is_given(&self, terms: &ServiceTerms) -> bool {
        self.is_at(terms.location.as_ref()) && self.is_in(&terms.category)
    }

    fn is_of(&self, client_id: ClientId) -> bool {
        self.client_id.is_none_or(|client| client == client_id)
    }

    fn is_at(&self, location: Option<&Location>) -> bool {
        let Some(few) = &self.locations else { return true };
        location.is_some_and(|location| few.contains(location))
    }

    fn has_one_of(&self, resources: &[ResourceId]) -> bool {
        let Some(few) = &self.resource_ids else { return true };
        resources.iter().any(|id| few.contains(id))
    }

    fn is_in(&self, category: &Category) -> bool {
        let Some(few) = &self.categories else { return true };
        let category = folded(category.as_str());
        few.iter().any(|one| folded(one.as_str()) == category)
    }
}

/// As `location A, B; resource ...`.
impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { locations, resource_ids, categories, client_id, appointment_id: _ } = self;
        let parts = [
            listed("location", locations.as_ref()),
            listed("resource", resource_ids.as_ref()),
            listed("category", categories.as_ref()),
            client_id.map(|id| format!("client {id}")),
        ];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join("; "))
    }
}

fn listed<T: Ord + fmt::Display>(what: &str, few: Option<&Few<T>>) -> Option<String> {
    let names: Vec<String> = few?.iter().map(ToString::to_string).collect();
    Some(format!("{what} {}", names.join(", ")))
}

fn includes<T: Ord>(larger: Option<&Few<T>>, smaller: Option<&Few<T>>) -> bool {
    match (larger, smaller) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(larger), Some(smaller)) => smaller.is_within(larger),
    }
}

#[cfg(test)]
mod tests {
    use proptest::option;
    use proptest::prelude::*;
    use proptest::sample::{select, subsequence};
    use uuid::Uuid;

    use super::*;
    use crate::ResourceIds;
    use crate::rights::permit;

    fn location(name: &str) -> Location {
        Location::new(name).unwrap()
    }

    fn category(name: &str) -> Category {
        Category::new(name).unwrap()
    }

    fn some<T: Ord + Clone + std::fmt::Debug + 'static>(
        of: Vec<T>,
    ) -> impl Strategy<Value = Option<Few<T>>> {
        let count = of.len();
        option::of(subsequence(of, 1..=count).prop_map(|few| few.try_into().unwrap()))
    }

    fn resources() -> Vec<ResourceId> {
        (1..=3).map(|n| Uuid::from_u128(n).into()).collect()
    }

    fn clients() -> Vec<ClientId> {
        (11..=12).map(|n| Uuid::from_u128(n).into()).collect()
    }

    fn limits() -> impl Strategy<Value = Limits> {
        let names = vec![location("North"), location("South")];
        let categories = vec![category("Café"), category("CAFE"), category("other")];
        let client = option::of(select(clients()));
        (some(names), some(resources()), some(categories), client).prop_map(
            |(locations, resource_ids, categories, client_id)| Limits {
                locations,
                resource_ids,
                categories,
                client_id,
                appointment_id: None,
            },
        )
    }

    /// Where an appointment lies.
    type Lies = (Option<Location>, ResourceIds, Category, ClientId);

    fn lies() -> impl Strategy<Value = Lies> {
        let location = option::of(select(vec![location("North"), location("South")]));
        let resources = subsequence(resources(), 1..=3).prop_map(|ids| ids.try_into().unwrap());
        let category = select(vec![category("cafe"), category("other")]);
        (location, resources, category, select(clients()))
    }

    proptest! {
        #[test]
        fn whoever_is_limited_and_says_nothing_stays_so(own in limits()) {
            prop_assert_eq!(Limits::default().or(&own), own.clone());
            prop_assert!(own.include(&Limits::default().or(&own)));
        }

        #[test]
        fn what_is_said_of_limits_is_not_made_larger(said in limits(), own in limits()) {
            prop_assert!(said.include(&said.clone().or(&own)));
        }
    }

    fn placed((location, resource_ids, category, client_id): &Lies) -> Placed<'_> {
        let location = location.as_ref();
        Placed::At(Place {
            id: Uuid::nil().into(),
            location,
            resource_ids,
            category,
            client_id: *client_id,
        })
    }

    proptest! {
        #[test]
        fn narrower_limits_permit_nothing_more(
            larger in limits(), smaller in limits(), before in lies(), after in lies(),
        ) {
            let (before, after) = (placed(&before), placed(&after));
            if larger.include(&smaller) {
                prop_assert!(!smaller.see(&before) || larger.see(&before));
                let is_permitted = |limits| permit(limits, &before, &after).is_ok();
                prop_assert!(!is_permitted(&smaller) || is_permitted(&larger));
            }
        }

        #[test]
        fn whoever_makes_something_sees_it(limits in limits(), after in lies()) {
            let after = placed(&after);
            prop_assert_eq!(permit(&limits, &Placed::Nowhere, &after).is_ok(), limits.see(&after));
        }

        #[test]
        fn limits_include_themselves_and_are_included_by_none(limits in limits()) {
            prop_assert!(limits.include(&limits) && Limits::default().include(&limits));
            prop_assert!(!limits.include(&Limits::default()) || limits.are_none());
        }

        #[test]
        fn limits_are_read_as_they_were_written(limits in limits()) {
            let json = serde_json::to_string(&limits).unwrap();
            prop_assert_eq!(serde_json::from_str::<Limits>(&json).unwrap(), limits);
        }
    }

    #[test]
    fn each_limit_lets_through_what_lies_within_it_and_nothing_else() {
        let here = || (Some(location("North")), resources(), category("Café"), clients()[0]);
        let lies = |(location, resources, category, client): (_, Vec<ResourceId>, _, _)| {
            let resources = ResourceIds::try_from(resources).unwrap();
            (location, resources, category, client)
        };
        let none = Limits::default;
        let elsewhere = [
            (
                Limits { locations: Some(vec![location("North")].try_into().unwrap()), ..none() },
                vec![
                    (Some(location("north")), here().1, here().2, here().3),
                    (None, here().1, here().2, here().3),
                ],
            ),
            (
                Limits {
                    resource_ids: Some(resources()[..1].to_vec().try_into().unwrap()),
                    ..none()
                },
                vec![(here().0, resources()[1..].to_vec(), here().2, here().3)],
            ),
            (
                Limits { categories: Some(vec![category("CAFE")].try_into().unwrap()), ..none() },
                vec![(here().0, here().1, category("other"), here().3)],
            ),
            (
                Limits { client_id: Some(clients()[0]), ..none() },
                vec![(here().0, here().1, here().2, clients()[1])],
            ),
        ];
        for (limits, elsewhere) in elsewhere {
            assert!(limits.see(&placed(&lies(here()))), "{limits:?}");
            for there in elsewhere {
                let there = lies(there);
                assert!(!limits.see(&placed(&there)), "{limits:?} {there:?}");
                assert!(permit(&limits, &placed(&lies(here())), &placed(&there)).is_err());
            }
        }
    }

    #[test]
    fn what_is_of_the_whole_tenant_is_theirs_alone_who_are_not_limited() {
        let limited = Limits { client_id: Some(clients()[0]), ..Limits::default() };
        assert!(Limits::default().see(&Placed::Whole) && !limited.see(&Placed::Whole));
        assert!(permit(&limited, &Placed::Nowhere, &Placed::Whole).is_err());
        assert!(permit(&Limits::default(), &Placed::Nowhere, &Placed::Whole).is_ok());
    }

    #[test]
    fn a_limit_that_is_not_known_or_of_nothing_is_not_read() {
        for json in [r#"{"floors":["1"]}"#, r#"{"locations":[]}"#, "[]"] {
            assert!(serde_json::from_str::<Limits>(json).is_err(), "{json}");
        }
    }
}
