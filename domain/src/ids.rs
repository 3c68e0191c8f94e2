//! A type per identity, so that a client's id can never be passed where a resource's is meant.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A text that is no id of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// A tenant's name is 1 to 63 of `a-z`, `0-9` and `-`, and starts with a letter or digit.
    #[error("a tenant's name is 1 to 63 lower-case letters, digits and hyphens, got {0:?}")]
    Tenant(String),
    /// Every other id is a UUID.
    #[error("not a UUID: {0:?}")]
    NotUuid(String),
}

/// A tenant: one log, one set of keys, no view of any other tenant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TenantId(String);

impl TenantId {
    /// The name as text; it is safe in URLs and in stream ids (it holds no `/`).
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TenantId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let fits =
            (1..=63).contains(&text.len()) && !text.starts_with('-') && text.bytes().all(allowed);
        if fits { Ok(Self(text.to_owned())) } else { Err(IdError::Tenant(text.to_owned())) }
    }
}

impl TryFrom<String> for TenantId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<TenantId> for String {
    fn from(tenant: TenantId) -> Self {
        tenant.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// The UUID itself.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Uuid::parse_str(text).map(Self).map_err(|_| IdError::NotUuid(text.to_owned()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

uuid_id!(
    /// Something that can be booked.
    ServiceId
);
uuid_id!(
    /// Someone or something that provides a service.
    ResourceId
);
uuid_id!(
    /// A person who books.
    ClientId
);
uuid_id!(
    /// One appointment, from its hold or booking to its end.
    AppointmentId
);
impl AppointmentId {
    /// What calendars know it by, wherever it is told (UID, RFC 7986 section 5.3): it depends on nothing that a tenant or an
    /// operator can change.
    #[must_use]
    pub fn calendar_uid(self) -> String {
        self.0.to_string()
    }
}

uuid_id!(
    /// One session of a service that several clients share.
    SessionId
);

impl SessionId {
    /// What its numbered places are claimed of.
    #[must_use]
    pub const fn places(self) -> ResourceId {
        ResourceId(self.0)
    }
}

uuid_id!(
    /// Appointments that were booked together by a rule of recurrence.
    SeriesId
);

uuid_id!(
    /// An entry of the waiting list.
    WaitingEntryId
);

uuid_id!(
    /// What the client of an appointment is told of it.
    NoticeId
);

impl NoticeId {
    /// What ids of notices are made in.
    const NAMESPACE: Uuid = Uuid::from_u128(0x1f0c_93a5_6b0e_4d7e_8a41_c2d5_90be_3f71);

    /// The one of an appointment: the same whoever works it out, so that there is one.
    #[must_use]
    pub fn of(appointment: AppointmentId) -> Self {
        Self(Uuid::new_v5(&Self::NAMESPACE, appointment.0.as_bytes()))
    }
}

uuid_id!(
    /// A reminder of one start of an appointment, by one rule.
    ReminderId
);

uuid_id!(
    /// Extra hours or time off of a resource.
    ExceptionId
);
uuid_id!(
    /// A public holiday.
    HolidayId
);

impl HolidayId {
    /// The namespace of ids made from names (UUIDv5, RFC 9562 section 5.5).
    const NAMESPACE: Uuid = Uuid::from_u128(0x61d5_0b6e_7c0f_4c0e_8a50_3d7f_42b9_e1a4);

    /// The holiday that its source calls `name`: the same name is the same holiday, everywhere.
    #[must_use]
    pub fn of(name: &str) -> Self {
        Self(Uuid::new_v5(&Self::NAMESPACE, name.as_bytes()))
    }
}

/// A list of resources that is no valid choice for one appointment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an appointment has 1 to {} different resources", ResourceIds::MAX)]
pub struct InvalidResources;

/// The resources of one appointment: 1 to [`ResourceIds::MAX`], each once, in the order given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "Vec<ResourceId>", into = "Vec<ResourceId>")]
pub struct ResourceIds(Vec<ResourceId>);

impl ResourceIds {
    /// How many resources one appointment can claim.
    pub const MAX: usize = 16;

    /// The ids, in the order given.
    pub fn iter(&self) -> impl Iterator<Item = ResourceId> + '_ {
        self.0.iter().copied()
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The ids as a slice.
    #[must_use]
    pub fn as_slice(&self) -> &[ResourceId] {
        &self.0
    }
}

impl TryFrom<Vec<ResourceId>> for ResourceIds {
    type Error = InvalidResources;

    fn try_from(ids: Vec<ResourceId>) -> Result<Self, InvalidResources> {
        let distinct = ids.iter().enumerate().all(|(at, id)| !ids[..at].contains(id));
        if (1..=Self::MAX).contains(&ids.len()) && distinct {
            Ok(Self(ids))
        } else {
            Err(InvalidResources)
        }
    }
}

impl From<ResourceIds> for Vec<ResourceId> {
    fn from(ids: ResourceIds) -> Self {
        ids.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_is_a_short_lower_case_name() {
        assert!("conf".parse::<TenantId>().is_ok());
        assert!("north-clinic-2".parse::<TenantId>().is_ok());
        for bad in ["", "-a", "A", "a/b", "a b", "å", &"a".repeat(64)] {
            assert!(bad.parse::<TenantId>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_appointment_names_each_resource_once() {
        let one = ResourceId::from(Uuid::from_u128(1));
        let two = ResourceId::from(Uuid::from_u128(2));
        assert!(ResourceIds::try_from(vec![one, two]).is_ok());
        assert_eq!(ResourceIds::try_from(vec![]), Err(InvalidResources));
        assert_eq!(ResourceIds::try_from(vec![one, two, one]), Err(InvalidResources));
    }
}
