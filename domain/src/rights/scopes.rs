//! What whoever calls may do at all: a set of scopes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Something that one can be good for. None includes another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// See what can be booked, and when.
    Availability,
    /// See what is booked.
    Appointments,
    /// See figures, and the log without what is personal.
    Analytics,
    /// Be told who clients are, and what is noted about them.
    Personal,
    /// Make and change appointments, register clients.
    Book,
    /// Say what can be booked: services, resources, sessions, imports.
    Manage,
    /// Be told all that is personal at once: in the log and in exports.
    Privacy,
    /// Give keys and take them away.
    Keys,
    /// See who did and was told what: the audit log.
    Audit,
}

impl Scope {
    pub const ALL: [Self; 9] = [
        Self::Availability,
        Self::Appointments,
        Self::Analytics,
        Self::Personal,
        Self::Book,
        Self::Manage,
        Self::Privacy,
        Self::Keys,
        Self::Audit,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Availability => "availability",
            Self::Appointments => "appointments",
            Self::Analytics => "analytics",
            Self::Personal => "personal",
            Self::Book => "book",
            Self::Manage => "manage",
            Self::Privacy => "privacy",
            Self::Keys => "keys",
            Self::Audit => "audit",
        }
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

crate::words!(Scope, "scope", UnknownScope);

/// A set of scopes; written as a list of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Vec<Scope>", into = "Vec<Scope>")]
pub struct Scopes(u16);

impl From<Vec<Scope>> for Scopes {
    fn from(scopes: Vec<Scope>) -> Self {
        scopes.into_iter().collect()
    }
}

impl From<Scopes> for Vec<Scope> {
    fn from(scopes: Scopes) -> Self {
        scopes.iter().collect()
    }
}

impl Scopes {
    pub const ALL: Self = Self::of(&Scope::ALL);

    #[must_use]
    pub const fn of(scopes: &[Scope]) -> Self {
        let (mut bits, mut next) = (0, 0);
        while next < scopes.len() {
            bits |= scopes[next].bit();
            next += 1;
        }
        Self(bits)
    }

    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    #[must_use]
    pub const fn include(self, other: Self) -> bool {
        other.without(self).is_empty()
    }

    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.0 & scope.bit() != 0)
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        scopes.into_iter().fold(Self::default(), |all, scope| all.and(Self::of(&[scope])))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.iter().enumerate() {
            let between = if index == 0 { "" } else { "," };
            write!(f, "{between}{scope}")?;
        }
        Ok(())
    }
}

/// A set with a name: what keys were good for when they had one scope of four, and are still good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScopeSet {
    Read,
    Book,
    Manage,
    Admin,
}

impl ScopeSet {
    /// Smallest first: each includes those before it.
    pub const ALL: [Self; 4] = [Self::Read, Self::Book, Self::Manage, Self::Admin];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Book => "book",
            Self::Manage => "manage",
            Self::Admin => "admin",
        }
    }

    #[must_use]
    pub const fn scopes(self) -> Scopes {
        let read = [Scope::Availability, Scope::Appointments, Scope::Analytics, Scope::Personal];
        match self {
            Self::Read => Scopes::of(&read),
            Self::Book => Self::Read.scopes().and(Scopes::of(&[Scope::Book])),
            Self::Manage => Self::Book.scopes().and(Scopes::of(&[Scope::Manage])),
            Self::Admin => Scopes::ALL,
        }
    }

    /// The smallest that includes these.
    #[must_use]
    pub fn with(scopes: Scopes) -> Self {
        let has_all = |set: &Self| set.scopes().include(scopes);
        Self::ALL.into_iter().find(has_all).unwrap_or(Self::Admin)
    }
}

crate::words!(ScopeSet, "set of scopes", UnknownScopeSet);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_was_put_in_and_nothing_else() {
        for scope in Scope::ALL {
            assert_eq!(scope.as_str().parse(), Ok(scope));
            let one = Scopes::of(&[scope]);
            assert_eq!(one.iter().collect::<Vec<_>>(), [scope]);
            assert!(Scopes::ALL.include(one) && !Scopes::ALL.without(one).include(one));
        }
        let two: Scopes = [Scope::Keys, Scope::Book].into_iter().collect();
        assert_eq!(two.to_string(), "book,keys");
        assert_eq!(Scope::ALL.into_iter().collect::<Scopes>(), Scopes::ALL);
    }

    #[test]
    fn a_named_set_includes_those_before_it() {
        for (smaller, larger) in ScopeSet::ALL.iter().zip(&ScopeSet::ALL[1..]) {
            assert!(larger.scopes().include(smaller.scopes()));
            assert!(!smaller.scopes().include(larger.scopes()));
        }
        for set in ScopeSet::ALL {
            assert_eq!(set.as_str().parse(), Ok(set));
            assert_eq!(ScopeSet::with(set.scopes()), set);
        }
    }
}
