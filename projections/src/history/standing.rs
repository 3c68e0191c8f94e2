//! The appointments that stood at a moment and were to come.

use chrono::TimeDelta;
use daybook_domain::TenantId;
use daybook_domain::appointment::Status;
use daybook_domain::rights::Limits;
use daybook_store::log::Moment;
use sqlx::PgPool;

use crate::conflicts::ConflictFilter;
use crate::page::cursor::List;
use crate::page::keyset::{Keyset, StartKey};
use crate::search::query::{self, SearchQuery};
use crate::search::{FoundAppointment, SearchFilter, Sort};
use crate::{Cursor, CursorError, Limit};

/// Reads on and on through them, by start.
pub struct Standing<'a> {
    pool: &'a PgPool,
    tenant: &'a TenantId,
    filter: SearchFilter,
    keyset: Keyset<StartKey>,
    after: Option<StartKey>,
    moment: Moment,
    is_over: bool,
}

impl<'a> Standing<'a> {
    pub(super) fn new(
        pool: &'a PgPool,
        tenant: &'a TenantId,
        (asked, within): (&ConflictFilter, &Limits),
        cursor: Option<&Cursor>,
        moment: Moment,
    ) -> Result<Self, CursorError> {
        let list = List::of(tenant, "conflicts", asked).at(moment.position.get()).within(within);
        let keyset = Keyset::<StartKey>::new(list, cursor, Limit::default())?;
        // What has begun is past mending. The log keeps microseconds.
        let to_come = moment.at + TimeDelta::microseconds(1);
        let filter = SearchFilter {
            from: Some(asked.from.map_or(to_come, |from| from.max(to_come))),
            to: asked.to,
            statuses: vec![Status::Held, Status::Booked],
            resource_ids: asked.resource_ids.iter().copied().collect(),
            within: within.clone(),
            ..SearchFilter::default()
        };
        let after = keyset.after().copied();
        Ok(Self { pool, tenant, filter, keyset, after, moment, is_over: false })
    }

    /// The next of them; `None`: those were all.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next(&mut self) -> Result<Option<Vec<FoundAppointment>>, sqlx::Error> {
        if self.is_over {
            return Ok(None);
        }
        let Self { tenant, filter, moment, .. } = self;
        let (sort, now) = (Sort::StartAscending, moment.at);
        let asked = SearchQuery::new(tenant, filter, sort, Limit::LONGEST, now).known_at(*moment);
        let (found, next) = query::run(self.pool, &asked, self.after).await?;
        self.is_over = next.is_none();
        self.after = next.or(self.after);
        Ok(Some(found))
    }

    /// Where one goes on who has read all that [`next`](Self::next) gave; `None`: there is no more.
    #[must_use]
    pub fn cursor(&self) -> Option<Cursor> {
        self.after.filter(|_| !self.is_over).map(|after| self.keyset.cursor(&after))
    }

    /// Where one goes on after this appointment.
    #[must_use]
    pub fn cursor_after(&self, appointment: &FoundAppointment) -> Cursor {
        self.keyset.cursor(&appointment.key())
    }
}
