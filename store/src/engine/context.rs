//! Who gives a command, why, and to what.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use daybook_domain::rights::Limits;
use daybook_domain::{ClientId, Decide, Facts, Needs, TenantId};
use uuid::Uuid;

use super::ExecuteError;
use crate::log::CommandKey;
use crate::trace_context::{self, TraceContext};

/// Everything about a command but the command.
#[derive(Debug, Clone)]
pub struct CommandContext {
    /// Whose log it goes to.
    pub tenant: TenantId,
    /// Who gives it: an API key's id, or the program's part that acts by itself.
    pub actor: String,
    /// Of what of the tenant they may do it. What is decided because of it, as whom a free place is offered, is not theirs.
    pub limits: Limits,
    /// Clients who are not there, for whoever gives it.
    pub unseen_clients: BTreeSet<ClientId>,
    /// To whom answers are given again that were given to it, where that is not the actor alone: the first of the API keys that
    /// one was made to replace.
    pub line: Option<String>,
    /// What it belongs together with: a request, an import.
    pub correlation_id: Uuid,
    /// The event or command that caused it, where one did.
    pub causation_id: Option<Uuid>,
    /// The trace that it is part of, where there is one.
    pub trace: Option<TraceContext>,
    /// The client's name for it, so that a retry is not a second command.
    pub key: Option<CommandKey>,
    /// The version of its aggregate that the client has seen, where it matters to it.
    pub expected_version: Option<u64>,
    /// Whether it is only tried: it is decided as ever, and nothing of it happens.
    pub dry_run: bool,
}

impl CommandContext {
    /// A command of `actor`, on its own.
    #[must_use]
    pub fn new(tenant: TenantId, actor: impl Into<String>) -> Self {
        Self {
            tenant,
            actor: actor.into(),
            limits: Limits::default(),
            unseen_clients: BTreeSet::new(),
            line: None,
            correlation_id: Uuid::now_v7(),
            causation_id: None,
            trace: None,
            key: None,
            expected_version: None,
            dry_run: false,
        }
    }

    /// Whether this is there, for whoever gives it.
    pub(super) fn sees<A: Decide>(&self, id: Uuid, state: &A) -> bool {
        self.limits.see(&state.placed(id))
    }

    /// What a decision looks at, as it is to whoever gives it.
    pub(super) fn seen<A: Decide>(
        &self,
        facts: Facts,
        needs: &Needs,
        id: Uuid,
        state: &A,
    ) -> Facts {
        let mut facts = facts.seen_within(&self.limits, needs, &state.placed(id));
        if needs.client.is_some_and(|client| self.unseen_clients.contains(&client)) {
            facts.client = Arc::default();
        }
        facts
    }

    /// To whom answers are given again that are given to it.
    pub(super) fn answered_as(&self) -> &str {
        self.line.as_deref().unwrap_or(&self.actor)
    }

    /// The metadata of its events: a JSON object of strings, as cqrs-es reads it. The key is as it is kept.
    pub(super) fn metadata(&self, key: Option<&CommandKey>) -> Result<String, ExecuteError> {
        let mut metadata = BTreeMap::from([
            ("actor", self.actor.clone()),
            ("correlation_id", self.correlation_id.to_string()),
        ]);
        if let Some(causation_id) = self.causation_id {
            metadata.insert("causation_id", causation_id.to_string());
        }
        // Its own span's name, where that is exported.
        if let Some(trace) = trace_context::current().or(self.trace) {
            metadata.insert("traceparent", trace.to_string());
        }
        if let Some(key) = key {
            metadata.insert("idempotency_key", key.key.clone());
        }
        serde_json::to_string(&metadata)
            .map_err(|error| ExecuteError::Unreadable(error.to_string()))
    }
}

/// What a command is addressed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// An aggregate with an id made just now: it is not looked for before it is made.
    New(Uuid),
    /// An aggregate that may exist.
    Existing(Uuid),
}

impl Target {
    /// A new aggregate, with an id that sorts by time.
    #[must_use]
    pub fn fresh() -> Self {
        Self::New(Uuid::now_v7())
    }

    #[must_use]
    pub const fn id(self) -> Uuid {
        match self {
            Self::New(id) | Self::Existing(id) => id,
        }
    }
}
