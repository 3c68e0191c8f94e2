//! The waiting list: what an entry becomes is decided together with the hold that is offered to it.
//!
//! These are the commands of a process manager: the program's promoter follows the log, and gives them when
//! a place may have become available or an offer has ended. It keeps no state of its own: where a process
//! has come to is in the entry.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, SubsecRound as _, Utc};
use daybook_domain::appointment::{
    Appointment, AppointmentCommand, AppointmentRefusal, AppointmentState as Held, Booking, When,
};
use daybook_domain::claim::ClaimQuery;
use daybook_domain::service::{HoldLimit, Service};
use daybook_domain::session::{Session, SessionScheduled};
use daybook_domain::time::OfferLength;
use daybook_domain::waiting::{
    EntryState, Joined, Look, Offer, Opening, OpeningSearch, WaitingCommand, WaitingEntry,
    WaitingRefusal, Wishes,
};
use daybook_domain::{Refusal, ServiceId, SessionId, TenantId, WaitingEntryId};
use futures::future::BoxFuture;
use uuid::Uuid;

use super::{
    Abort, AvailabilityQuery, Catalogue, CommandContext, Engine, ExecuteError, Executed, Target,
    UnitContext, UnitOfWork,
};

/// How many places are tried for an entry, one after the other: each may have been taken since it
/// was seen, or be one too many for the client that day.
const MAX_TRIES: usize = OpeningSearch::MAX_DATES;

/// How much can be booked, of all resources that would do and on all days that are wished for, where places are
/// still looked for.
const MAX_CLAIMS: usize = 1_000_000;

/// For how long a place is offered, and how much a client can hold with it.
#[derive(Debug, Clone, Copy)]
pub struct OfferTerms {
    /// How long the hold is kept.
    pub length: OfferLength,
    /// The most that the client can hold at once, this one among them.
    pub holds_per_client: HoldLimit,
}

impl Engine {
    /// A service and the resources, as the log has them now or later: what the cache has may be older than an event
    /// that was read.
    ///
    /// # Errors
    /// When the log cannot be read.
    #[must_use]
    pub fn present_catalogue<'a>(
        &'a self,
        tenant: &'a TenantId,
        service: ServiceId,
    ) -> BoxFuture<'a, Result<Catalogue, ExecuteError>> {
        Box::pin(async move { self.catalogue(tenant, Some(service), true).await })
    }

    /// The places that were free at `now` and fit the wishes, the earliest first; only where it is told to look.
    ///
    /// # Errors
    /// When the log cannot be read.
    #[must_use]
    pub fn places_for<'a>(
        &'a self,
        tenant: &'a TenantId,
        wishes: &'a Wishes,
        look: &'a Look,
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<Vec<Opening>, ExecuteError>> {
        Box::pin(async move {
            let choose = |catalogue: &Catalogue, _| {
                let search = OpeningSearch::of(wishes, &catalogue.service, &catalogue.directory);
                let search = search.and_then(|search| search.where_told(look));
                let OpeningSearch { resources, during, .. } =
                    search.as_ref().ok_or(Unseen::Nothing)?;
                let (resources, during) = (resources.clone(), *during);
                Ok(AvailabilityQuery { resources, during, max_claims: MAX_CLAIMS, purpose: search })
            };
            let service = Some(wishes.service_id);
            let snapshot = self.availability_snapshot_as_of(tenant, service, Some(now), choose);
            let snapshot = match snapshot.await {
                Ok(snapshot) => snapshot,
                Err(Unseen::Nothing) => return Ok(Vec::new()),
                Err(Unseen::Failed(error)) => return Err(error),
            };
            let search = snapshot.query.purpose.as_ref();
            Ok(search
                .map(|search| search.openings(wishes, &snapshot.calendars(), now))
                .unwrap_or_default())
        })
    }

    /// The places in these sessions that were free at `now` and fit the wishes, in their order.
    ///
    /// # Errors
    /// When the claims cannot be read.
    #[must_use]
    pub fn places_in<'a>(
        &'a self,
        tenant: &'a TenantId,
        wishes: &'a Wishes,
        sessions: &'a [(SessionId, Session)],
        now: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<Vec<Opening>, ExecuteError>> {
        Box::pin(async move {
            let service: Arc<Service> =
                self.fact(tenant, wishes.service_id.uuid(), false, &mut Vec::new()).await?;
            let Some(terms) = service.terms() else { return Ok(Vec::new()) };
            let by = (&terms.rules, now);
            let fitting = sessions.iter().filter_map(|(id, session)| {
                Some((session.plan()?, Opening::in_session(wishes, *id, session, by)?))
            });
            let fitting: Vec<_> = fitting.collect();
            let query = |(plan, place): &(&SessionScheduled, Opening)| {
                let resource = place.session_id?.places();
                Some(ClaimQuery { resource, during: plan.places_during })
            };
            let queries: Vec<ClaimQuery> = fitting.iter().filter_map(query).collect();
            if queries.is_empty() {
                return Ok(Vec::new());
            }
            let claims = self.load_claims(tenant, &queries, Uuid::nil(), now).await?;
            let has_room = |(plan, place): &(&SessionScheduled, Opening)| {
                place.session_id.is_some_and(|id| {
                    let during = plan.places_during;
                    !claims.free_seats(id.places(), plan.places.get(), &during).is_empty()
                })
            };
            Ok(fitting.into_iter().filter(has_room).map(|(_, place)| place).collect())
        })
    }

    /// Holds the first of these places that can be had, and offers it to the entry: both, or neither.
    ///
    /// # Errors
    /// When none can be had, the entry waits no longer, or nothing can be decided at present.
    #[must_use]
    pub fn offer_place<'a>(
        &'a self,
        context: &'a CommandContext,
        entry: WaitingEntryId,
        places: &'a [Opening],
        terms: OfferTerms,
    ) -> BoxFuture<'a, Result<Executed<WaitingEntry>, ExecuteError>> {
        Box::pin(async move {
            let work = OfferPlace { entry, places, terms };
            self.execute_unit(context, entry.uuid(), &work).await
        })
    }

    /// Records what has become of an entry by itself: its offer was taken or has lapsed, or its wishes
    /// have passed.
    ///
    /// # Errors
    /// When there is nothing to record, or it cannot be recorded at present.
    #[must_use]
    pub fn settle_entry<'a>(
        &'a self,
        context: &'a CommandContext,
        entry: WaitingEntryId,
    ) -> BoxFuture<'a, Result<Executed<WaitingEntry>, ExecuteError>> {
        Box::pin(
            async move { self.execute_unit(context, entry.uuid(), &SettleEntry { entry }).await },
        )
    }

    /// Takes an entry off the list. A place that is offered to it is free again in the same moment.
    ///
    /// # Errors
    /// When it waits no longer, or nothing can be decided at present.
    #[must_use]
    pub fn leave_waiting_list<'a>(
        &'a self,
        context: &'a CommandContext,
        entry: WaitingEntryId,
    ) -> BoxFuture<'a, Result<Executed<WaitingEntry>, ExecuteError>> {
        Box::pin(async move {
            self.execute_unit(context, entry.uuid(), &LeaveWaitingList { entry }).await
        })
    }
}

