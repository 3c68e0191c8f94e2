//! A caller's own id of a thing as a claim: no two things of a kind have the same, under any race.
//!
//! It is held beside the time that the thing claims, under another name: either changes by itself, and an event says
//! only what becomes of the one that it is about.

use uuid::Uuid;

use super::{Claim, Claimed};
use crate::time::Interval;
use crate::{AppointmentId, Personal, Reference};

/// The namespace of references (UUIDv5, RFC 9562 section 5.5). Claims that are there are made of it: it never changes.
const NAMESPACE: Uuid = Uuid::from_u128(0x2f0d_5a7b_91c4_4e0e_8a6b_7d13_58e2_c9a4);

/// The place of a reference: none that a resource has.
const SEAT: u16 = u16::MAX;

/// Which bit of a thing's id is another in the name that its reference is held by: the first of the UUID's version.
const BIT: u128 = 1 << 79;

/// By which name something holds its reference.
#[must_use]
pub fn holder(id: Uuid) -> AppointmentId {
    Uuid::from_u128(id.as_u128() ^ BIT).into()
}

/// A reference of which no two things of a kind may have the same.
pub(crate) trait Unique {
    /// What stands for it among those of this kind, if it has one.
    fn place(&self, kind: &str) -> Option<Uuid>;
}

impl Unique for Reference {
    fn place(&self, kind: &str) -> Option<Uuid> {
        let name = format!("{kind}\n{}", self.as_str());
        Some(Uuid::new_v5(&NAMESPACE, name.as_bytes()))
    }
}

/// Where it is sealed, its token does, which is of the kind.
impl Unique for Personal<Reference> {
    fn place(&self, kind: &str) -> Option<Uuid> {
        self.reveal().map_or_else(|| self.token(), |reference| reference.place(kind))
    }
}

/// What something of a kind claims that is made with this reference. `None`: nothing.
pub(crate) fn first<R: Unique>(kind: &str, reference: Option<&R>) -> Option<Vec<Claim>> {
    let place = reference?.place(kind)?;
    Some(vec![Claim {
        resource: place.into(),
        seat: SEAT,
        during: Interval::always(),
        expires_at: None,
    }])
}

/// What it claims as its reference when this is the one that it has from now on.
pub(crate) fn changed<R: Unique>(kind: &str, reference: Option<&R>) -> Vec<Claim> {
    first(kind, reference).unwrap_or_default()
}

/// Which thing has the reference, where it is one that is claimed.
pub(super) fn thing(Claimed { claim, holder: by }: &Claimed) -> Option<Uuid> {
    (claim.seat == SEAT).then(|| holder(by.uuid()).uuid())
}
