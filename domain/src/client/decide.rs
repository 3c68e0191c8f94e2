//! What may be done with a client.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Client, ClientContactChanged, ClientErased, ClientErasureRequested, ClientEvent,
    ClientLegalHoldPlaced, ClientLegalHoldReleased, ClientRecord, ClientRegistered,
    ClientRestricted, ClientRestrictionLifted, Contact, ContactPatch, ErasureReason,
    LegalHoldReason, RestrictionReason,
};
use crate::patch::{PatchMisfit, Patches as _};
use crate::rights::Placed;
use crate::{Decide, Facts, Meaning};

/// What can be asked of a client's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientCommand {
    /// Make them known.
    RegisterClient(Contact),
    /// Change some of their contact details.
    ChangeClientContact(ContactPatch),
    /// Forget them.
    EraseClient { reason: ErasureReason, upcoming: Upcoming },
    /// Note that what seals all that was known of them is destroyed.
    FinishErasure { appointments_cancelled: u32 },
    /// Only keep what is known of them.
    RestrictClient(RestrictionReason),
    /// Use it again as before.
    LiftRestriction,
    /// Do not erase them.
    PlaceLegalHold(LegalHoldReason),
    /// They may be erased again.
    ReleaseLegalHold,
}

/// What becomes of appointments that are still to come when their client is erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upcoming {
    /// They are cancelled.
    Cancel,
    /// There are so many: if there are any, the client is not erased.
    Keep(u32),
}

/// Why a client's command is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum ClientRefusal {
    /// There is no such client.
    #[error("there is no such client")]
    ClientNotFound,
    /// Nothing is known of them any more, and nothing can be.
    #[error("this client is erased")]
    ClientErased,
    /// They have something before them.
    #[error(
        "{count} appointments of this client are still to come: cancel them, or send `upcoming` as `cancel`"
    )]
    ClientHasAppointments {
        /// How many, at least.
        count: u32,
    },
    /// What is known of them is only kept.
    #[error(
        "what is known of this client is restricted: whoever has the scope `privacy` may lift that"
    )]
    ClientRestricted,
    /// They must not be erased.
    #[error(
        "this client is under legal hold: whoever has the scope `privacy` may release it, once nothing requires it"
    )]
    OnLegalHold,
    /// This id is taken.
    #[error("a client with this id exists already")]
    ClientExists,
    /// The change does not go together with what stays.
    #[error(transparent)]
    PatchMisfit(#[from] PatchMisfit),
}

impl ClientRefusal {
    pub(crate) const fn meaning(&self) -> Meaning {
        match self {
            Self::ClientNotFound => Meaning::NOT_FOUND,
            Self::ClientErased => Meaning::conflict("The client is erased"),
            Self::ClientHasAppointments { .. } => Meaning::conflict("The client has appointments"),
            Self::ClientRestricted => Meaning::conflict("The client is restricted"),
            Self::OnLegalHold => Meaning::conflict("The client is under legal hold"),
            Self::ClientExists => Meaning::EXISTS,
            Self::PatchMisfit(_) => Meaning::PATCH_MISFIT,
        }
    }
}

