//! History: what was so at a moment is found as fast as what is so now.
//!
//! It reads the rows of [`crate::appointments`], which has every version of every appointment and session.
//! `calendar`: what was on the calendars of resources; `ever`: what has been on one; `sessions`: lists of those; `standing`: what
//! was to come.
//! Pages are found by the query of [`crate::search`].
//!
//! Why it is kept as it is: `docs/adr/0017-what-was-is-kept-in-rows.md`.

mod calendar;
mod ever;
mod sessions;
mod standing;

use std::collections::BTreeSet;

use daybook_domain::claim::Claim;
use daybook_domain::rights::Limits;
use daybook_domain::time::Interval;
use daybook_domain::{ResourceId, TenantId};
use daybook_store::Position;
use daybook_store::log::Moment;
use daybook_store::personal::Keyring;
use sqlx::PgPool;
use uuid::Uuid;

pub use crate::appointments::sessions::SessionVersion;
pub use crate::appointments::version::{AppointmentVersion, Outcome, Placed, Until};
pub use calendar::OnCalendar;
pub use standing::Standing;

use crate::conflicts::ConflictFilter;
use crate::search::query::{self, SearchQuery};
use crate::search::{FoundAppointment, SearchFilter, Sort};
use crate::sessions::SessionFilter;
use crate::{Cursor, CursorError, Limit, Page, PageError};

/// What was so at a moment.
#[derive(Debug, Clone)]
pub struct History {
    pool: PgPool,
    keyring: Option<Keyring>,
}

impl History {
    /// How many appointments, and how many sessions, are looked at as claims.
    pub const MAX_CLAIMS: usize = 10_000;

    /// Of the appointments in this database.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self { pool, keyring: None }
    }

    /// The same, which finds personal titles, too, by the secrets that are here.
    #[must_use]
    pub fn opened_by(self, keyring: Option<Keyring>) -> Self {
        Self { keyring, ..self }
    }

    /// A page of the appointments that the filter let through at a moment, as
    /// [`Search::page`](crate::search::Search::page) would have given it then.
    ///
    /// # Errors
    /// When the cursor is not of this search at this moment, or the database fails.
    pub async fn page(
        &self,
        tenant: &TenantId,
        (filter, sort): (&SearchFilter, Sort),
        cursor: Option<&Cursor>,
        limit: Limit,
        moment: Moment,
    ) -> Result<Page<FoundAppointment>, PageError> {
        let asked = SearchQuery::new(tenant, filter, sort, limit, moment.at).known_at(moment);
        let asked = asked.with_tokens(self.keyring.as_ref()).await?;
        query::page(&self.pool, &asked, cursor).await
    }

    /// For each of the resources in turn: what was claimed of it in some part of that time, without
    /// what had lapsed. `None`: there were more than [`MAX_CLAIMS`](Self::MAX_CLAIMS).
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claims(
        &self,
        tenant: &TenantId,
        resources: &[ResourceId],
        during: Interval,
        moment: Moment,
    ) -> Result<Option<Vec<Vec<Claim>>>, sqlx::Error> {
        let as_of = (moment.position, Self::MAX_CLAIMS + 1);
        let calendars = self.calendars(tenant, resources, during, as_of).await?;
        let appointments: usize = calendars.iter().map(|on| on.appointments.len()).sum();
        let is_too_much = |on: &OnCalendar| on.sessions.len() > Self::MAX_CLAIMS;
        if appointments > Self::MAX_CLAIMS || calendars.iter().any(is_too_much) {
            return Ok(None);
        }
        let each = resources.iter().zip(calendars);
        Ok(Some(each.map(|(resource, on)| on.claims(*resource, moment.at)).collect()))
    }

    /// A page of the sessions that the filter let through at a moment, by start; it may have fewer items than
    /// asked for although there is a next one.
    ///
    /// # Errors
    /// When the cursor is not of this list at this moment, or the database fails.
    pub async fn sessions(
        &self,
        tenant: &TenantId,
        filter: &SessionFilter,
        page: (Option<&Cursor>, Limit),
        moment: Moment,
    ) -> Result<Page<SessionVersion>, PageError> {
        sessions::page(&self.pool, tenant, filter, page, moment.position).await
    }

    /// Of the sessions that start in some time and have one of some resources, those of the first `limit` that take place, by start, as they are now: of all, or of
    /// these.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sessions_taking_place(
        &self,
        tenant: &TenantId,
        during: Interval,
        (these, resources): (Option<&[Uuid]>, Option<&[Uuid]>),
        limit: usize,
    ) -> Result<Vec<SessionVersion>, sqlx::Error> {
        sessions::taking_place(&self.pool, tenant, during, (these, resources), limit).await
    }

    /// Which of these appointments and sessions are of a resource or client, or once were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn ever_of(
        &self,
        tenant: &TenantId,
        ids: &BTreeSet<Uuid>,
        party: Uuid,
    ) -> Result<BTreeSet<Uuid>, sqlx::Error> {
        ever::of(&self.pool, tenant, ids, party).await
    }

    /// The appointments that were held or booked at a moment and had not begun, where they may have been in the
    /// conflicts that are asked for and lay within the limits.
    ///
    /// # Errors
    /// When the cursor is not of these conflicts at this moment.
    pub fn standing<'a>(
        &'a self,
        tenant: &'a TenantId,
        asked: (&ConflictFilter, &Limits),
        cursor: Option<&Cursor>,
        moment: Moment,
    ) -> Result<Standing<'a>, CursorError> {
        Standing::new(&self.pool, tenant, asked, cursor, moment)
    }

    pub(crate) async fn calendars(
        &self,
        tenant: &TenantId,
        resources: &[ResourceId],
        during: Interval,
        as_of: (Position, usize),
    ) -> Result<Vec<OnCalendar>, sqlx::Error> {
        calendar::on(&self.pool, tenant, resources, during, as_of).await
    }
}
