//! `expand`: what appointments and sessions are about, in one answer with them.
//!
//! A list of now has it from the catalogue, by a statement for each kind; what the catalogue does not know yet, and what
//! was at a moment, is folded from its stream.

use std::collections::{BTreeMap, BTreeSet};
use std::slice;

use daybook_domain::TenantId;
use daybook_domain::client::Client;
use daybook_domain::resource::Resource;
use daybook_domain::service::Service;
use daybook_projections::catalogue::{Catalogue, CatalogueEntity};
use daybook_store::log::Moment;
use uuid::Uuid;

use super::listing::Freshness;
use crate::App;
use crate::http::query::{Several, one_of, query_params};
use crate::http::{Caller, Personal, Problem};
use crate::views::expanded::{About, Expanded, Expansion, Found, Wanted};
use crate::views::{ClientView, ResourceView, Viewed};

query_params! {
    /// What is shown with it.
    pub(crate) struct ExpandParams {
        /// What it is about, shown with it under this name: `client`, `service` or `resources`, or several. With `as_of`,
        /// as they were then.
        expand: Several<Expansion>,
    }
}

one_of!(Expansion {
    "client" => Self::Client,
    "service" => Self::Service,
    "resources" => Self::Resources,
});

impl ExpandParams {
    /// Refuses to show who clients are to whoever is not told.
    pub(super) fn is_for<S>(&self, caller: &Caller<S>) -> Result<(), Problem> {
        if self.expand.contains(&Expansion::Client) {
            caller.must_have::<Personal>("expand=client")?;
        }
        Ok(())
    }
}

/// The most that an answer has of what its items are about.
pub(super) const MAX_EXPANDED: usize = 1_000;

/// Where it is looked up.
#[derive(Clone, Copy)]
pub(super) enum Source {
    /// In the catalogue, once it has read as far.
    Catalogue(Freshness),
    /// In the log, as it is now or was at a moment.
    Log(Option<Moment>),
}

impl Source {
    /// Of a list that is of now or of a moment.
    pub(super) fn of(moment: Option<Moment>, fresh: Freshness) -> Self {
        moment.map_or(Self::Catalogue(fresh), |moment| Self::Log(Some(moment)))
    }
}

impl App {
    /// Each item with what of it was asked for.
    pub(super) async fn expand<T: About>(
        &self,
        tenant: &TenantId,
        items: Vec<T>,
        ExpandParams { expand }: &ExpandParams,
        source: Source,
    ) -> Result<Vec<Expanded<T>>, Problem> {
        let found = self.found(tenant, &items, expand, source).await?;
        Ok(items.into_iter().map(|item| found.expand(item, expand)).collect())
    }

    /// One that was read from the log.
    pub(super) async fn expand_one<T: About>(
        &self,
        tenant: &TenantId,
        item: T,
        ExpandParams { expand }: &ExpandParams,
        moment: Option<Moment>,
    ) -> Result<Expanded<T>, Problem> {
        let found = self.found(tenant, slice::from_ref(&item), expand, Source::Log(moment)).await?;
        Ok(found.expand(item, expand))
    }

    /// What of these was asked for.
    pub(super) async fn found<T: About>(
        &self,
        tenant: &TenantId,
        items: &[T],
        expand: &[Expansion],
        source: Source,
    ) -> Result<Found, Problem> {
        if expand.is_empty() {
            return Ok(Found::default());
        }
        if let Source::Catalogue(fresh) = source {
            self.wait(tenant, Catalogue::ID, fresh).await?;
        }
        let Wanted { clients, services, resources } = Wanted::of(items, expand);
        let count = clients.len() + services.len() + resources.len();
        if count > MAX_EXPANDED {
            let detail =
                format!("expand: {count} clients, services and resources, at most {MAX_EXPANDED}");
            return Err(Problem::too_broad(detail));
        }
        Ok(Found {
            clients: self
                .views::<Client>(tenant, clients, source, ClientView::without_notes)
                .await?,
            services: self.views::<Service>(tenant, services, source, |view| view).await?,
            resources: self
                .views::<Resource>(tenant, resources, source, ResourceView::in_a_list)
                .await?,
        })
    }

    /// These as they are shown, by their ids.
    pub(super) async fn views<E>(
        &self,
        tenant: &TenantId,
        mut wanted: BTreeSet<Uuid>,
        source: Source,
        shown: fn(E::View) -> E::View,
    ) -> Result<BTreeMap<Uuid, E::View>, Problem>
    where
        E: CatalogueEntity + Viewed,
    {
        let mut found = BTreeMap::new();
        let moment = match source {
            Source::Log(moment) => moment,
            Source::Catalogue(_) => {
                for listed in self.catalogue.some::<E>(tenant, &wanted).await? {
                    let id = E::uuid(listed.id);
                    wanted.remove(&id);
                    let entity = E::from_document(listed.document, listed.status);
                    found.extend(entity.view(id, listed.version).map(|view| (id, shown(view))));
                }
                None
            }
        };
        let ids: Vec<Uuid> = wanted.into_iter().collect();
        let known = self.each_known::<E>(tenant, &ids, moment).await?;
        for (id, known) in ids.into_iter().zip(known) {
            let Some(known) = known else { continue };
            found.extend(known.state.view(id, known.version).map(|view| (id, shown(view))));
        }
        Ok(found)
    }
}
