//! The resources that a service needs, by role, and how they are chosen.

use serde::{Deserialize, Serialize};

use crate::resource::{ResourceKind, ResourceProfile};
use crate::{ResourceId, ResourceIds, RoleName, Tags};

/// Roles that are no valid needs of a service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NeedsError {
    /// A role takes at least one resource, and all roles together no more than an appointment can.
    #[error("the roles of a service take 1 to {} resources each, and together", ResourceIds::MAX)]
    Count,
    /// Two roles have the same name.
    #[error("two roles are called {0}")]
    SameName(RoleName),
    /// A role lists too many resources, or one of them twice.
    #[error("a role is filled from among at most {} different resources", Role::MAX_AMONG)]
    Among,
}

/// What a service needs a resource for, and which resources will do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// What it is called: "practitioner".
    #[serde(rename = "role")]
    pub name: RoleName,
    /// Only resources of this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ResourceKind>,
    /// Only resources that have all of these tags.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
    /// Only these, in the order in which they are preferred. None at all: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub among: Vec<ResourceId>,
    /// How many different resources fill it.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub count: u8,
}

const fn one() -> u8 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
const fn is_one(count: &u8) -> bool {
    *count == 1
}

impl Role {
    /// How many resources one role can list.
    pub const MAX_AMONG: usize = 100;

    /// Whether this resource can fill it.
    #[must_use]
    pub fn fits(&self, id: ResourceId, profile: &ResourceProfile) -> bool {
        self.kind.is_none_or(|kind| kind == profile.kind)
            && (self.among.is_empty() || self.among.contains(&id))
            && self.tags.iter().all(|tag| profile.tags.contains(tag))
    }
}

/// The roles that a service needs filled. None at all: the booking names the resources.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "Vec<Role>", into = "Vec<Role>")]
pub struct Roles(Vec<Role>);

impl Roles {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each role as often as resources fill it, in their order.
    pub fn places(&self) -> impl Iterator<Item = &Role> {
        self.0.iter().flat_map(|role| std::iter::repeat_n(role, role.count.into()))
    }
}

impl TryFrom<Vec<Role>> for Roles {
    type Error = NeedsError;

    fn try_from(roles: Vec<Role>) -> Result<Self, NeedsError> {
        let total: usize = roles.iter().map(|role| usize::from(role.count)).sum();
        if total > ResourceIds::MAX || roles.iter().any(|role| role.count == 0) {
            return Err(NeedsError::Count);
        }
        for (n, role) in roles.iter().enumerate() {
            if roles[..n].iter().any(|earlier| earlier.name == role.name) {
                return Err(NeedsError::SameName(role.name.clone()));
            }
            let among = &role.among;
            let distinct = among.iter().enumerate().all(|(n, id)| !among[..n].contains(id));
            if among.len() > Role::MAX_AMONG || !distinct {
                return Err(NeedsError::Among);
            }
        }
        Ok(Self(roles))
    }
}

impl From<Roles> for Vec<Role> {
    fn from(roles: Roles) -> Self {
        roles.0
    }
}

/// Which of the resources that would do is chosen, where a booking does not name one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Choose {
    /// The first that is free, in the role's order, or else by name.
    #[default]
    FirstFree,
    /// The one of which the fewest minutes are claimed on the local days up to that one, as many as the tenant's
    /// [`LeastBookedDays`](crate::LeastBookedDays); of equals the one that longest ago was given one of them.
    LeastBooked,
    /// The one that longest ago was given an appointment for that local day.
    RoundRobin,
}

impl Choose {
    /// Whether it is the one that is meant where nothing is said.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{profile, resource, tags};

    fn roles(json: &str) -> Result<Roles, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn a_role_is_filled_by_what_is_of_its_kind_has_its_tags_and_is_listed() {
        let role = |json: &str| serde_json::from_str::<Role>(json).unwrap();
        let room = ResourceProfile { tags: tags(&["quiet", "x-ray"]), ..profile() };
        let one = resource(1);
        for fitting in [
            r#"{"role":"room"}"#,
            r#"{"role":"room","kind":"room","tags":["x-ray"]}"#,
            r#"{"role":"room","among":["00000000-0000-0000-0000-000000000001"]}"#,
        ] {
            assert!(role(fitting).fits(one, &room), "{fitting}");
        }
        for unfit in [
            r#"{"role":"doctor","kind":"staff"}"#,
            r#"{"role":"room","tags":["x-ray","lead"]}"#,
            r#"{"role":"room","among":["00000000-0000-0000-0000-000000000002"]}"#,
        ] {
            assert!(!role(unfit).fits(one, &room), "{unfit}");
        }
    }

    #[test]
    fn needs_are_bounded_and_their_roles_have_names_of_their_own() {
        let needs = roles(r#"[{"role":"nurse","count":2},{"role":"room"}]"#).unwrap();
        let places: Vec<&str> = needs.places().map(|role| role.name.as_str()).collect();
        assert_eq!(places, ["nurse", "nurse", "room"]);
        for bad in [
            r#"[{"role":"nurse","count":0}]"#,
            r#"[{"role":"nurse","count":17}]"#,
            r#"[{"role":"nurse","count":16},{"role":"room"}]"#,
            r#"[{"role":"nurse"},{"role":"nurse"}]"#,
            r#"[{"role":""}]"#,
            r#"[{"role":"nurse","colour":"blue"}]"#,
            r#"[{"role":"nurse","among":["00000000-0000-0000-0000-000000000001",
                                         "00000000-0000-0000-0000-000000000001"]}]"#,
        ] {
            assert!(roles(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn needs_are_written_as_briefly_as_they_were_said() {
        let json = r#"[{"role":"practitioner","kind":"staff"},{"role":"room","count":2}]"#;
        assert_eq!(serde_json::to_string(&roles(json).unwrap()).unwrap(), json);
    }
}
