//! One tenant's turn: who waits is gone through, and offered what fits.
//!
//! 1. It waits until the waiting-list projection has read as far as the log has come. If nothing in the new events can
//!    have freed a place, it rests.
//! 2. For each entry in turn it searches for free time, or for places in sessions, all as of one position.
//! 3. Has a place become available since it began? Then it begins anew, for those in front.
//! 4. Hold and offer are decided in one unit of work; what was taken meanwhile is skipped for the next that fits.
//! 5. When the hold has ended, that is recorded of the entry.

use std::time::Duration;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use daybook_domain::appointment::AppointmentEvent;
use daybook_domain::resource::ResourceEvent;
use daybook_domain::service::ServiceEvent;
use daybook_domain::session::SessionStatus;
use daybook_domain::waiting::{Opening, WaitingEvent, Wishes};
use daybook_domain::{TenantId, WaitingEntryId};
use daybook_projections::sessions::{SessionFilter, Sessions};
use daybook_projections::waiting::{Entry, WaitingList};
use daybook_projections::{Limit, WaitError};
use daybook_store::{AnyEvent, CommandContext, ExecuteError, Position, RecordedEvent};
use tokio::time::Instant;

use super::{Promoter, Remembered};

/// How often all who wait are looked at although nothing has happened: time alone can bring a day within
/// the booking horizon.
const RECHECK_INTERVAL: Duration = Duration::from_mins(1);

/// How long a turn waits for the projection. It must know all who have joined before anybody is
/// offered anything.
const CATCH_UP_TIMEOUT: Duration = Duration::from_secs(2);

/// How many entries, or events, are read at once.
const PAGE: u32 = 200;

/// How many pages of sessions are looked at for a wish: a service with a session every hour has fewer in
/// the days of one.
const MAX_SESSION_PAGES: u32 = 16;

/// How often the queue is begun anew within a turn because something became available meanwhile. After that
/// it is gone through to its end, so that nobody far back waits for ever while much comes and goes.
const MAX_STARTS: u32 = 5;

/// How a walk through the queue ended.
enum Walked {
    /// All were looked at.
    ToTheEnd,
    /// Something has become available meanwhile, which may be for somebody before.
    Overtaken,
}

impl Promoter {
    /// One tenant's turn: what is to be remembered after it.
    pub(super) async fn turn(
        &self,
        tenant: &TenantId,
        head: Position,
        before: Option<Remembered>,
    ) -> anyhow::Result<Remembered> {
        self.settle(tenant).await?;
        let began = Instant::now();
        let rested = before.filter(|it| it.looked.elapsed() < RECHECK_INTERVAL);
        if let Some(rested) = rested.filter(|rested| rested.read == head) {
            return Ok(Remembered { began, ..rested });
        }
        self.caught_up(tenant, head).await?;
        let now = self.parts.clock.now();
        let first = self.list.in_turn(tenant, Position::default(), now, 1).await?;
        if first.is_empty() {
            return Ok(Remembered { read: head, looked: began, began });
        }
        if let Some(rested) = rested
            && !self.has_freed(tenant, rested.read, head).await?
        {
            return Ok(Remembered { read: head, began, ..rested });
        }
        self.promote(tenant, head).await
    }

    /// Records what has become of entries by itself.
    async fn settle(&self, tenant: &TenantId) -> anyhow::Result<()> {
        let now = self.parts.clock.now();
        for id in self.list.due(tenant, now, PAGE).await? {
            let context = context(tenant);
            match self.parts.engine.settle_entry(&context, id).await {
                // Refused: another has recorded it, and the projection has not read that yet.
                Ok(_) | Err(ExecuteError::Refused(_)) => {}
                Err(error) => goes_on(tenant, id, error).context("an entry is not settled")?,
            }
        }
        Ok(())
    }

    /// Goes through all who wait, in turn, and begins anew when something becomes available before the end.
    async fn promote(&self, tenant: &TenantId, head: Position) -> anyhow::Result<Remembered> {
        let looked = Instant::now();
        let mut read = head;
        for start in 1..=MAX_STARTS {
            let is_last = start == MAX_STARTS;
            if let Walked::ToTheEnd = self.walk(tenant, &mut read, is_last).await? {
                break;
            }
            self.caught_up(tenant, read).await?;
        }
        Ok(Remembered { read, looked, began: looked })
    }

    /// Offers what was free when it began. `read` is up to where it is known that nothing has become
    /// available since; the last walk does not ask, and leaves that to the next turn.
    async fn walk(
        &self,
        tenant: &TenantId,
        read: &mut Position,
        is_last: bool,
    ) -> anyhow::Result<Walked> {
        // One moment for all: a hold that lapses meanwhile is not for those who come later in the queue.
        let now = self.parts.clock.now();
        let mut turn = Position::default();
        loop {
            let waiting = self.list.in_turn(tenant, turn, now, PAGE).await?;
            let Some(last) = waiting.last() else { return Ok(Walked::ToTheEnd) };
            turn = last.turn;
            for entry in &waiting {
                let read = if is_last { None } else { Some(&mut *read) };
                if let Walked::Overtaken = self.offer(tenant, entry, now, read).await? {
                    return Ok(Walked::Overtaken);
                }
            }
        }
    }

