//! The catalogue projection: the services, resources and clients of a tenant as they are now, to be
//! listed.
//!
//! * `kept`: what is kept of each kind, and where.
//! * `table`: how a batch of events changes a table; the same for all kinds.
//! * `list`: pages.

mod kept;
mod list;
mod table;
#[cfg(test)]
mod tests;

use cqrs_es::Aggregate as _;
use daybook_domain::client::Client;
use daybook_domain::resource::Resource;
use daybook_domain::service::Service;
use daybook_domain::{ClientId, ResourceId, ServiceId};
use daybook_domain::{TenantId, client, resource, service};
use daybook_store::RecordedEvent;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use sqlx::PgPool;

pub use kept::Standing;
pub use list::Listed;

use crate::{
    ApplyError, Backfill, Cursor, Limit, Page, PageError, Projection, ProjectionId, Tables,
};

/// A page of services.
pub type Services = Page<Listed<ServiceId, service::ServiceTerms>>;
/// A page of resources.
pub type Resources = Page<Listed<ResourceId, resource::ResourceProfile>>;
/// A page of clients.
pub type Clients = Page<Listed<ClientId, client::Contact>>;

/// The catalogue projection. Made from a pool, it also answers.
#[derive(Debug, Clone)]
pub struct Catalogue {
    pool: PgPool,
}

impl Catalogue {
    /// Its name and version.
    pub const ID: ProjectionId = ProjectionId { name: "catalogue", version: 1 };

    /// The projection in this database.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// A page of the services, in the order in which they were made.
    ///
    /// # Errors
    /// When the cursor is not of this list, or the database fails.
    pub async fn services(
        &self,
        tenant: &TenantId,
        standing: Option<Standing>,
        cursor: Option<&Cursor>,
        limit: Limit,
    ) -> Result<Services, PageError> {
        list::page::<Service>(&self.pool, tenant, standing, cursor, limit).await
    }

    /// A page of the resources, in the order in which they were made.
    ///
    /// # Errors
    /// When the cursor is not of this list, or the database fails.
    pub async fn resources(
        &self,
        tenant: &TenantId,
        standing: Option<Standing>,
        cursor: Option<&Cursor>,
        limit: Limit,
    ) -> Result<Resources, PageError> {
        list::page::<Resource>(&self.pool, tenant, standing, cursor, limit).await
    }

    /// A page of the clients, in the order in which they were made. It is personal data.
    ///
    /// # Errors
    /// When the cursor is not of this list, or the database fails.
    pub async fn clients(
        &self,
        tenant: &TenantId,
        cursor: Option<&Cursor>,
        limit: Limit,
    ) -> Result<Clients, PageError> {
        list::page::<Client>(&self.pool, tenant, None, cursor, limit).await
    }
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
            table::apply::<Service>(tables, tenant, events).await?;
            table::apply::<Resource>(tables, tenant, events).await?;
            table::apply::<Client>(tables, tenant, events).await
        }
        .boxed()
    }
}
