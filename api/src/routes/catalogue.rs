//! Lists of services, resources and clients as they were: the catalogue knows which there are by now, and each is
//! folded from its stream up to the moment.

use daybook_domain::TenantId;
use daybook_projections::catalogue::{CatalogueEntity, CatalogueStatus, Listed};
use daybook_projections::{Cursor, Limit, Page};
use daybook_store::Executable;
use daybook_store::engine::Known;
use daybook_store::log::Moment;

use crate::App;
use crate::http::Problem;

/// How often a page is filled up: where most was made or retired later, it has fewer items than it may.
const MAX_LOOKS: usize = 10;

impl App {
    /// A page of the list as it was at a moment; with a status, of those that had it then.
    pub(super) async fn catalogue_as_of<E>(
        &self,
        tenant: &TenantId,
        status: Option<CatalogueStatus>,
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
            let known = self.catalogue.known_by_now::<E>(tenant, status, position, asked).await?;
            let then = self.each_known::<E>(tenant, &known.items, Some(moment)).await?;
            let listed = known.items.iter().zip(then).filter_map(|(id, found)| {
                let Known { state, version, .. } = found?;
                let (document, status) = state.into_document()?;
                Some(Listed { id: (*id).into(), document, status, version, position })
            });
            items.extend(listed.filter(|it| status.is_none_or(|wanted| wanted == it.status)));
            next = known.next;
            if next.is_none() {
                break;
            }
        }
        Ok(Page { items, next })
    }
}
