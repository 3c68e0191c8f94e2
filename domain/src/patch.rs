//! Changes of some members of a thing: what a JSON merge patch (RFC 7396) says of each of them.
//!
//! What a patch does not name stays. `null` removes a member that need not be there, and gives back what holds
//! where nothing is said; a member that is always there can only be replaced. Objects are patched member by member,
//! lists are replaced.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A patch that cannot be applied to what is there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[error("{member}: {why}")]
pub struct PatchMisfit {
    /// The member that would be no longer valid.
    pub member: String,
    pub why: String,
}

impl PatchMisfit {
    pub(crate) fn new(member: &str, why: impl Into<String>) -> Self {
        Self { member: member.to_owned(), why: why.into() }
    }
}

/// What a patch says of a member of type `T`, or of all members of a `T`.
pub trait Patches<T> {
    /// Applies it.
    ///
    /// # Errors
    /// When what it says does not go together with what is there.
    fn patch(self, to: &mut T) -> Result<(), PatchMisfit>;
}

/// All that can be changed of a thing. It is written as it is read, so that two that mean the same are written the same.
pub trait Patch: Default + PartialEq + Serialize {
    /// The names of the members, and whether each can be removed.
    const MEMBERS: &'static [(&'static str, bool)];

    /// Whether it says nothing.
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What a patch can say of a member.
pub trait Member {
    /// Whether it can remove it.
    const REMOVES: bool;

    /// Whether it says nothing of it: then the patch does not name it.
    fn is_kept(&self) -> bool;
}

/// What a patch says of a member that is always there: nothing, or what it is from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replace<T>(pub Option<T>);

impl<T> Replace<T> {
    /// The same of something else that is made of it.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Replace<U> {
        Replace(self.0.map(make))
    }
}

impl<T> Default for Replace<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> From<T> for Replace<T> {
    fn from(value: T) -> Self {
        Self(Some(value))
    }
}

impl<T> Member for Replace<T> {
    const REMOVES: bool = false;

    fn is_kept(&self) -> bool {
        self.0.is_none()
    }
}

impl<T: Serialize> Serialize for Replace<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

impl<T> Patches<T> for Replace<T> {
    fn patch(self, to: &mut T) -> Result<(), PatchMisfit> {
        if let Some(value) = self.0 {
            *to = value;
        }
        Ok(())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Replace<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = Option::deserialize(from)?;
        let value = value.ok_or_else(|| serde::de::Error::custom("it cannot be removed"))?;
        Ok(Self(Some(value)))
    }
}

/// What a patch says of a member that need not be there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Change<T> {
    /// Nothing.
    #[default]
    Keep,
    /// That it goes.
    Remove,
    /// What it is from now on.
    To(T),
}

impl<T> From<Option<T>> for Change<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Remove, Self::To)
    }
}

impl<T> Member for Change<T> {
    const REMOVES: bool = true;

    fn is_kept(&self) -> bool {
        matches!(self, Self::Keep)
    }
}

impl<T: Serialize> Serialize for Change<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Keep | Self::Remove => to.serialize_none(),
            Self::To(value) => to.serialize_some(value),
        }
    }
}

impl<T> Patches<Option<T>> for Change<T> {
    fn patch(self, to: &mut Option<T>) -> Result<(), PatchMisfit> {
        match self {
            Self::Keep => {}
            Self::Remove => *to = None,
            Self::To(value) => *to = Some(value),
        }
        Ok(())
    }
}

impl<T: Default> Patches<T> for Change<T> {
    fn patch(self, to: &mut T) -> Result<(), PatchMisfit> {
        match self {
            Self::Keep => {}
            Self::Remove => *to = T::default(),
            Self::To(value) => *to = value,
        }
        Ok(())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Change<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Option::deserialize(from).map(Self::from)
    }
}

