//! Goes through the log, and runs it again.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use chrono::DateTime;
use daybook_domain::appointment::{Appointment, AppointmentEvent, AppointmentRefusal, Status};
use daybook_domain::resource::ResourceEvent;
use daybook_domain::service::{ServiceEvent, ServiceRevised, ServiceTerms};
use daybook_domain::session::{Session, SessionEvent};
use daybook_domain::{AggregateEvent as _, Refusal, ResourceId, ServiceId, SessionId, TenantId};
use futures::future::join_all;
use uuid::Uuid;

use super::booked::booked_minutes;
use super::clock::StandingClock;
use super::command::{self, why};
use super::repeat::{done, repeated, submission};
use super::report::{Refused, Report, Utilisation};
use super::scratch::Scratch;
use super::{WhatIf, WhatIfError};
use crate::engine::{CancelSession, MoveSession, refusal_type};
use crate::{
    AnyEvent, Clock, CommandContext, Engine, ExecuteError, Log, LogSettings, Position,
    RecordedEvent, Target, tenants,
};

/// How many events are read at once, and repeated at once where they are repeated as they are.
const PART: u32 = 500;

/// One committer is all that one tenant has.
const SETTINGS: LogSettings = LogSettings {
    committers: 1,
    readers: 4,
    claim_readers: 2,
    queue_length: 4_096,
    acquire_timeout: std::time::Duration::from_secs(30),
};

pub(super) async fn run(
    log: &Log,
    scratch: &Scratch,
    asked: &WhatIf,
    progress: impl Fn(Position),
) -> Result<Report, WhatIfError> {
    let mut replayer = Replayer::new(scratch, asked).await?;
    let mut read_to = Position::START;
    while read_to < asked.until {
        // As it was, up to where the other rules begin.
        let end = if read_to < asked.after { asked.after } else { asked.until };
        let limit = u64::from(PART).min(end.get() - read_to.get());
        let part = log.read(&asked.tenant, read_to, u32::try_from(limit).unwrap_or(PART)).await?;
        let part = part.into_iter().collect::<Result<Vec<_>, _>>()?;
        let Some(last) = part.last() else { break };
        read_to = last.position;
        if read_to <= asked.after {
            replayer.repeat(&part).await?;
        } else {
            replayer.begin().await?;
            for event in &part {
                replayer.run(event).await?;
            }
        }
        replayer.report.events = read_to.get();
        progress(read_to);
    }
    let before = booked_minutes(log, &asked.tenant, asked.until).await?;
    let after = replayer.booked_minutes().await?;
    Ok(replayer.finish(&before, &after))
}

/// Runs the recorded log by other rules, in tables of its own.
struct Replayer<'a> {
    asked: &'a WhatIf,
    engine: Engine,
    clock: Arc<StandingClock>,
    context: CommandContext,
    /// What the terms of each service were.
    recorded: HashMap<ServiceId, ServiceTerms>,
    /// The version of each service here, which is one more where its terms were changed.
    versions: HashMap<ServiceId, u64>,
    retired: HashSet<ServiceId>,
    names: BTreeMap<ResourceId, String>,
    /// Whether the other rules hold.
    begun: bool,
    /// What was booked and is not here.
    missing: HashSet<Uuid>,
    report: Report,
}

impl<'a> Replayer<'a> {
    async fn new(scratch: &Scratch, asked: &'a WhatIf) -> Result<Self, WhatIfError> {
        let clock = Arc::new(StandingClock::default());
        let shared: Arc<dyn Clock> = clock.clone();
        let log = Log::open(scratch.primary(), &shared, SETTINGS);
        tenants::create(log.pool(), &asked.tenant, "UTC", DateTime::UNIX_EPOCH).await?;
        Ok(Self {
            asked,
            engine: Engine::new(log, shared).without_reports(),
            clock,
            context: CommandContext::new(asked.tenant.clone(), "what-if"),
            recorded: HashMap::new(),
            versions: HashMap::new(),
            retired: HashSet::new(),
            names: BTreeMap::new(),
            begun: false,
            missing: HashSet::new(),
            report: Report::default(),
        })
    }

    fn tenant(&self) -> &TenantId {
        &self.asked.tenant
    }

