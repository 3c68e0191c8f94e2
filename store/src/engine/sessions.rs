//! What happens to a session happens to its appointments, in one submission.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use daybook_domain::appointment::{
    Appointment, AppointmentCommand, AppointmentRefusal, CancelledBy, Status,
};
use daybook_domain::claim::ClaimQuery;
use daybook_domain::session::{Session, SessionCommand, SessionScheduled};
use daybook_domain::{
    AppointmentId, Personal, Reason, Refusal, ResourceIds, ServiceId, SessionId, TenantId,
};
use futures::future::BoxFuture;
use uuid::Uuid;

use super::{
    Abort, CommandContext, Engine, ExecuteError, Executed, Target, UnitContext, UnitOfWork,
};

/// Cancels a session, and its appointments with it.
#[derive(Debug, Clone)]
pub struct CancelSession {
    pub session_id: SessionId,
    pub reason: Option<Personal<Reason>>,
}

/// Moves a session, and its appointments with it.
#[derive(Debug, Clone)]
pub struct MoveSession {
    pub session_id: SessionId,
    /// Its new start.
    pub start: DateTime<Utc>,
    /// Its new resources. `None`: the same as before.
    pub resource_ids: Option<ResourceIds>,
    /// Why it may break rules. `None`: it may not.
    pub overriding: Option<Personal<Reason>>,
}

impl UnitOfWork for CancelSession {
    type Root = Session;

    async fn decide(&self, unit: &mut UnitContext<'_>) -> Result<(), Abort> {
        let Self { session_id, ref reason } = *self;
        let places = places_taken(unit, session_id).await?;
        let (taken, reason) = (places.keys().copied().collect(), reason.clone());
        let command = SessionCommand::CancelSession { session_id, reason: reason.clone(), taken };
        let decided = unit.decide::<Session>(Target::Existing(session_id.uuid()), command).await?;
        decided.map_err(|refusal| abort(session_id, refusal))?;
        for id in places.into_values() {
            let by = CancelledBy::Staff;
            let reason = reason.clone();
            let command = AppointmentCommand::CancelAppointment { reason, by, overriding: None };
            follow(unit, session_id, id, command).await?;
        }
        Ok(())
    }
}

impl UnitOfWork for MoveSession {
    type Root = Session;

    async fn decide(&self, unit: &mut UnitContext<'_>) -> Result<(), Abort> {
        let Self { session_id, start, .. } = *self;
        let places = places_taken(unit, session_id).await?;
        let command = SessionCommand::RescheduleSession {
            session_id,
            start,
            resource_ids: self.resource_ids.clone(),
            overriding: self.overriding.clone(),
            taken: places.keys().copied().collect(),
        };
        let decided = unit.decide::<Session>(Target::Existing(session_id.uuid()), command).await?;
        decided.map_err(|refusal| abort(session_id, refusal))?;
        let session = unit.load::<Session>(session_id.uuid()).await?;
        let Some(plan) = session.as_ref().and_then(|(session, _)| session.plan()) else {
            return Ok(());
        };
        for id in places.into_values() {
            let command = AppointmentCommand::FollowSession { plan: Box::new(plan.clone()) };
            follow(unit, session_id, id, command).await?;
        }
        Ok(())
    }
}

/// Which places of a session are taken, and by whom.
async fn places_taken(
    unit: &mut UnitContext<'_>,
    session_id: SessionId,
) -> Result<BTreeMap<u16, AppointmentId>, Abort> {
    let session = unit.load::<Session>(session_id.uuid()).await?;
    let Some((_, plan)) = session.as_ref().and_then(|(session, _)| open(session_id, session))
    else {
        return Ok(BTreeMap::new());
    };
    let query = places(session_id, plan);
    let claims = unit.claims(&[query]).await?;
    Ok(claims.of(query.resource).iter().map(|taken| (taken.claim.seat, taken.holder)).collect())
}

