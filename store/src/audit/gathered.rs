//! What a request opens of what is personal: gathered where it is opened, so that no route can forget to say so. And who asks,
//! for the entries of what is done meanwhile.

use std::cell::RefCell;
use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use tokio::task_local;
use uuid::Uuid;

use super::{AuditEntry, AuditKind, Purpose};

/// Who does what nobody has asked for.
const DAYBOOK: &str = "daybook";

/// Who asks, and by which request.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// `None`: not known yet.
    pub actor: Option<String>,
    pub route: Option<String>,
    pub request_id: Option<Uuid>,
    pub trace_id: Option<String>,
    pub purpose: Option<Purpose>,
}

impl Asked {
    /// By a subcommand.
    #[must_use]
    pub fn by_command_line() -> Self {
        Self { actor: Some("command-line".to_owned()), ..Self::default() }
    }

    /// What is done by it.
    #[must_use]
    pub fn entry(&self, at: DateTime<Utc>, kind: AuditKind) -> AuditEntry {
        let Self { actor, route, request_id, trace_id, purpose } = self.clone();
        let entry = AuditEntry::new(at, actor.as_deref().unwrap_or(DAYBOOK), kind);
        AuditEntry { route, request_id, trace_id, purpose, ..entry }
    }
}

/// What of whom was opened for whoever asks.
#[derive(Debug, Clone, Default)]
pub struct Gathered {
    pub asked: Asked,
    /// Whose key it is that asks; `None`: nobody's that is known, or an operator's.
    pub tenant: Option<TenantId>,
    /// What they are told of what is opened.
    pub told: Told,
    /// Of whom something was opened.
    pub subjects: BTreeSet<Uuid>,
    /// Which members.
    pub fields: BTreeSet<&'static str>,
}

/// What of what is personal somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// Anything at all; else what was opened is withheld.
    pub personal: bool,
    /// Also what is known of clients who are restricted.
    pub restricted: bool,
}

/// Whoever is nobody's caller, as a part of daybook, is not told; and nothing is kept from it.
impl Default for Told {
    fn default() -> Self {
        Self { personal: false, restricted: true }
    }
}

task_local! {
    static GATHERED: RefCell<Gathered>;
}

/// Does what was asked for, and gathers what it opens.
pub async fn gathering<T>(asked: Asked, work: impl Future<Output = T>) -> (T, Gathered) {
    let gathered = async {
        let output = work.await;
        (output, GATHERED.with(RefCell::take))
    };
    GATHERED.scope(RefCell::new(Gathered { asked, ..Gathered::default() }), gathered).await
}

/// Does something whose result nobody is told, as a decision: what it opens is not gathered.
pub async fn unseen<T>(work: impl Future<Output = T>) -> T {
    let asked = GATHERED.try_with(|gathered| gathered.borrow().asked.clone());
    gathering(asked.unwrap_or_default(), work).await.0
}

/// Who asks is known now.
pub fn asked_by(tenant: Option<&TenantId>, actor: &str, told: Told) {
    let _ = GATHERED.try_with(|gathered| {
        let mut gathered = gathered.borrow_mut();
        gathered.tenant = tenant.cloned();
        gathered.asked.actor = Some(actor.to_owned());
        gathered.told = told;
    });
}

/// What is done now, by whoever asks for it.
#[must_use]
pub fn entry(at: DateTime<Utc>, kind: AuditKind) -> AuditEntry {
    let asked = GATHERED.try_with(|gathered| gathered.borrow().asked.entry(at, kind));
    asked.unwrap_or_else(|_| Asked::default().entry(at, kind))
}

/// Something of somebody is opened.
pub fn opened(subject: Uuid, field: &'static str) {
    let _ = GATHERED.try_with(|gathered| {
        let mut gathered = gathered.borrow_mut();
        gathered.subjects.insert(subject);
        gathered.fields.insert(field);
    });
}

/// Whether what is known of restricted clients is not for whoever asks. What a decision looks at, nobody is told.
pub(crate) fn withholds_restricted() -> bool {
    GATHERED.try_with(|gathered| !gathered.borrow().told.restricted).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::noon;

    #[tokio::test]
    async fn what_is_opened_in_a_request_is_gathered_and_what_nobody_sees_is_not() {
        let (output, gathered) = gathering(Asked::default(), async {
            asked_by(None, "key:1", Told { personal: true, restricted: false });
            opened(Uuid::nil(), "name");
            let seen = unseen(async {
                opened(Uuid::max(), "note");
                assert!(!withholds_restricted(), "a decision sees all");
                entry(noon(), AuditKind::KeyMade).actor
            });
            assert!(withholds_restricted());
            seen.await
        })
        .await;
        assert_eq!((output.as_str(), gathered.asked.actor.as_deref()), ("key:1", Some("key:1")));
        assert_eq!(gathered.subjects, [Uuid::nil()].into());
        assert_eq!(gathered.fields, ["name"].into());
        // Outside of a request nobody asks.
        opened(Uuid::nil(), "name");
        assert_eq!(entry(noon(), AuditKind::KeyMade).actor, "daybook");
    }
}