    /// Takes note of what the house is.
    fn note(&mut self, event: &AnyEvent) {
        match event {
            AnyEvent::Service(id, ServiceEvent::ServiceDefined(defined)) => {
                self.recorded.insert(*id, defined.terms.clone());
            }
            AnyEvent::Service(id, ServiceEvent::ServiceRevised(revised)) => {
                self.recorded.insert(*id, revised.terms.clone());
            }
            AnyEvent::Service(id, ServiceEvent::ServiceRetired(_)) => {
                self.retired.insert(*id);
            }
            AnyEvent::Resource(id, ResourceEvent::ResourceRegistered(registered)) => {
                self.names.insert(*id, registered.profile.name.to_string());
            }
            AnyEvent::Resource(id, ResourceEvent::ResourceDescribed(described)) => {
                self.names.insert(*id, described.name.to_string());
            }
            _ => {}
        }
    }

    /// Repeats events as they are, claims and all.
    async fn repeat(&mut self, events: &[RecordedEvent]) -> Result<(), WhatIfError> {
        let Some(last) = events.last() else { return Ok(()) };
        let mut submissions = Vec::with_capacity(events.len());
        for event in events {
            self.note(&event.event);
            if let AnyEvent::Service(id, _) = &event.event {
                self.versions.insert(*id, event.sequence);
            }
            submissions.push((event.position, repeated(self.tenant(), event)?));
        }
        // Each lapses when it did: what is in its way is asked as of its own time.
        self.clock.put(last.recorded_at);
        let appends = submissions.into_iter().map(async |(position, submission)| {
            let verdict = self.engine.log().append(submission).await;
            done(position, verdict.map_err(ExecuteError::Append).map_err(WhatIfError::Execute)?)
        });
        // They are queued in their order, and committed in it.
        join_all(appends).await.into_iter().collect()
    }

    /// From now on the other rules hold.
    async fn begin(&mut self) -> Result<(), WhatIfError> {
        if std::mem::replace(&mut self.begun, true) {
            return Ok(());
        }
        let recorded = self.recorded.clone();
        let open = recorded.into_iter().filter(|(id, _)| !self.retired.contains(id));
        let revisions: Vec<_> = open.collect();
        for (id, terms) in revisions {
            let changed = self.asked.policy.applied(id, &terms)?;
            if changed != terms {
                let event = ServiceEvent::ServiceRevised(ServiceRevised { terms: changed });
                self.append_to_service(id, event, self.asked.after).await?;
            }
        }
        Ok(())
    }

    async fn append_to_service(
        &mut self,
        id: ServiceId,
        event: ServiceEvent,
        position: Position,
    ) -> Result<(), WhatIfError> {
        let version = self.versions.entry(id).or_default();
        let event = AnyEvent::Service(id, event);
        let append = submission(&self.asked.tenant, *version, &event, self.clock.now());
        *version += 1;
        let append = append
            .map_err(|error| WhatIfError::NotRepeated { position, why: error.to_string() })?;
        let verdict = self.engine.log().append(append).await;
        done(position, verdict.map_err(ExecuteError::Append).map_err(WhatIfError::Execute)?)
    }

    /// Runs what an event came of.
    async fn run(&mut self, event: &RecordedEvent) -> Result<(), WhatIfError> {
        self.clock.put(event.recorded_at);
        self.note(&event.event);
        match &event.event {
            AnyEvent::Service(id, happened) => {
                let happened = self.by_policy(*id, happened)?;
                self.append_to_service(*id, happened, event.position).await
            }
            AnyEvent::Appointment(id, happened) => {
                let ran = self.run_appointment(id.uuid(), happened).await;
                self.conclude(event, ran)
            }
            AnyEvent::Session(id, happened) => {
                let ran = self.run_session(*id, happened).await;
                self.conclude(event, ran)
            }
            // Who there is, and what belongs together or waits, is as it was.
            _ => self.repeat(std::slice::from_ref(event)).await,
        }
    }

    fn by_policy(&self, id: ServiceId, event: &ServiceEvent) -> Result<ServiceEvent, WhatIfError> {
        let mut event = event.clone();
        match &mut event {
            ServiceEvent::ServiceDefined(defined) => {
                defined.terms = self.asked.policy.applied(id, &defined.terms)?;
            }
            ServiceEvent::ServiceRevised(revised) => {
                revised.terms = self.asked.policy.applied(id, &revised.terms)?;
            }
            ServiceEvent::ServiceRetired(_) => {}
        }
        Ok(event)
    }