/// Why there was nothing to see.
enum Unseen {
    /// Nothing fits, whatever is free.
    Nothing,
    Failed(ExecuteError),
}

impl From<ExecuteError> for Unseen {
    fn from(error: ExecuteError) -> Self {
        Self::Failed(error)
    }
}

struct OfferPlace<'a> {
    entry: WaitingEntryId,
    places: &'a [Opening],
    terms: OfferTerms,
}

impl UnitOfWork for OfferPlace<'_> {
    type Root = WaitingEntry;

    async fn decide(&self, unit: &mut UnitContext<'_>) -> Result<(), Abort> {
        let (joined, state) = as_it_is(unit, self.entry).await?;
        match state {
            EntryState::Waiting => {}
            EntryState::Offered(_) => return Err(Refusal::from(WaitingRefusal::OfferOpen).into()),
            closed => return Err(entry_closed(closed)),
        }
        let offer = self.hold(unit, &joined).await?;
        let target = Target::Existing(self.entry.uuid());
        unit.decide::<WaitingEntry>(target, WaitingCommand::OfferPlace(offer)).await??;
        Ok(())
    }
}

/// Whether another place can still be offered, after none of some could be had.
#[must_use]
pub const fn another_place_may_do(refusal: &Refusal) -> bool {
    match refusal {
        // Nothing could be tried of those.
        Refusal::Waiting(WaitingRefusal::NoOffer) => true,
        // The entry has an offer, or is closed; the client holds enough, or nothing is booked for them.
        Refusal::Waiting(_)
        | Refusal::Appointment(
            AppointmentRefusal::ClientHoldLimit { .. }
            | AppointmentRefusal::ErasedClient { .. }
            | AppointmentRefusal::RestrictedClient { .. },
        ) => false,
        _ => true,
    }
}

