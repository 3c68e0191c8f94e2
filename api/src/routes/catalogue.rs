//! Lists of services, resources and clients: as the catalogue has them now, or as they were. Which there are the catalogue
//! knows, and what was is folded from the streams up to the moment.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use daybook_domain::rights::Few;
use daybook_domain::{ResourceId, TenantId};
use daybook_projections::catalogue::{Catalogue, CatalogueEntity, CatalogueFilter, Facet, Listed};
use daybook_projections::{Cursor, Limit, Page, RecordedOrder};
use daybook_store::engine::Known;
use daybook_store::log::Moment;
use daybook_store::{Executable, Position};
use uuid::Uuid;

use super::as_of::AsOfParams;
use super::kept::KeptParams;
use super::listing::{PageParams, changed_since};
use crate::App;
use crate::http::Problem;
use crate::http::query::{Several, invalid, query_params};

/// How often a page is filled up: where most was made or retired later, it has fewer items than it may.
const MAX_LOOKS: usize = 10;

query_params! {
    /// Which of them, and in which order.
    pub(crate) struct CatalogueParams {
        /// These, by their ids.
        ids: Several<Uuid>,
        /// Their last event was recorded at this instant or later. The order is then that of the changes. Not with `as_of`.
        updated_since: Option<DateTime<Utc>>,
        /// `created_at` (in the order in which they were made, as where it is left out) or `updated_at` (by when they were changed
        /// last), or one of these with `-` before it: the latest first. Not with `as_of`.
        sort: Option<RecordedOrder>,
        ..kept: KeptParams,
        ..page: PageParams,
        ..moment: AsOfParams,
    }
}

impl CatalogueParams {
    /// The same, of these alone. Whoever asks for none of them still asks for what they have named.
    pub(super) fn within(mut self, resources: Option<&Few<ResourceId>>) -> Self {
        let Some(few) = resources else { return self };
        let asked: Vec<Uuid> = match self.ids.to_vec() {
            all if all.is_empty() => few.iter().map(|id| id.uuid()).collect(),
            named => named,
        };
        self.ids = Several::from(asked);
        self
    }
}

impl App {
    /// A page of a list, and of which position it is.
    pub(super) async fn catalogue_page<E>(
        &self,
        tenant: &TenantId,
        filter: CatalogueFilter,
        asked: CatalogueParams,
    ) -> Result<(Position, Page<Listed<E>>), Problem>
    where
        E: CatalogueEntity + Executable,
    {
        let CatalogueParams { ids, updated_since, sort, kept, page, moment } = asked;
        let order = changed_since(sort, updated_since)?;
        let ids: BTreeSet<Uuid> = ids.into_iter().collect();
        let filter = CatalogueFilter { ids, order: order.unwrap_or_default(), ..filter };
        let filter = filter.with_any(kept.reference.iter().map(Facet::reference));
        let filter = kept
            .metadata
            .iter()
            .map(Facet::pair)
            .fold(filter, |filter, pair| filter.with_any([pair]));
        let asked = (page.cursor.as_ref(), page.limit());
        let as_of = (moment.as_of, None);
        let reading = self.reading(tenant, as_of, page.fresh, Catalogue::ID).await?;
        let found = match reading.moment {
            None => self.catalogue.page(tenant, &filter, asked).await?,
            Some(_) if updated_since.is_some() => {
                return Err(invalid(
                    "updated_since",
                    "it is of lists as they are now, without as_of",
                ));
            }
            Some(_) if sort.is_some() => {
                return Err(invalid("sort", "it is of lists as they are now, without as_of"));
            }
            Some(moment) => self.catalogue_as_of(tenant, &filter, moment, asked).await?,
        };
        Ok((reading.position, found))
    }

    /// A page of the list as it was at a moment: of those that were then what the filter asks for.
    async fn catalogue_as_of<E>(
        &self,
        tenant: &TenantId,
        filter: &CatalogueFilter,
        moment: Moment,
        (cursor, limit): (Option<&Cursor>, Limit),
    ) -> Result<Page<Listed<E>>, Problem>
    where
        E: CatalogueEntity + Executable,
    {
        let position = moment.position;
        let (mut items, mut next) = (Vec::new(), cursor.cloned());
        for _ in 0..MAX_LOOKS {
            let Some(left) = limit.less(items.len()) else { break };
            let asked = (next.as_ref(), left);
            let known = self.catalogue.known_by_now::<E>(tenant, filter, position, asked).await?;
            let then = self.each_known::<E>(tenant, &known.items, Some(moment)).await?;
            let listed = known.items.iter().zip(then).filter_map(|(id, found)| {
                let Known { state, version, created_at, updated_at, .. } = found?;
                let (document, status) = state.into_document()?;
                let id = (*id).into();
                Some(Listed { id, document, status, version, position, created_at, updated_at })
            });
            let is_wanted = |listed: &Listed<E>| {
                filter.status.is_none_or(|wanted| wanted == listed.status)
                    && filter.finds::<E>(&listed.document)
            };
            items.extend(listed.filter(is_wanted));
            next = known.next;
            if next.is_none() {
                break;
            }
        }
        Ok(Page { items, next })
    }
}