/// Decides for an appointment that has a place.
async fn follow(
    unit: &mut UnitContext<'_>,
    session_id: SessionId,
    id: AppointmentId,
    command: AppointmentCommand,
) -> Result<(), Abort> {
    let decided = unit.decide::<Appointment>(Target::Existing(id.uuid()), command).await?;
    decided.map_err(|refusal| abort(session_id, refusal))
}

/// A refusal, if it is not only that somebody has taken a place or given one up since the claims
/// were read.
fn abort(session_id: SessionId, refusal: Refusal) -> Abort {
    use AppointmentRefusal::{HoldExpired, SlotTaken, WrongStatus};
    match refusal {
        Refusal::Appointment(SlotTaken { resource_id, .. })
            if resource_id == session_id.places() =>
        {
            Abort::Outdated
        }
        Refusal::Appointment(
            WrongStatus { status: Status::Cancelled | Status::NoShow, .. } | HoldExpired { .. },
        ) => Abort::Outdated,
        refusal => Abort::Refused(refusal),
    }
}

fn open(id: SessionId, session: &Session) -> Option<(SessionId, &SessionScheduled)> {
    use daybook_domain::session::SessionStatus::Scheduled;
    match session {
        Session::Made { plan, status: Scheduled, .. } => Some((id, plan)),
        _ => None,
    }
}

fn places(id: SessionId, plan: &SessionScheduled) -> ClaimQuery {
    ClaimQuery { resource: id.places(), during: plan.places_during }
}

impl Engine {
    /// Calls a session off, with the appointments in it.
    ///
    /// # Errors
    /// When it is refused, or when nothing can be decided or appended at present.
    #[must_use]
    pub fn cancel_session<'a>(
        &'a self,
        context: &'a CommandContext,
        cancelling: &'a CancelSession,
    ) -> BoxFuture<'a, Result<Executed<Session>, ExecuteError>> {
        Box::pin(self.execute_unit(context, cancelling.session_id.uuid(), cancelling))
    }

    /// Moves a session, with the appointments in it.
    ///
    /// # Errors
    /// When it is refused, or when nothing can be decided or appended at present.
    #[must_use]
    pub fn reschedule_session<'a>(
        &'a self,
        context: &'a CommandContext,
        moving: &'a MoveSession,
    ) -> BoxFuture<'a, Result<Executed<Session>, ExecuteError>> {
        Box::pin(self.execute_unit(context, moving.session_id.uuid(), moving))
    }

    /// The service of a session, which never changes; `None`: there is no such session.
    ///
    /// # Errors
    /// When the log cannot be read.
    #[must_use]
    pub fn service_of<'a>(
        &'a self,
        tenant: &'a TenantId,
        session_id: SessionId,
    ) -> BoxFuture<'a, Result<Option<ServiceId>, ExecuteError>> {
        Box::pin(async move {
            let session: Arc<Session> =
                self.fact(tenant, session_id.uuid(), false, &mut Vec::new()).await?;
            Ok(session.plan().map(|plan| plan.service_id))
        })
    }

    /// Who has a place of each of these sessions now; of one that was cancelled, nobody.
    ///
    /// # Errors
    /// When the claims cannot be read.
    #[must_use]
    pub fn who_is_in<'a>(
        &'a self,
        tenant: &'a TenantId,
        sessions: &'a [(SessionId, &'a Session)],
    ) -> BoxFuture<'a, Result<Vec<Vec<AppointmentId>>, ExecuteError>> {
        Box::pin(async move {
            let now = self.clock.now();
            let queries: Vec<Option<ClaimQuery>> = sessions
                .iter()
                .map(|(id, session)| open(*id, session).map(|(id, plan)| places(id, plan)))
                .collect();
            let all: Vec<ClaimQuery> = queries.iter().flatten().copied().collect();
            let claims = self.load_claims(tenant, &all, Uuid::nil(), now).await?;
            let who = |query: Option<ClaimQuery>| {
                let taken = query.map(|query| claims.of(query.resource)).unwrap_or_default();
                taken.iter().map(|taken| taken.holder).collect()
            };
            Ok(queries.into_iter().map(who).collect())
        })
    }
}