    async fn run_appointment(
        &mut self,
        id: Uuid,
        event: &AppointmentEvent,
    ) -> Result<Ran, ExecuteError> {
        if self.missing.contains(&id) {
            return Ok(Ran::Skipped);
        }
        let state = match event {
            AppointmentEvent::AppointmentRescheduled(_) => {
                self.engine.load::<Appointment>(self.tenant(), id).await?
            }
            _ => None,
        };
        let state = state.map(|(state, _)| state).unwrap_or_default();
        let Some(command) = command::of_appointment(event, &self.recorded, &state) else {
            return Ok(Ran::WithAnother);
        };
        let target = if event.creates() { Target::New(id) } else { Target::Existing(id) };
        match self.engine.execute::<Appointment>(&self.context, target, command).await {
            // Its session was cancelled, and it with it.
            Err(ExecuteError::Refused(Refusal::Appointment(AppointmentRefusal::WrongStatus {
                status: Status::Cancelled,
                ..
            }))) if matches!(event, AppointmentEvent::AppointmentCancelled(_)) => {
                Ok(Ran::WithAnother)
            }
            ran => ran.map(|_| Ran::Done),
        }
    }

    async fn run_session(
        &mut self,
        id: SessionId,
        event: &SessionEvent,
    ) -> Result<Ran, ExecuteError> {
        if self.missing.contains(&id.uuid()) {
            return Ok(Ran::Skipped);
        }
        match event {
            SessionEvent::SessionScheduled(plan) => {
                let command = command::of_scheduled(plan, self.recorded.get(&plan.service_id));
                let target = Target::New(id.uuid());
                self.engine.execute::<Session>(&self.context, target, command).await?;
            }
            SessionEvent::SessionRescheduled(moved) => {
                let state = self.engine.load::<Session>(self.tenant(), id.uuid()).await?;
                let now = state.as_ref().and_then(|(session, _)| session.plan());
                let same = now.is_some_and(|now| now.slot.resource_ids == moved.slot.resource_ids);
                let work = MoveSession {
                    session_id: id,
                    start: moved.slot.during.start(),
                    resource_ids: (!same).then(|| moved.slot.resource_ids.clone()),
                    overriding: why(moved.overridden.as_ref()),
                };
                self.engine.execute_unit(&self.context, id.uuid(), &work).await?;
            }
            SessionEvent::SessionCancelled(cancelled) => {
                let work = CancelSession { session_id: id, reason: cancelled.reason.clone() };
                self.engine.execute_unit(&self.context, id.uuid(), &work).await?;
            }
        }
        Ok(Ran::Done)
    }

    /// Writes down what became of a command.
    fn conclude(
        &mut self,
        event: &RecordedEvent,
        ran: Result<Ran, ExecuteError>,
    ) -> Result<(), WhatIfError> {
        let refusal = match ran {
            Ok(ran) => {
                self.report.commands += u64::from(ran == Ran::Done);
                self.report.in_vain += u64::from(ran == Ran::Skipped);
                return Ok(());
            }
            Err(ExecuteError::Refused(refusal)) => refusal,
            Err(error) => return Err(WhatIfError::Execute(error)),
        };
        let (id, is_booking) = (event.event.aggregate_id(), event.event.creates());
        self.report.commands += 1;
        if is_booking {
            self.missing.insert(id);
        }
        let refused = Refused {
            position: event.position,
            at: event.recorded_at,
            id,
            event_type: event.event.event_type(),
            reason: refusal_type(&refusal),
            detail: refusal.to_string(),
        };
        self.report.refuse(refused, is_booking);
        Ok(())
    }

    /// What is booked in the end, by its own log.
    async fn booked_minutes(&self) -> Result<BTreeMap<ResourceId, i64>, WhatIfError> {
        let log = self.engine.log();
        let head = log.head(self.tenant()).await?.unwrap_or(Position::START);
        booked_minutes(log, self.tenant(), head).await
    }

    fn finish(
        self,
        before: &BTreeMap<ResourceId, i64>,
        after: &BTreeMap<ResourceId, i64>,
    ) -> Report {
        let of = |minutes: &BTreeMap<ResourceId, i64>, id| minutes.get(id).copied().unwrap_or(0);
        let utilisation = self.names.iter().map(|(id, name)| Utilisation {
            resource_id: *id,
            name: name.clone(),
            minutes_before: of(before, id),
            minutes_after: of(after, id),
        });
        Report { utilisation: utilisation.collect(), ..self.report }
    }
}

/// What became of a command that was not refused.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ran {
    Done,
    /// It came of another, which has been run.
    WithAnother,
    /// What it is about is not there.
    Skipped,
}
