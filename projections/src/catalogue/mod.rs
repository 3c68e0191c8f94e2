//! The catalogue projection: the services, resources and clients of a tenant as they are now, to be
//! listed.
//!
//! * `entity`: what the catalogue has of each kind, and its table.
//! * `rows`: how a batch of events changes a table; the same for all kinds.
//! * `facets`: what they are found by; `list`: pages.

mod entity;
mod facets;
mod list;
#[cfg(test)]
mod plans;
mod rows;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use cqrs_es::Aggregate as _;
use daybook_domain::TenantId;
use daybook_domain::client::Client;
use daybook_domain::resource::Resource;
use daybook_domain::service::Service;
use daybook_store::personal::{About, Keyring, KeyringError};
use daybook_store::{Position, RecordedEvent};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use sqlx::PgPool;
use uuid::Uuid;

pub use entity::{CatalogueEntity, CatalogueStatus, Listed};
pub use facets::Facet;
pub use list::CatalogueFilter;

use entity::{CLIENTS, RESOURCES, SERVICES};

use crate::search::terms::TermsOf;

use crate::{
    ApplyError, Backfill, Cursor, Limit, Page, PageError, Projection, ProjectionId, TableSpec,
    Tables,
};

/// The catalogue projection. Made from a pool, it also answers.
#[derive(Debug, Clone)]
pub struct Catalogue {
    pool: PgPool,
    keyring: Option<Keyring>,
}

impl Catalogue {
    /// Its name and version.
    pub const ID: ProjectionId = ProjectionId { name: "catalogue", version: 7 };

    /// The projection in this database.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self { pool, keyring: None }
    }

    /// The same, in which clients are found, and shown, by what is sealed.
    #[must_use]
    pub fn opened_by(self, keyring: Option<Keyring>) -> Self {
        Self { keyring, ..self }
    }

    /// A page of the services, resources or clients, in the order in which they were made. Clients are personal data.
    ///
    /// A page may have fewer items than asked for although there is a next one.
    ///
    /// # Errors
    /// When the cursor is not of this list, or the database fails.
    pub async fn page<E: CatalogueEntity>(
        &self,
        tenant: &TenantId,
        filter: &CatalogueFilter,
        page: (Option<&Cursor>, Limit),
    ) -> Result<Page<Listed<E>>, PageError> {
        let terms = terms_of(self.keyring.as_ref(), tenant).await.map_err(KeyringError::read)?;
        let mut page = list::page::<E>(&self.pool, (tenant, &terms), filter, page).await?;
        open_listed(self.keyring.as_ref(), tenant, &mut page.items).await?;
        page.items.retain(|listed| filter.finds::<E>(&listed.document));
        Ok(page)
    }

    /// Those of these that there are, in no order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn some<E: CatalogueEntity>(
        &self,
        tenant: &TenantId,
        ids: &BTreeSet<Uuid>,
    ) -> Result<Vec<Listed<E>>, sqlx::Error> {
        let mut some = list::some::<E>(&self.pool, tenant, ids).await?;
        open_listed(self.keyring.as_ref(), tenant, &mut some).await?;
        Ok(some)
    }

    /// A page of the ids of a list as it was at a position, in the order in which things were made: which list that
    /// is, the filter says. What was made or changed since is still to be left out.
    ///
    /// # Errors
    /// When the cursor is not of this list at this position, or the database fails.
    pub async fn known_by_now<E: CatalogueEntity>(
        &self,
        tenant: &TenantId,
        filter: &CatalogueFilter,
        at: Position,
        page: (Option<&Cursor>, Limit),
    ) -> Result<Page<Uuid>, PageError> {
        let terms = terms_of(self.keyring.as_ref(), tenant).await.map_err(KeyringError::read)?;
        list::ids::<E>(&self.pool, (tenant, &terms), filter, at, page).await
    }
}

/// The terms of a tenant: what clients are found by cannot be guessed from them.
async fn terms_of(keyring: Option<&Keyring>, tenant: &TenantId) -> Result<TermsOf, KeyringError> {
    let terms = TermsOf::new(tenant);
    Ok(match keyring {
        Some(keyring) => terms.keyed(&keyring.secret(tenant, "terms of the catalogue").await?),
        None => terms,
    })
}

/// Opens what is sealed in these.
async fn open<'a, E: CatalogueEntity>(
    keyring: Option<&Keyring>,
    tenant: &TenantId,
    documents: impl Iterator<Item = (Uuid, &'a mut E::Document)>,
) -> Result<(), KeyringError> {
    let Some(keyring) = keyring else { return Ok(()) };
    let about = |id| About { tenant, kind: E::KIND, id };
    let mut documents: Vec<_> = documents.map(|(id, document)| (about(id), document)).collect();
    keyring.open(&mut documents).await
}

async fn open_listed<E: CatalogueEntity>(
    keyring: Option<&Keyring>,
    tenant: &TenantId,
    listed: &mut [Listed<E>],
) -> Result<(), sqlx::Error> {
    let documents = listed.iter_mut().map(|listed| (E::uuid(listed.id), &mut listed.document));
    open::<E>(keyring, tenant, documents).await.map_err(KeyringError::read)
}

impl Projection for Catalogue {
    fn id(&self) -> ProjectionId {
        Self::ID
    }

    fn ddl(&self) -> &'static str {
        include_str!("schema.sql")
    }

    fn indexes(&self) -> &'static str {
        include_str!("indexes.sql")
    }

    fn tables(&self) -> Vec<&'static dyn TableSpec> {
        vec![&SERVICES, &RESOURCES, &CLIENTS]
    }

    fn backfill(&self) -> Backfill {
        Backfill::ByStream(&[Service::TYPE, Resource::TYPE, Client::TYPE])
    }

    fn apply<'a>(
        &'a self,
        tables: &'a mut Tables<'_>,
        tenant: &'a TenantId,
        events: &'a [RecordedEvent],
    ) -> BoxFuture<'a, Result<(), ApplyError>> {
        async move {
            let keyring = self.keyring.as_ref();
            rows::apply(&SERVICES, tables, (tenant, keyring), events).await?;
            rows::apply(&RESOURCES, tables, (tenant, keyring), events).await?;
            rows::apply(&CLIENTS, tables, (tenant, keyring), events).await
        }
        .boxed()
    }
}