impl OfferPlace<'_> {
    /// Holds the first place that can be had.
    async fn hold(&self, unit: &mut UnitContext<'_>, joined: &Joined) -> Result<Offer, Abort> {
        let expires_at = (unit.now() + self.terms.length.delta()).trunc_subsecs(6);
        let mut refused = None;
        let mut full: Vec<NaiveDate> = Vec::new();
        let mut tries = 0;
        for place in self.places {
            if tries == MAX_TRIES {
                break;
            }
            if full.contains(&place.date) {
                continue;
            }
            tries += 1;
            let target = Target::fresh();
            let command = AppointmentCommand::HoldAppointment {
                booking: booking(joined, place),
                expires_at,
                holds_per_client: self.terms.holds_per_client,
            };
            let Err(refusal) = unit.decide::<Appointment>(target, command).await? else {
                let appointment_id = target.id().into();
                return Ok(Offer { appointment_id, start: place.start, expires_at });
            };
            if !another_place_may_do(&refusal) {
                return Err(refusal.into());
            }
            if let Refusal::Appointment(AppointmentRefusal::ClientDayLimit { date, .. }) = &refusal
            {
                full.push(*date);
            }
            refused = Some(refusal);
        }
        // Nothing was tried: nothing is offered.
        Err(refused.unwrap_or_else(|| WaitingRefusal::NoOffer.into()).into())
    }
}

/// What the client would have booked. Wished resources are named; who else is needed is chosen.
fn booking(joined: &Joined, place: &Opening) -> Booking {
    let (wishes, start) = (&joined.wishes, place.start);
    let when = place.session_id.map_or_else(|| When::at(start, wishes.duration), When::InSession);
    let booking = Booking::new(wishes.service_id, joined.client_id, when);
    Booking { resource_ids: place.resource_ids.clone(), ..booking }
}

struct SettleEntry {
    entry: WaitingEntryId,
}

impl UnitOfWork for SettleEntry {
    type Root = WaitingEntry;

    async fn decide(&self, unit: &mut UnitContext<'_>) -> Result<(), Abort> {
        let (joined, state) = as_it_is(unit, self.entry).await?;
        // What a hold has become is never undone. But one that has lapsed, and of which that is not
        // recorded, may have been confirmed in time by somebody who is not yet done: so it is recorded
        // with the entry.
        if let (EntryState::Offered(_), EntryState::Lapsed(offer)) = (joined.state, state) {
            let id = offer.appointment_id.uuid();
            let hold = unit.load::<Appointment>(id).await?;
            if let Some((Appointment::Made { state: Held::Held { .. }, .. }, _)) = hold {
                let target = Target::Existing(id);
                unit.decide::<Appointment>(target, AppointmentCommand::ExpireHold).await??;
            }
        }
        let command = match (joined.state, state) {
            (EntryState::Offered(_), EntryState::Taken(_)) => WaitingCommand::TakePlace,
            (EntryState::Offered(_), EntryState::Lapsed(_)) => WaitingCommand::LapseOffer,
            (EntryState::Waiting, EntryState::Expired) => WaitingCommand::PassWishes,
            (EntryState::Offered(_), _) => {
                return Err(Refusal::from(WaitingRefusal::OfferOpen).into());
            }
            (EntryState::Waiting, _) => {
                return Err(Refusal::from(WaitingRefusal::WishesStand).into());
            }
            (closed, _) => return Err(entry_closed(closed)),
        };
        unit.decide::<WaitingEntry>(Target::Existing(self.entry.uuid()), command).await??;
        Ok(())
    }
}

struct LeaveWaitingList {
    entry: WaitingEntryId,
}

impl UnitOfWork for LeaveWaitingList {
    type Root = WaitingEntry;

    async fn decide(&self, unit: &mut UnitContext<'_>) -> Result<(), Abort> {
        let (_, state) = as_it_is(unit, self.entry).await?;
        match state {
            EntryState::Waiting => {}
            EntryState::Offered(offer) => {
                let hold = Target::Existing(offer.appointment_id.uuid());
                unit.decide::<Appointment>(hold, AppointmentCommand::ReleaseHold).await??;
            }
            // Also where that has not been recorded yet.
            closed => return Err(entry_closed(closed)),
        }
        let target = Target::Existing(self.entry.uuid());
        unit.decide::<WaitingEntry>(target, WaitingCommand::Leave).await??;
        Ok(())
    }
}

/// An entry, and its state as everybody must see it now.
async fn as_it_is(
    unit: &mut UnitContext<'_>,
    id: WaitingEntryId,
) -> Result<(Joined, EntryState), Abort> {
    let not_found = || Abort::from(Refusal::from(WaitingRefusal::EntryNotFound));
    let entry = unit.load::<WaitingEntry>(id.uuid()).await?;
    let Some((WaitingEntry::Joined(joined), _)) = entry else { return Err(not_found()) };
    let hold = match joined.state {
        EntryState::Offered(offer) => unit.load::<Appointment>(offer.appointment_id.uuid()).await?,
        _ => None,
    };
    let state = joined.seen(hold.as_ref().map(|(hold, _)| hold), unit.now());
    Ok((joined, state))
}

fn entry_closed(state: EntryState) -> Abort {
    Refusal::from(WaitingRefusal::EntryClosed { waiting_status: state.status() }).into()
}
