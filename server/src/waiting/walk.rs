//! The walk through those who wait, in turn.
//!
//! Each is looked at only at the times for which something has become available that they wait for. As of one
//! moment for all: a hold that lapses meanwhile is not for those who come later in the queue. When a place was found,
//! and before it is offered, it is asked what has become available since the walk began: that may be for somebody
//! before, so the walk begins anew, with those who were looked at already only for that.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use daybook_domain::session::SessionStatus;
use daybook_domain::waiting::{Freed, Look, Opening, Wishes};
use daybook_domain::{ServiceId, TenantId, WaitingEntryId};
use daybook_projections::sessions::SessionFilter;
use daybook_projections::waiting::Entry;
use daybook_projections::{Cursor, Limit};
use daybook_store::engine::{Catalogue, OfferTerms, another_place_may_do};
use daybook_store::promotions::Promoted;
use daybook_store::{CommandContext, ExecuteError, Position};
use tokio::runtime::Handle;
use tokio::task::block_in_place;
use tokio::time::Instant;

use super::Promoter;
use super::turn::is_another_quarter;

/// How many entries are read at once.
const PAGE: u32 = 200;

/// How many pages of sessions are looked at for a wish: a service with a session every hour has fewer in
/// the days of one.
const MAX_SESSION_PAGES: u32 = 16;

/// How often a walk is begun anew because something became available meanwhile. After that it is gone to its end, so
/// that nobody far back waits for ever while much comes and goes.
const MAX_RESTARTS: usize = 5;

/// A walk, and where it is.
pub(super) struct Walk {
    /// How far the tenant was before.
    pub(super) base: Promoted,
    /// What has become available, and who was looked at for that already: those up to a turn.
    parts: Vec<(Freed, Position)>,
    /// Up to here it is known what has become available.
    pub(super) until: Position,
    /// The moment as of which all are looked at.
    now: DateTime<Utc>,
    /// Who was looked at last.
    at: Position,
    /// Somebody could not be offered anything for now.
    failed: bool,
}

/// How a part of a walk ended.
pub(super) enum Walked {
    ToTheEnd,
    /// It came to the end, but somebody is to be looked at again.
    NotAll,
    /// The time was over.
    NotYet,
    /// It has begun anew, and what it reads has not read the log as far as that.
    Behind,
}

/// What has come of an offer.
enum Offered {
    /// A place, or none: whoever is next in turn can be looked at.
    Done,
    /// The walk is to begin anew.
    Overtaken,
}

/// Where places were looked for already.
#[derive(Default, PartialEq, Eq)]
enum PlaceSearch {
    /// Nowhere: it begins with the service's own time.
    #[default]
    OwnTime,
    /// There, and in so many pages of its sessions.
    Sessions {
        pages: u32,
        after: Option<Cursor>,
    },
    Over,
}

impl Walk {
    pub(super) fn new(base: Promoted, freed: Freed, until: Position, now: DateTime<Utc>) -> Self {
        let parts = if freed.is_nothing() { Vec::new() } else { vec![(freed, Position::START)] };
        Self { base, parts, until, now, at: Position::START, failed: false }
    }

    pub(super) fn is_for_nobody(&self) -> bool {
        self.parts.is_empty()
    }

    /// How far the tenant is when this has come to its end.
    pub(super) fn promoted(&self) -> Promoted {
        let passed = self.base.passed.filter(|passed| !is_another_quarter(*passed, self.now));
        Promoted { read: Some(self.until), passed: passed.or(Some(self.now)) }
    }

    /// Something has become available meanwhile: from the front once more, and for that only until here.
    fn begin_anew(&mut self, freed: Freed) {
        for (_, looked_at) in &mut self.parts {
            *looked_at = self.at.max(*looked_at);
        }
        self.parts.push((freed, Position::START));
        self.at = Position::START;
    }

    fn look(&self, entry: &Entry, catalogue: &Catalogue) -> Look {
        let parts = self.parts.iter().filter(|(_, looked_at)| *looked_at < entry.turn);
        let of = (entry.entry_id, &entry.joined);
        let looks =
            parts.map(|(freed, _)| freed.look(of, &catalogue.service, &catalogue.directory));
        looks.fold(Look::Nowhere, Look::or)
    }
}

/// Whether the others can be looked at although something is wrong with one entry.
fn go_on(
    tenant: &TenantId,
    id: WaitingEntryId,
    error: anyhow::Error,
    walk: &mut Walk,
) -> anyhow::Result<()> {
    match error.downcast_ref() {
        // Too many want the same as it at once.
        Some(ExecuteError::Contended) => walk.failed = true,
        Some(ExecuteError::Unreadable(_) | ExecuteError::TooBroad { .. }) => {
            tracing::warn!(%tenant, %id, %error, "an entry of the waiting list is skipped");
        }
        _ => return Err(error.context("a place is not offered")),
    }
    Ok(())
}

impl Promoter {
    /// Goes on with a walk until its end, or until the time is over.
    pub(super) async fn walk(
        &self,
        tenant: &TenantId,
        walk: &mut Walk,
        end: Instant,
    ) -> anyhow::Result<Walked> {
        let mut catalogues = HashMap::new();
        loop {
            let waiting = self.list.in_turn(tenant, walk.at, walk.now, PAGE).await?;
            if waiting.is_empty() {
                return Ok(if walk.failed { Walked::NotAll } else { Walked::ToTheEnd });
            }
            for entry in &waiting {
                if Instant::now() > end {
                    return Ok(Walked::NotYet);
                }
                let service = entry.joined.wishes.service_id;
                let catalogue = match self.catalogue(tenant, service, &mut catalogues).await {
                    Ok(catalogue) => catalogue,
                    Err(error) => {
                        go_on(tenant, entry.entry_id, error.into(), walk)?;
                        walk.at = entry.turn;
                        continue;
                    }
                };
                let look = walk.look(entry, catalogue);
                if look != Look::Nowhere
                    && let Offered::Overtaken = self.offer(tenant, entry, &look, walk).await?
                {
                    if !self.has_been_read(tenant, walk.until).await? {
                        return Ok(Walked::Behind);
                    }
                    // What a service or a resource is may be different, too.
                    catalogues.clear();
                    break;
                }
                walk.at = entry.turn;
            }
        }
    }

