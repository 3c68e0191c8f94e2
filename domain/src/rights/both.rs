//! What somebody is limited to who is limited in two ways.

use super::{Few, Limits};
use crate::folded;

impl Limits {
    /// What lies within both. `None`: nothing does.
    #[must_use]
    pub fn both(&self, other: &Self) -> Option<Self> {
        let is_alike = |one: &crate::Category, few: &Few<crate::Category>| {
            few.iter().any(|it| folded(it.as_str()) == folded(one.as_str()))
        };
        let Self { locations, resource_ids, categories, .. } = self;
        let (at, of) = (other.locations.as_ref(), other.categories.as_ref());
        let has = other.resource_ids.as_ref();
        Some(Self {
            locations: of_both(locations.as_ref(), at, |one, few| few.contains(one))?,
            resource_ids: of_both(resource_ids.as_ref(), has, |one, few| few.contains(one))?,
            categories: of_both(categories.as_ref(), of, is_alike)?,
            client_id: of_one(self.client_id, other.client_id)?,
            appointment_id: of_one(self.appointment_id, other.appointment_id)?,
        })
    }
}

/// `None`: they have none in common; `Some(None)`: neither names any.
#[expect(
    clippy::option_option,
    reason = "what is not named is no limit, and no name in common admits nothing"
)]
fn of_both<T: Ord + Clone>(
    one: Option<&Few<T>>,
    other: Option<&Few<T>>,
    is_among: impl Fn(&T, &Few<T>) -> bool,
) -> Option<Option<Few<T>>> {
    let (Some(few), Some(others)) = (one, other) else {
        return Some(one.or(other).cloned());
    };
    let common: Vec<T> = few.iter().filter(|it| is_among(it, others)).cloned().collect();
    Few::try_from(common).ok().map(Some)
}

/// The same, where one alone can be named.
#[expect(
    clippy::option_option,
    reason = "what is not named is no limit, and no name in common admits nothing"
)]
fn of_one<T: PartialEq>(one: Option<T>, other: Option<T>) -> Option<Option<T>> {
    match (one, other) {
        (Some(one), Some(other)) if one != other => None,
        (one, other) => Some(one.or(other)),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{Category, Location};

    fn at(names: &[&str]) -> Limits {
        let names: Vec<Location> = names.iter().map(|name| Location::new(name).unwrap()).collect();
        Limits { locations: Some(names.try_into().unwrap()), ..Limits::default() }
    }

    fn of(category: &str) -> Limits {
        let category = Category::new(category).unwrap();
        Limits { categories: Some(vec![category].try_into().unwrap()), ..Limits::default() }
    }

    fn client(id: u128) -> Limits {
        Limits { client_id: Some(Uuid::from_u128(id).into()), ..Limits::default() }
    }

    #[test]
    fn what_lies_within_both_lies_within_each() {
        let all = [
            Limits::default(),
            at(&["North"]),
            at(&["North", "South"]),
            at(&["South"]),
            of("Café"),
            of("CAFE"),
            of("other"),
            client(1),
            client(2),
        ];
        for one in &all {
            for other in &all {
                if let Some(both) = one.both(other) {
                    assert!(one.include(&both) && other.include(&both), "{one}, {other}: {both}");
                }
            }
            assert_eq!(one.both(one).as_ref(), Some(one));
            assert_eq!(one.both(&Limits::default()).as_ref(), Some(one), "no limits lift none");
        }
    }

    #[test]
    fn where_nothing_lies_within_both_there_are_no_such_limits() {
        assert_eq!(at(&["North"]).both(&at(&["South"])), None);
        assert_eq!(client(1).both(&client(2)), None);
        assert_eq!(of("a").both(&of("b")), None);
        assert_eq!(of("Café").both(&of("CAFE")), Some(of("Café")));
        let both = at(&["North"]).both(&of("a")).unwrap();
        assert!(both.locations.is_some() && both.categories.is_some());
    }
}
