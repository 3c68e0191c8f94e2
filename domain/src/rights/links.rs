//! What a link is good for, which a client has of one appointment.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Scope, Scopes};
use crate::appointment::{Appointment, AppointmentState};

/// Something that a link can be good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkAction {
    /// See the appointment.
    See,
    /// Move it.
    Move,
    /// Cancel it.
    Cancel,
}

impl LinkAction {
    pub const ALL: [Self; 3] = [Self::See, Self::Move, Self::Cancel];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::See => "see",
            Self::Move => "move",
            Self::Cancel => "cancel",
        }
    }
}

/// What a link is good for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LinkActions(BTreeSet<LinkAction>);

impl LinkActions {
    #[must_use]
    pub fn all() -> Self {
        Self(LinkAction::ALL.into())
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[must_use]
    pub fn include(&self, action: LinkAction) -> bool {
        self.0.contains(&action)
    }

    pub fn iter(&self) -> impl Iterator<Item = LinkAction> {
        self.0.iter().copied()
    }

    /// What these take.
    #[must_use]
    pub fn scopes(&self) -> Scopes {
        let scopes = self.0.iter().map(|action| match action {
            LinkAction::See => Scope::Appointments,
            LinkAction::Move | LinkAction::Cancel => Scope::Book,
        });
        scopes.collect()
    }
}

/// When the links of an appointment end: a day after the visit; a day after it was cancelled, or came to nothing. `changed_at`
/// is when it was changed last. `None`: there is no such appointment.
#[must_use]
pub fn links_end(appointment: &Appointment, changed_at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let (slot, state) = (appointment.slot()?, appointment.state()?);
    let over = match state {
        AppointmentState::Cancelled(_) => changed_at,
        // One that lapses is over then, whether that is recorded or not.
        AppointmentState::Held { expires_at } => *expires_at,
        AppointmentState::Booked
        | AppointmentState::CheckedIn
        | AppointmentState::Fulfilled
        | AppointmentState::NoShow => slot.during.end(),
    };
    over.checked_add_signed(TimeDelta::days(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_good_for_what_their_actions_take() {
        assert_eq!(LinkActions::all().scopes(), Scopes::of(&[Scope::Appointments, Scope::Book]));
        let see: LinkActions = serde_json::from_str(r#"["see"]"#).unwrap();
        assert_eq!(see.scopes(), Scopes::of(&[Scope::Appointments]));
        assert!(see.include(LinkAction::See) && !see.include(LinkAction::Cancel));
        assert!(LinkActions::default().is_empty());
    }
}