    /// A service and the resources, as they are in this part of the walk.
    async fn catalogue<'a>(
        &self,
        tenant: &TenantId,
        service: ServiceId,
        known: &'a mut HashMap<ServiceId, Catalogue>,
    ) -> Result<&'a Catalogue, ExecuteError> {
        use std::collections::hash_map::Entry::{Occupied, Vacant};
        Ok(match known.entry(service) {
            Occupied(known) => known.into_mut(),
            Vacant(unknown) => {
                unknown.insert(self.parts.engine.present_catalogue(tenant, service).await?)
            }
        })
    }

    /// Finds a place for an entry, holds it and offers it.
    async fn offer(
        &self,
        tenant: &TenantId,
        entry: &Entry,
        look: &Look,
        walk: &mut Walk,
    ) -> anyhow::Result<Offered> {
        let id: WaitingEntryId = entry.entry_id;
        let mut search = PlaceSearch::default();
        loop {
            // It can take a while of processor time; the other tasks of this thread go on elsewhere.
            let found = self.next_places(tenant, &entry.joined.wishes, look, walk.now, &mut search);
            let places = match block_in_place(|| Handle::current().block_on(found)) {
                Ok(Some(places)) => places,
                Ok(None) => return Ok(Offered::Done),
                Err(error) => {
                    go_on(tenant, id, error, walk)?;
                    return Ok(Offered::Done);
                }
            };
            // What has become available since the walk began may be what was found, and those who were looked at
            // before have not seen it.
            if self.is_overtaken(tenant, walk).await? {
                return Ok(Offered::Overtaken);
            }
            let settings = self.parts.engine.tenants().get(tenant).await?.settings;
            let terms = OfferTerms {
                length: settings.offer_minutes,
                holds_per_client: settings.holds_per_client,
            };
            let context = CommandContext::new(tenant.clone(), "daybook:waiting-list");
            match self.parts.engine.offer_place(&context, id, &places, terms).await {
                Ok(_) => {
                    tracing::debug!(%tenant, %id, "a place is offered");
                    return Ok(Offered::Done);
                }
                // Others were faster, the client has enough, or the entry is offered something already.
                Err(ExecuteError::Refused(refusal)) => {
                    tracing::debug!(%tenant, %id, %refusal, "nothing is offered");
                    if !another_place_may_do(&refusal) {
                        return Ok(Offered::Done);
                    }
                }
                Err(error) => {
                    go_on(tenant, id, error.into(), walk)?;
                    return Ok(Offered::Done);
                }
            }
        }
    }

    /// Whether something has become available since it was last asked: then the walk begins anew. Only so often.
    pub(super) async fn is_overtaken(
        &self,
        tenant: &TenantId,
        walk: &mut Walk,
    ) -> anyhow::Result<bool> {
        if walk.parts.len() > MAX_RESTARTS {
            return Ok(false);
        }
        let head = self.head(tenant).await?;
        let freed = self.parts.engine.freed(tenant, walk.until, head).await?;
        walk.until = head;
        let overtaken = !freed.is_nothing();
        if overtaken {
            walk.begin_anew(freed);
        }
        Ok(overtaken)
    }

    /// The next places that were free then and fit: of the service's own time, then page by page in its sessions. `None`:
    /// there are no more, or enough were tried.
    async fn next_places(
        &self,
        tenant: &TenantId,
        wishes: &Wishes,
        look: &Look,
        now: DateTime<Utc>,
        search: &mut PlaceSearch,
    ) -> anyhow::Result<Option<Vec<Opening>>> {
        let engine = &self.parts.engine;
        if *search == PlaceSearch::OwnTime {
            *search = PlaceSearch::Sessions { pages: 0, after: None };
            let places = engine.places_for(tenant, wishes, look, now).await?;
            if !places.is_empty() {
                return Ok(Some(places));
            }
        }
        let days = look.of(wishes.days.bounds().into_iter().collect());
        let Some(days) = days.into_iter().reduce(|all, time| all.hull(&time)) else {
            return Ok(None);
        };
        let filter = SessionFilter {
            from: Some(days.start().max(now)),
            to: Some(days.end()),
            service_ids: [wishes.service_id].into(),
            status: Some(SessionStatus::Scheduled),
        };
        while let PlaceSearch::Sessions { pages, after } = search
            && *pages < MAX_SESSION_PAGES
        {
            let limit = Limit::new(PAGE)?;
            let page = self.sessions.page(tenant, &filter, after.as_ref(), limit).await?;
            *search = match page.next {
                Some(next) => PlaceSearch::Sessions { pages: *pages + 1, after: Some(next) },
                None => PlaceSearch::Over,
            };
            let sessions = page.items.into_iter().map(|listed| (listed.session_id, listed.session));
            let sessions: Vec<_> = sessions.collect();
            let places = engine.places_in(tenant, wishes, &sessions, now).await?;
            if !places.is_empty() {
                return Ok(Some(places));
            }
        }
        Ok(None)
    }
}
