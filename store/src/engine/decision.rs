//! One decision: what it looks at, and what it comes to.

use std::any::Any;

use cqrs_es::event_sink::EventSink;
use daybook_domain::claim::{Claim, ClaimQuery, ClaimSnapshot, Claims, Held};
use daybook_domain::resource::Resource;
use daybook_domain::rights::permit;
use daybook_domain::{Facts, Refusal, Subject, TenantId};
use uuid::Uuid;

use super::{CommandContext, ExecuteError};
use crate::log::{NewEvent, OnConflict, PersistedAggregate, StreamId};
use crate::personal::{About, Keyring};

/// A command, and what its decision looks at.
pub(super) struct Prepared<A: PersistedAggregate> {
    pub(super) stream: StreamId,
    pub(super) state: A,
    pub(super) version: u64,
    pub(super) command: A::Command,
    pub(super) facts: Facts,
    /// The versions that the facts were read at.
    pub(super) read_set: Vec<(StreamId, u64)>,
    /// Whether they may be out of date.
    pub(super) from_memory: bool,
    /// Whether it chooses resources.
    pub(super) chooses: bool,
    /// The claims that it has to see.
    pub(super) queries: Vec<ClaimQuery>,
}

/// An aggregate, as what was decided leaves it.
pub(super) struct Decided {
    pub(super) stream: StreamId,
    pub(super) after: u64,
    pub(super) version: u64,
    state: Box<dyn Any + Send + Sync>,
    pub(super) events: Vec<NewEvent>,
    /// All that it holds then, by the name that it is held by. What is not named is as before.
    pub(super) held: Vec<Held>,
    pub(super) read_set: Vec<(StreamId, u64)>,
    /// With whose key something of it is sealed.
    pub(super) sealed_for: Option<Subject>,
    /// What it means if one of the claims cannot be had.
    pub(super) on_conflict: OnConflict,
}

/// Seals what was decided, where personal data is sealed, and says for whom.
#[derive(Clone, Copy)]
pub(super) struct Sealing<'a> {
    pub(super) keyring: Option<&'a Keyring>,
    /// Whether what is decided is only tried: no key is kept for it.
    pub(super) dry_run: bool,
}

impl Sealing<'_> {
    async fn seal<A: PersistedAggregate>(
        self,
        tenant: &TenantId,
        stream: &StreamId,
        state: &A,
        events: &mut [A::Event],
    ) -> Result<Option<Subject>, ExecuteError> {
        let Some(keyring) = self.keyring else { return Ok(None) };
        let Some(subject) = state.subject(stream.uuid()) else { return Ok(None) };
        let about = About { tenant, kind: A::TYPE, id: stream.uuid() };
        let sealed = keyring.seal(&about, subject, events, !self.dry_run).await?;
        Ok(sealed.then_some(subject))
    }
}

impl<A: PersistedAggregate> Prepared<A> {
    /// Decides the command. The snapshot of claims is given back for the next.
    pub(super) async fn decide(
        mut self,
        CommandContext { tenant, limits, .. }: &CommandContext,
        sealing: Sealing<'_>,
    ) -> Result<Result<(Decided, ClaimSnapshot), Refusal>, ExecuteError> {
        let is_final = self.state.conflict_is_final(&self.command, &self.queries);
        let on_conflict = if is_final { OnConflict::Refuse } else { OnConflict::Retry };
        let before = (!limits.are_none()).then(|| self.state.clone());
        let sink = EventSink::default();
        if let Err(refusal) = self.state.handle(self.command, &self.facts, &sink).await {
            return Ok(Err(refusal.into()));
        }
        if let Some(before) = before {
            let id = self.stream.uuid();
            permit(limits, &before.placed(id), &self.state.placed(id))?;
        }
        let mut events = sink.collect().await;
        let sealed = sealing.seal(tenant, &self.stream, &self.state, &mut events).await;
        let sealed_for = match sealed {
            Err(ExecuteError::Refused(refusal)) => return Ok(Err(refusal)),
            sealed => sealed?,
        };
        let held = Claims::held_after_all(&events, self.stream.uuid());
        if self.chooses {
            let claims = held.iter().flat_map(|(_, claims)| claims);
            self.read_set.extend(chosen(tenant, &self.facts, claims));
        }
        let encoded: Result<Vec<_>, _> = events.iter().map(NewEvent::of).collect();
        let events = encoded.map_err(|error| ExecuteError::Unreadable(error.to_string()))?;
        let decided = Decided {
            stream: self.stream,
            after: self.version,
            version: self.version + events.len() as u64,
            state: Box::new(self.state),
            events,
            held,
            read_set: self.read_set,
            sealed_for,
            on_conflict,
        };
        Ok(Ok((decided, self.facts.claims)))
    }
}

impl Decided {
    pub(super) fn id(&self) -> Uuid {
        self.stream.uuid()
    }

    /// Its state, if it is an `A`.
    pub(super) fn state<A: PersistedAggregate>(&self) -> Option<&A> {
        self.state.downcast_ref()
    }

    /// Its id, version and state, if it is an `A`.
    pub(super) fn into_state<A: PersistedAggregate>(self) -> Option<(Uuid, u64, A)> {
        let (id, version) = (self.id(), self.version);
        Some((id, version, *self.state.downcast().ok()?))
    }

    /// Goes on with what was decided of the same aggregate after this.
    pub(super) fn go_on(&mut self, next: Self) {
        self.version = next.version;
        self.state = next.state;
        self.events.extend(next.events);
        self.held.retain(|(holder, _)| next.held.iter().all(|(other, _)| other != holder));
        self.held.extend(next.held);
        self.read_set.extend(next.read_set);
        self.on_conflict = next.on_conflict;
    }
}

/// The resources that were chosen, at the versions at which they were known.
fn chosen<'a>(
    tenant: &'a TenantId,
    facts: &'a Facts,
    claims: impl Iterator<Item = &'a Claim> + 'a,
) -> impl Iterator<Item = (StreamId, u64)> + 'a {
    let named = |id| facts.resources.iter().any(|(named, _)| *named == id);
    let others = claims.map(|claim| claim.resource).filter(move |id| !named(*id));
    others.filter_map(|id| {
        let version = facts.directory.version(id)?;
        Some((StreamId::of::<Resource>(tenant, id.uuid()), version))
    })
}