/// Declares a patch: which members of a thing can be changed, and how. It is the only place that says so: routes read it,
/// refuse every other member by its name, and describe it.
macro_rules! patch {
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $name:literal) => { $name };
    (
        $(#[$meta:meta])*
        $patch:ident of $whole:ty {
            $($(#[$attr:meta])* $field:ident $(as $name:literal)?: $member:ty),+ $(,)?
        }
    ) => {
        $crate::patch::patch! {
            $(#[$meta])*
            $patch { $($(#[$attr])* $field $(as $name)?: $member),+ }
        }

        impl $crate::patch::Patches<$whole> for $patch {
            fn patch(self, to: &mut $whole) -> Result<(), $crate::patch::PatchMisfit> {
                $($crate::patch::Patches::patch(self.$field, &mut to.$field)?;)+
                Ok(())
            }
        }
    };
    (
        $(#[$meta:meta])*
        $patch:ident {
            $($(#[$attr:meta])* $field:ident $(as $name:literal)?: $member:ty),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $patch {
            $(
                $(#[$attr])*
                $(#[serde(rename = $name)])?
                #[serde(skip_serializing_if = "crate::patch::Member::is_kept")]
                pub $field: $member
            ),+
        }

        impl $crate::patch::Patch for $patch {
            const MEMBERS: &'static [(&'static str, bool)] = &[$((
                $crate::patch::patch!(@name $field $($name)?),
                <$member as $crate::patch::Member>::REMOVES,
            )),+];
        }
    };
}
pub(crate) use patch;

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Eq)]
    struct Thing {
        name: String,
        colour: Option<String>,
        count: u32,
    }

    patch! {
        #[expect(unreachable_pub, reason = "what the domain declares is public")]
        ThingPatch of Thing {
            name: Replace<String>,
            colour: Change<String>,
            count as "how_many": Change<u32>,
        }
    }

    fn patched(patch: &str) -> Result<Thing, String> {
        let colour = Some("red".to_owned());
        let mut thing = Thing { name: "ball".to_owned(), colour, count: 3 };
        let patch: ThingPatch = serde_json::from_str(patch).map_err(|error| error.to_string())?;
        patch.patch(&mut thing).map_err(|error| error.to_string())?;
        Ok(thing)
    }

    #[test]
    fn what_is_left_out_stays_and_null_removes() {
        let thing = |name: &str, colour: Option<&str>, count| {
            Ok(Thing { name: name.to_owned(), colour: colour.map(str::to_owned), count })
        };
        assert_eq!(patched("{}"), thing("ball", Some("red"), 3));
        assert_eq!(patched(r#"{"name": "bat"}"#), thing("bat", Some("red"), 3));
        assert_eq!(patched(r#"{"colour": null}"#), thing("ball", None, 3));
        assert_eq!(patched(r#"{"colour": "blue"}"#), thing("ball", Some("blue"), 3));
        assert_eq!(patched(r#"{"how_many": null}"#), thing("ball", Some("red"), 0));
        assert_eq!(patched(r#"{"how_many": 7, "name": "bat"}"#), thing("bat", Some("red"), 7));
    }

    #[test]
    fn a_patch_is_written_as_what_it_means() {
        let written = |patch: &str| {
            serde_json::to_string(&serde_json::from_str::<ThingPatch>(patch).unwrap()).unwrap()
        };
        assert_eq!(
            written(r#"{ "how_many": null, "name": "bat" }"#),
            r#"{"name":"bat","how_many":null}"#
        );
        assert_eq!(written("{}"), "{}");
    }

    #[test]
    fn what_is_always_there_is_not_removed_and_nothing_else_is_known() {
        assert!(patched(r#"{"name": null}"#).unwrap_err().contains("it cannot be removed"));
        let unknown = patched(r#"{"size": 1}"#).unwrap_err();
        assert!(unknown.contains("`size`") && unknown.contains("`how_many`"), "{unknown}");
        assert_eq!(ThingPatch::MEMBERS, [("name", false), ("colour", true), ("how_many", true)]);
    }
}