impl Decide for Client {
    fn decide(&self, command: ClientCommand, _facts: &Facts) -> Result<ClientEvent, ClientRefusal> {
        use ClientCommand::{
            ChangeClientContact, EraseClient, FinishErasure, LiftRestriction, PlaceLegalHold,
            RegisterClient, ReleaseLegalHold, RestrictClient,
        };
        match (self, command) {
            (Self::Registered(ClientRecord { legal_hold: Some(_), .. }), EraseClient { .. }) => {
                Err(ClientRefusal::OnLegalHold)
            }
            (Self::Registered(_), EraseClient { upcoming: Upcoming::Keep(count @ 1..), .. }) => {
                Err(ClientRefusal::ClientHasAppointments { count })
            }
            (Self::Registered(_), EraseClient { reason, .. }) => {
                Ok(ClientEvent::ClientErasureRequested(ClientErasureRequested { reason }))
            }
            (Self::Erased { finished: false }, FinishErasure { appointments_cancelled }) => {
                Ok(ClientEvent::ClientErased(ClientErased { appointments_cancelled }))
            }
            (Self::Erased { .. }, _) => Err(ClientRefusal::ClientErased),
            (Self::Unregistered, RegisterClient(contact)) => {
                Ok(ClientEvent::ClientRegistered(ClientRegistered { contact }))
            }
            // An erasure is requested before it is finished.
            (Self::Registered(_), RegisterClient(_) | FinishErasure { .. }) => {
                Err(ClientRefusal::ClientExists)
            }
            (
                Self::Registered(ClientRecord { restriction: Some(_), .. }),
                ChangeClientContact(_),
            ) => Err(ClientRefusal::ClientRestricted),
            (Self::Registered(record), ChangeClientContact(patch)) => {
                let mut contact = record.contact.clone();
                patch.patch(&mut contact)?;
                Ok(ClientEvent::ClientContactChanged(ClientContactChanged { contact }))
            }
            (Self::Registered(_), RestrictClient(reason)) => {
                Ok(ClientEvent::ClientRestricted(ClientRestricted { reason }))
            }
            (Self::Registered(_), LiftRestriction) => {
                Ok(ClientEvent::ClientRestrictionLifted(ClientRestrictionLifted {}))
            }
            (Self::Registered(_), PlaceLegalHold(reason)) => {
                Ok(ClientEvent::ClientLegalHoldPlaced(ClientLegalHoldPlaced { reason }))
            }
            (Self::Registered(_), ReleaseLegalHold) => {
                Ok(ClientEvent::ClientLegalHoldReleased(ClientLegalHoldReleased {}))
            }
            (Self::Unregistered, _) => Err(ClientRefusal::ClientNotFound),
        }
    }

    fn sets(command: &ClientCommand) -> bool {
        matches!(
            command,
            ClientCommand::ChangeClientContact(_)
                | ClientCommand::RestrictClient(_)
                | ClientCommand::LiftRestriction
                | ClientCommand::PlaceLegalHold(_)
                | ClientCommand::ReleaseLegalHold
        )
    }

    fn opens(command: &ClientCommand) -> bool {
        matches!(command, ClientCommand::ChangeClientContact(_))
    }

