//! The waiting list as it was: entries and the holds that they were offered, folded from their streams.

use daybook_domain::WaitingEntryId;
use daybook_domain::appointment::Appointment;
use daybook_domain::waiting::{EntryState, Joined, WaitingEntry};
use daybook_projections::waiting::WaitingFilter;
use daybook_projections::{Cursor, Limit, Page};
use daybook_store::engine::Known;
use daybook_store::log::Moment;
use uuid::Uuid;

use crate::App;
use crate::http::{Caller, Problem};
use crate::views::WaitingView;

/// How often a page is filled up: where most had another status, or lie elsewhere, it has fewer items than it may.
pub(super) const MAX_LOOKS: usize = 10;

impl App {
    /// A page of the list as it was at a moment.
    pub(super) async fn waiting_as_of<S>(
        &self,
        caller: &Caller<S>,
        filter: &WaitingFilter,
        (cursor, limit): (Option<&Cursor>, Limit),
        moment: Moment,
    ) -> Result<Page<WaitingView>, Problem> {
        let (mut items, mut next) = (Vec::new(), cursor.cloned());
        for _ in 0..MAX_LOOKS {
            let Some(left) = limit.less(items.len()) else { break };
            let asked = (next.as_ref(), left);
            let joined = self.waiting.joined_by(&caller.tenant, filter, moment.position, asked);
            let joined = joined.await?;
            let ids: Vec<Uuid> = joined.items.into_iter().map(WaitingEntryId::uuid).collect();
            let then = self.entries_as_of(caller, &ids, moment).await?;
            let statuses = &filter.statuses;
            let wanted =
                |view: &WaitingView| statuses.is_empty() || statuses.contains(&view.status());
            items.extend(then.into_iter().flatten().filter(wanted));
            next = joined.next;
            if next.is_none() {
                break;
            }
        }
        Ok(Page { items, next })
    }

    /// Entries as whoever sees them had to see them at a moment: an offer was what its hold was.
    pub(super) async fn entries_as_of<S>(
        &self,
        caller: &Caller<S>,
        ids: &[Uuid],
        moment: Moment,
    ) -> Result<Vec<Option<WaitingView>>, Problem> {
        let tenant = &caller.tenant;
        let mut entries = self.each_known::<WaitingEntry>(tenant, ids, Some(moment)).await?;
        self.forget_unseen(caller, &mut entries).await?;
        let offer_of =
            |entry: &Option<Known<WaitingEntry>>| match entry.as_ref()?.state.joined()?.state {
                EntryState::Offered(offer) => Some(offer.appointment_id.uuid()),
                _ => None,
            };
        let holds: Vec<Uuid> = entries.iter().filter_map(offer_of).collect();
        let known = self.each_known::<Appointment>(tenant, &holds, Some(moment)).await?;
        let mut known = known.into_iter();
        let shown = ids.iter().zip(entries).map(|(id, entry)| {
            let hold = offer_of(&entry).and_then(|_| known.next().flatten());
            let Known { state: WaitingEntry::Joined(mut joined), version, .. } = entry? else {
                return None;
            };
            joined.state = joined.seen(hold.as_ref().map(|hold| &hold.state), moment.at);
            Some(WaitingView::new(*id, version, joined))
        });
        Ok(shown.collect())
    }

    async fn forget_unseen<S>(
        &self,
        caller: &Caller<S>,
        entries: &mut [Option<Known<WaitingEntry>>],
    ) -> Result<(), Problem> {
        let there = entries.iter().flatten();
        let there: Vec<&Joined> = there.filter_map(|known| known.state.joined()).collect();
        let mut sees = self.sees_entries(caller, &there).await?.into_iter();
        for entry in entries.iter_mut() {
            entry.take_if(|known| known.state.joined().is_some() && sees.next() != Some(true));
        }
        Ok(())
    }
}