    /// Finds a place for an entry, holds it and offers it.
    async fn offer(
        &self,
        tenant: &TenantId,
        entry: &Entry,
        now: DateTime<Utc>,
        read: Option<&mut Position>,
    ) -> anyhow::Result<Walked> {
        let engine = &self.parts.engine;
        let places = self.places(tenant, &entry.joined.wishes, now).await?;
        if places.is_empty() {
            return Ok(Walked::ToTheEnd);
        }
        // What has become available since the walk began may be what was found, and those who were looked at
        // before have not seen it.
        if let Some(read) = read {
            let head = self.parts.log().head(tenant).await?.unwrap_or_default();
            let freed = self.has_freed(tenant, *read, head).await?;
            *read = head;
            if freed {
                return Ok(Walked::Overtaken);
            }
        }
        let id: WaitingEntryId = entry.entry_id;
        match engine.offer_place(&context(tenant), id, &places, self.terms).await {
            Ok(_) => tracing::debug!(%tenant, %id, "a place is offered"),
            // Others were faster, the client has enough, or the entry is offered something already.
            Err(ExecuteError::Refused(refusal)) => {
                tracing::debug!(%tenant, %id, %refusal, "nothing is offered");
            }
            Err(error) => goes_on(tenant, id, error).context("a place is not offered")?,
        }
        Ok(Walked::ToTheEnd)
    }

    /// The places that were free then and fit: of the service's own time, or in its sessions.
    async fn places(
        &self,
        tenant: &TenantId,
        wishes: &Wishes,
        now: DateTime<Utc>,
    ) -> anyhow::Result<Vec<Opening>> {
        let engine = &self.parts.engine;
        let places = engine.places_for(tenant, wishes, now).await?;
        let Some(days) = wishes.days.bounds().filter(|_| places.is_empty()) else {
            return Ok(places);
        };
        let filter = SessionFilter {
            from: Some(days.start().max(now)),
            to: Some(days.end()),
            service_id: Some(wishes.service_id),
            status: Some(SessionStatus::Scheduled),
        };
        let mut cursor = None;
        for _ in 0..MAX_SESSION_PAGES {
            let limit = Limit::new(PAGE)?;
            let page = self.sessions.page(tenant, &filter, cursor.as_ref(), limit).await?;
            let sessions = page.items.into_iter().map(|listed| (listed.session_id, listed.session));
            let sessions: Vec<_> = sessions.collect();
            let places = engine.places_in(tenant, wishes, &sessions, now).await?;
            cursor = page.next;
            if !places.is_empty() || cursor.is_none() {
                return Ok(places);
            }
        }
        Ok(Vec::new())
    }

    /// Waits until what this reads has read the log up to a position.
    async fn caught_up(&self, tenant: &TenantId, at: Position) -> Result<(), WaitError> {
        let deadline = Instant::now() + CATCH_UP_TIMEOUT;
        for projection in [WaitingList::ID, Sessions::ID] {
            self.progress.wait_until(tenant, projection, at, deadline).await?;
        }
        Ok(())
    }

    /// Whether anything happened after a position, up to another, by which a place may have become available.
    async fn has_freed(
        &self,
        tenant: &TenantId,
        after: Position,
        until: Position,
    ) -> anyhow::Result<bool> {
        let mut after = after;
        while after < until {
            let events = self.parts.log().follow(tenant, after, PAGE).await?;
            let Some(last) = events.last() else { return Ok(false) };
            after = last.as_ref().map_or_else(|unreadable| unreadable.position, |it| it.position);
            // What cannot be read may be anything.
            let frees = |event: &Result<RecordedEvent, _>| {
                event.as_ref().map_or(true, |recorded| may_free(&recorded.event))
            };
            if events.iter().any(frees) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Whether the others can go on although one entry cannot: what is wrong with it, or too many want the
/// same as it at once.
fn goes_on(tenant: &TenantId, id: WaitingEntryId, error: ExecuteError) -> Result<(), ExecuteError> {
    match error {
        ExecuteError::Contended | ExecuteError::Unreadable(_) => {
            tracing::warn!(%tenant, %id, %error, "an entry of the waiting list is skipped");
            Ok(())
        }
        error => Err(error),
    }
}

fn context(tenant: &TenantId) -> CommandContext {
    CommandContext::new(tenant.clone(), "daybook:waiting-list")
}

/// Whether there may be a place for somebody after it that was not there before.
const fn may_free(event: &AnyEvent) -> bool {
    match event {
        AnyEvent::Appointment(_, event) => matches!(
            event,
            AppointmentEvent::AppointmentCancelled(_)
                | AppointmentEvent::AppointmentHoldExpired(_)
                | AppointmentEvent::AppointmentMarkedNoShow(_)
                | AppointmentEvent::AppointmentRescheduled(_)
                | AppointmentEvent::AppointmentReassigned(_)
                // The client holds one less, and can be offered another.
                | AppointmentEvent::AppointmentConfirmed(_)
        ),
        AnyEvent::Resource(_, event) => !matches!(event, ResourceEvent::ResourceRetired(_)),
        AnyEvent::Service(_, event) => !matches!(event, ServiceEvent::ServiceRetired(_)),
        AnyEvent::Waiting(_, event) => matches!(event, WaitingEvent::WaitingListJoined(_)),
        AnyEvent::Session(..) => true,
        // What happens to a series happens to its appointments.
        AnyEvent::Client(..) | AnyEvent::Series(..) => false,
    }
}