    fn placed(&self, id: Uuid) -> Placed<'_> {
        match self {
            Self::Unregistered => Placed::Nowhere,
            Self::Registered(_) | Self::Erased { .. } => Placed::Client(id.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::outcome;
    use crate::testing::{Given, contact, given};
    use crate::{Email, Name, Personal};

    #[test]
    fn a_client_is_registered_once() {
        let registered = ClientEvent::ClientRegistered(ClientRegistered { contact: contact() });
        let client =
            given::<Client>([]).when(ClientCommand::RegisterClient(contact())).then(registered);
        assert_eq!(client.state(), Client::Registered(contact().into()));
        client
            .when(ClientCommand::RegisterClient(contact()))
            .then_refused(ClientRefusal::ClientExists);
    }

    #[test]
    fn an_unknown_client_has_no_contact_to_change() {
        given::<Client>([])
            .when(ClientCommand::ChangeClientContact(ContactPatch::default()))
            .then_refused(ClientRefusal::ClientNotFound);
    }

    #[test]
    fn a_change_to_what_they_are_called_already_is_none() {
        let client = Client::Registered(contact().into());
        let facts = Facts::at(crate::testing::now());
        let named = |name: &str| {
            let name = Personal::new(Name::new(name).unwrap()).into();
            let patch = ContactPatch { name, ..ContactPatch::default() };
            outcome(&client, ClientCommand::ChangeClientContact(patch), &facts).unwrap()
        };
        assert_eq!(named(contact().name.reveal().unwrap().as_str()), None);
        assert!(named("Another name").is_some());
    }

    #[test]
    fn what_a_change_of_contact_does_not_name_stays() {
        let email = Personal::new(Email::new("a@example.org").unwrap());
        let before = Contact { email: Some(email), ..contact() };
        let name = Personal::new(Name::new("Another name").unwrap());
        let registered = ClientRegistered { contact: before.clone() };
        let patch = ContactPatch { name: name.clone().into(), ..ContactPatch::default() };
        let contact = Contact { name, ..before };
        given::<Client>([ClientEvent::ClientRegistered(registered)])
            .when(ClientCommand::ChangeClientContact(patch))
            .then(ClientEvent::ClientContactChanged(ClientContactChanged { contact }));
    }

    fn registered() -> Given<Client> {
        given([ClientEvent::ClientRegistered(ClientRegistered { contact: contact() })])
    }

    fn nothing_happens(client: &Client, command: ClientCommand) -> bool {
        let facts = Facts::at(crate::testing::now());
        outcome(client, command, &facts).unwrap().is_none()
    }

    #[test]
    fn what_is_known_of_a_restricted_client_is_not_changed_until_that_is_lifted() {
        let reason = RestrictionReason::AccuracyContested;
        let restrict = ClientCommand::RestrictClient(reason);
        let restricted = ClientEvent::ClientRestricted(ClientRestricted { reason });
        let client = registered().when(restrict.clone()).then(restricted);
        assert!(nothing_happens(&client.state(), restrict));
        let other = ClientCommand::RestrictClient(RestrictionReason::NeededForClaims);
        assert!(!nothing_happens(&client.state(), other));
        let change = ClientCommand::ChangeClientContact(ContactPatch::default());
        client.clone().when(change.clone()).then_refused(ClientRefusal::ClientRestricted);
        let lifted = ClientEvent::ClientRestrictionLifted(ClientRestrictionLifted {});
        let client = client.when(ClientCommand::LiftRestriction).then(lifted);
        assert_eq!(client.state(), registered().state());
        assert!(nothing_happens(&client.state(), ClientCommand::LiftRestriction));
        client.when(change).event();
    }

    #[test]
    fn a_client_under_legal_hold_is_not_erased_until_it_is_released() {
        let erase =
            |upcoming| ClientCommand::EraseClient { reason: ErasureReason::Requested, upcoming };
        let reason = LegalHoldReason::LegalClaim;
        let placed = ClientEvent::ClientLegalHoldPlaced(ClientLegalHoldPlaced { reason });
        let client = registered().when(ClientCommand::PlaceLegalHold(reason)).then(placed);
        assert!(nothing_happens(&client.state(), ClientCommand::PlaceLegalHold(reason)));
        for upcoming in [Upcoming::Cancel, Upcoming::Keep(0), Upcoming::Keep(1)] {
            client.clone().when(erase(upcoming)).then_refused(ClientRefusal::OnLegalHold);
        }
        let change = ClientCommand::ChangeClientContact(ContactPatch::default());
        let client = client.when(change).and();
        client.clone().when(erase(Upcoming::Cancel)).then_refused(ClientRefusal::OnLegalHold);
        let released = ClientEvent::ClientLegalHoldReleased(ClientLegalHoldReleased {});
        let client = client.when(ClientCommand::ReleaseLegalHold).then(released);
        client.when(erase(Upcoming::Cancel)).event();
    }

    #[test]
    fn of_somebody_of_whom_nothing_is_known_nothing_is_kept_or_held() {
        let reason = ErasureReason::Requested;
        let requested = ClientEvent::ClientErasureRequested(ClientErasureRequested { reason });
        for command in [
            ClientCommand::RestrictClient(RestrictionReason::ObjectionPending),
            ClientCommand::LiftRestriction,
            ClientCommand::PlaceLegalHold(LegalHoldReason::RetentionDuty),
            ClientCommand::ReleaseLegalHold,
        ] {
            given::<Client>([]).when(command.clone()).then_refused(ClientRefusal::ClientNotFound);
            let erased = registered()
                .when(ClientCommand::EraseClient { reason, upcoming: Upcoming::Cancel });
            let erased = erased.then(requested.clone());
            erased.when(command).then_refused(ClientRefusal::ClientErased);
        }
    }
}
