//! What happens to clients.

use cqrs_es::Aggregate as _;
use serde::{Deserialize, Serialize};

use super::{Client, Reminding};
use crate::claim::{Claim, Claims, reference};
use crate::patch::{Change, Replace, patch};
use crate::personal::{stored, stored_option};
use crate::{Email, Language, Metadata, MetadataPatch, Name, Note, Personal, Phone, Reference};

/// How a client is called and reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Contact {
    /// What they are called.
    #[serde(deserialize_with = "stored")]
    pub name: Personal<Name>,
    /// Where mail reaches them.
    #[serde(default, deserialize_with = "stored_option", skip_serializing_if = "Option::is_none")]
    pub email: Option<Personal<Email>>,
    /// Where a call or a text message reaches them.
    #[serde(default, deserialize_with = "stored_option", skip_serializing_if = "Option::is_none")]
    pub phone: Option<Personal<Phone>>,
    /// In which language they are written to.
    #[serde(default, deserialize_with = "stored_option", skip_serializing_if = "Option::is_none")]
    pub language: Option<Personal<Language>>,
    /// Whether they are reminded of appointments.
    #[serde(default, skip_serializing_if = "Reminding::is_by_rule")]
    pub reminders: Reminding,
    /// What the front desk should know.
    #[serde(default, deserialize_with = "stored_option", skip_serializing_if = "Option::is_none")]
    pub notes: Option<Personal<Note>>,
    /// What the caller's own system calls them: whoever has that system knows who it is.
    #[serde(default, deserialize_with = "stored_option", skip_serializing_if = "Option::is_none")]
    pub reference: Option<Personal<Reference>>,
    /// What the caller keeps with them: what is kept of a person is about that person.
    #[serde(default, deserialize_with = "stored", skip_serializing_if = "Metadata::is_none")]
    pub metadata: Personal<Metadata>,
}

impl Contact {
    /// Somebody of whom nothing is known any more.
    #[must_use]
    pub fn erased() -> Self {
        Self {
            name: Personal::Erased,
            email: None,
            phone: None,
            language: None,
            reminders: Reminding::default(),
            notes: None,
            reference: None,
            metadata: Personal::default(),
        }
    }

    /// Somebody of whom only this is known.
    #[must_use]
    pub fn named(name: Name) -> Self {
        Self {
            name: Personal::new(name),
            email: None,
            phone: None,
            language: None,
            reminders: Reminding::default(),
            notes: None,
            reference: None,
            metadata: Personal::default(),
        }
    }
}

patch! {
    /// What changes of how a client is called and reached.
    ContactPatch of Contact {
        name: Replace<Personal<Name>>,
        email: Change<Personal<Email>>,
        phone: Change<Personal<Phone>>,
        language: Change<Personal<Language>>,
        reminders: Change<Reminding>,
        notes: Change<Personal<Note>>,
        reference: Change<Personal<Reference>>,
        metadata: Change<Personal<MetadataPatch>>,
    }
}

/// A client was registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ClientRegistered {
    /// How they are called and reached.
    #[serde(flatten)]
    pub contact: Contact,
}

/// A client is called or reached differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ClientContactChanged {
    /// How they are called and reached from now on.
    #[serde(flatten)]
    pub contact: Contact,
}

/// Why a client is erased (GDPR, Art. 17(1)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ErasureReason {
    /// They asked for it.
    Requested,
    /// They have withdrawn their consent.
    ConsentWithdrawn,
    /// It is no longer needed.
    NoLongerNeeded,
    /// The law asks for it.
    LegalObligation,
    /// As long as the tenant keeps what it knows of its clients is over.
    Retention,
}

/// Why what is known of a client is only kept for now (GDPR, Art. 18(1)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum RestrictionReason {
    /// They say that it is wrong, and that is looked into.
    AccuracyContested,
    /// It should not be processed, and they do not want it erased.
    UnlawfulProcessing,
    /// It is of no use any more but to them, for a claim of theirs.
    NeededForClaims,
    /// They object to it, and that is looked into.
    ObjectionPending,
}

/// Why what is known of a client must not be erased (GDPR, Art. 17(3)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum LegalHoldReason {
    /// It is evidence in a dispute that is before a court, or may come there.
    LegalClaim,
    /// An authority asks for it.
    AuthorityRequest,
    /// The law says for how long it is kept.
    RetentionDuty,
    /// The provider looks into something themselves.
    InternalInvestigation,
}

/// A client is to be erased: from here on nothing of them is shown, and nothing is booked for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ClientErasureRequested {
    pub reason: ErasureReason,
}

/// What seals all that was known of them is destroyed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ClientErased {
    /// How many appointments that were still to come were cancelled for it.
    pub appointments_cancelled: u32,
}

/// What is known of a client is only kept from here on: it is told to few, and nothing is booked for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ClientRestricted {
    pub reason: RestrictionReason,
}

/// It is used again as before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ClientRestrictionLifted {}

/// A client must not be erased from here on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ClientLegalHoldPlaced {
    pub reason: LegalHoldReason,
}

/// They may be erased again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ClientLegalHoldReleased {}

/// Everything that happens to a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "type")]
pub enum ClientEvent {
    ClientRegistered(ClientRegistered),
    ClientContactChanged(ClientContactChanged),
    ClientErasureRequested(ClientErasureRequested),
    ClientErased(ClientErased),
    ClientRestricted(ClientRestricted),
    ClientRestrictionLifted(ClientRestrictionLifted),
    ClientLegalHoldPlaced(ClientLegalHoldPlaced),
    ClientLegalHoldReleased(ClientLegalHoldReleased),
}

crate::event_types!(ClientEvent:
    creating ClientRegistered;
    then ClientContactChanged, ClientErasureRequested, ClientErased, ClientRestricted,
        ClientRestrictionLifted, ClientLegalHoldPlaced, ClientLegalHoldReleased
);

impl Claims for ClientEvent {
    fn reference_after(&self) -> Option<Vec<Claim>> {
        match self {
            Self::ClientRegistered(registered) => {
                reference::first(Client::TYPE, registered.contact.reference.as_ref())
            }
            Self::ClientContactChanged(changed) => {
                Some(reference::changed(Client::TYPE, changed.contact.reference.as_ref()))
            }
            // Another may have it.
            Self::ClientErasureRequested(_) => Some(Vec::new()),
            Self::ClientErased(_)
            | Self::ClientRestricted(_)
            | Self::ClientRestrictionLifted(_)
            | Self::ClientLegalHoldPlaced(_)
            | Self::ClientLegalHoldReleased(_) => None,
        }
    }
}
