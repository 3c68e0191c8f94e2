//! An entry of the audit log: who did or was told what, of whom.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, SubsecRound as _, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuditKind {
    /// A request was told what is personal.
    PersonalDataRead,
    /// The log was exported or followed with what is personal.
    PersonalDataExported,
    /// A key was not good for what it was used for.
    Refused,
    KeyMade,
    KeyRotated,
    KeyRevoked,
    /// What somebody may was changed in another way.
    RightsChanged,
    ErasureBegun,
    ErasureEnded,
    /// What is known of somebody is only kept from then on.
    Restricted,
    RestrictionLifted,
    /// Somebody must not be erased from then on.
    LegalHoldPlaced,
    LegalHoldReleased,
    SettingsChanged,
    TenantSuspended,
    TenantResumed,
    TenantDeleted,
    MasterKeyAdded,
    MasterKeysRotated,
    MasterKeyRetired,
    /// What was in clear in a log is sealed.
    LogSealed,
    /// The audit log itself was read.
    AuditRead,
    AuditExported,
    /// Something that this version does not know.
    #[serde(other)]
    Other,
}

impl AuditKind {
    pub const ALL: [Self; 23] = [
        Self::PersonalDataRead,
        Self::PersonalDataExported,
        Self::Refused,
        Self::KeyMade,
        Self::KeyRotated,
        Self::KeyRevoked,
        Self::RightsChanged,
        Self::ErasureBegun,
        Self::ErasureEnded,
        Self::Restricted,
        Self::RestrictionLifted,
        Self::LegalHoldPlaced,
        Self::LegalHoldReleased,
        Self::SettingsChanged,
        Self::TenantSuspended,
        Self::TenantResumed,
        Self::TenantDeleted,
        Self::MasterKeyAdded,
        Self::MasterKeysRotated,
        Self::MasterKeyRetired,
        Self::LogSealed,
        Self::AuditRead,
        Self::AuditExported,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PersonalDataRead => "personal-data-read",
            Self::PersonalDataExported => "personal-data-exported",
            Self::Refused => "refused",
            Self::KeyMade => "key-made",
            Self::KeyRotated => "key-rotated",
            Self::KeyRevoked => "key-revoked",
            Self::RightsChanged => "rights-changed",
            Self::ErasureBegun => "erasure-begun",
            Self::ErasureEnded => "erasure-ended",
            Self::Restricted => "restricted",
            Self::RestrictionLifted => "restriction-lifted",
            Self::LegalHoldPlaced => "legal-hold-placed",
            Self::LegalHoldReleased => "legal-hold-released",
            Self::SettingsChanged => "settings-changed",
            Self::TenantSuspended => "tenant-suspended",
            Self::TenantResumed => "tenant-resumed",
            Self::TenantDeleted => "tenant-deleted",
            Self::MasterKeyAdded => "master-key-added",
            Self::MasterKeysRotated => "master-keys-rotated",
            Self::MasterKeyRetired => "master-key-retired",
            Self::LogSealed => "log-sealed",
            Self::AuditRead => "audit-read",
            Self::AuditExported => "audit-exported",
            Self::Other => "other",
        }
    }
}

daybook_domain::words!(AuditKind, "kind of entry", UnknownAuditKind);

/// Why somebody asks for what is personal: a word of theirs. A name or a sentence is none, so that nobody's data comes into
/// the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Purpose(String);

impl Purpose {
    /// How long it can be.
    pub const MAX_BYTES: usize = 64;

    /// What it looks like.
    pub const PATTERN: &str = "^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$";

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that is no purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a purpose is a word of 1 to 64 small letters, digits and hyphens between them")]
pub struct InvalidPurpose;

impl FromStr for Purpose {
    type Err = InvalidPurpose;

    fn from_str(text: &str) -> Result<Self, InvalidPurpose> {
        let is_of_it =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let fits = (1..=Self::MAX_BYTES).contains(&text.len())
            && text.bytes().all(is_of_it)
            && !text.starts_with('-')
            && !text.ends_with('-');
        if fits { Ok(Self(text.to_owned())) } else { Err(InvalidPurpose) }
    }
}

impl TryFrom<String> for Purpose {
    type Error = InvalidPurpose;

    fn try_from(text: String) -> Result<Self, InvalidPurpose> {
        text.parse()
    }
}

impl From<Purpose> for String {
    fn from(Purpose(text): Purpose) -> Self {
        text
    }
}

/// Who did or was told what. It has ids and names of members, and nothing of their content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// To the microsecond.
    pub at: DateTime<Utc>,
    /// As the log has it: `key:…`, or a part of daybook.
    pub actor: String,
    pub kind: AuditKind,
    /// Of whom: clients and others of whom something personal is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<Uuid>,
    /// Of how many more, where they are too many to be named.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more_subjects: u64,
    /// Of everybody of whom there is something in what was told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all_subjects: bool,
    /// Which members.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub fields: BTreeSet<String>,
    /// What it was done to, where that is nobody: the id of a key, the name of a tenant; of what was refused, why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// By which route, as the API's document calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// What was asked for, as a keyed hash: the same for the same question of the tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// What it belongs together with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Uuid>,
    /// The trace that it is part of (W3C Trace Context).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Purpose>,
    /// How often, where the same happened several times in a moment.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub times: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
const fn is_once(times: &u64) -> bool {
    *times == 1
}

const fn once() -> u64 {
    1
}

impl AuditEntry {
    /// How many are named.
    pub const MAX_SUBJECTS: usize = 1_000;

    /// That this was done, by nobody's request.
    #[must_use]
    pub fn new(at: DateTime<Utc>, actor: impl Into<String>, kind: AuditKind) -> Self {
        Self {
            at: at.trunc_subsecs(6),
            actor: actor.into(),
            kind,
            subjects: Vec::new(),
            more_subjects: 0,
            all_subjects: false,
            fields: BTreeSet::new(),
            object: None,
            route: None,
            query: None,
            request_id: None,
            trace_id: None,
            purpose: None,
            times: 1,
        }
    }

    /// The same, done to this.
    #[must_use]
    pub fn to(self, object: impl fmt::Display) -> Self {
        Self { object: Some(object.to_string()), ..self }
    }

    /// The same, about this person.
    #[must_use]
    pub fn about(self, subject: Uuid) -> Self {
        Self { subjects: vec![subject], ..self }
    }

    /// The same, about these, of whom as many are named as there is room for.
    #[must_use]
    pub fn about_all(self, subjects: impl IntoIterator<Item = Uuid>) -> Self {
        let mut all = subjects.into_iter();
        let subjects = all.by_ref().take(Self::MAX_SUBJECTS).collect();
        Self { subjects, more_subjects: all.count() as u64, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::noon;

    #[test]
    fn every_kind_is_read_as_it_is_written_and_a_later_one_is_another() {
        for kind in AuditKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        let later: AuditKind = serde_json::from_str(r#""of-a-later-version""#).unwrap();
        assert_eq!(later, AuditKind::Other);
    }

    #[test]
    fn a_purpose_is_a_word_and_neither_a_name_nor_an_address() {
        for good in ["treatment", "ticket-4711", "a"] {
            assert!(good.parse::<Purpose>().is_ok(), "{good}");
        }
        let long = "a".repeat(65);
        for bad in ["", "Ada Lovelace", "a@b.example", "-", "a-", "call back", "+47", &long] {
            assert_eq!(bad.parse::<Purpose>(), Err(InvalidPurpose), "{bad}");
        }
    }

    #[test]
    fn no_more_subjects_are_named_than_there_is_room_for() {
        let all = (0..1_500).map(Uuid::from_u128);
        let entry = AuditEntry::new(noon(), "key:1", AuditKind::PersonalDataRead).about_all(all);
        assert_eq!((entry.subjects.len(), entry.more_subjects), (1_000, 500));
        let read: AuditEntry =
            serde_json::from_str(&serde_json::to_string(&entry).unwrap()).unwrap();
        assert_eq!(read, entry);
    }
}
