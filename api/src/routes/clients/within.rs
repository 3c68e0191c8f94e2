//! Which clients somebody sees who is limited to some of a tenant.
//!
//! A client is of no place. They are seen where they have, or had, an appointment; and who has none at all yet can be booked for
//! by whoever has registered them, or was told their id.

use std::collections::BTreeSet;

use daybook_domain::appointment::AppointmentRefusal;
use daybook_domain::rights::Limits;
use daybook_domain::{ClientId, Refusal, TenantId};
use daybook_projections::Limit;
use daybook_projections::search::{SearchFilter, Sort};

use crate::App;
use crate::http::{Caller, Problem};

impl App {
    /// Whether a client is there, to this caller: as far as search has read.
    pub(crate) async fn sees_client<S>(
        &self,
        caller: &Caller<S>,
        client: ClientId,
    ) -> Result<bool, Problem> {
        let limits = &caller.limits;
        if limits.client_id == Some(client) || limits.are_none() {
            return Ok(true);
        }
        self.has_appointment(&caller.tenant, client, limits).await
    }

    /// Refuses to book for a client whom the caller does not see, as if there were no such client.
    pub(crate) async fn may_book_for<S>(
        &self,
        caller: &Caller<S>,
        client_id: ClientId,
    ) -> Result<(), Problem> {
        if self.can_be_booked_for(caller, client_id).await? {
            return Ok(());
        }
        Err(Refusal::from(AppointmentRefusal::UnknownClient { client_id }).into())
    }

    /// Those of the clients for whom the caller cannot book, as if they were not there.
    pub(crate) async fn unseen_clients<S>(
        &self,
        caller: &Caller<S>,
        clients: BTreeSet<ClientId>,
    ) -> Result<BTreeSet<ClientId>, Problem> {
        let mut unseen = BTreeSet::new();
        for client in clients {
            if !self.can_be_booked_for(caller, client).await? {
                unseen.insert(client);
            }
        }
        Ok(unseen)
    }

    async fn can_be_booked_for<S>(
        &self,
        caller: &Caller<S>,
        client: ClientId,
    ) -> Result<bool, Problem> {
        Ok(self.sees_client(caller, client).await?
            || !self.has_appointment(&caller.tenant, client, &Limits::default()).await?)
    }

    async fn has_appointment(
        &self,
        tenant: &TenantId,
        client: ClientId,
        within: &Limits,
    ) -> Result<bool, Problem> {
        let filter = SearchFilter {
            client_ids: vec![client],
            within: within.clone(),
            ..SearchFilter::default()
        };
        let (sort, now) = (Sort::default(), self.engine.clock().now());
        let limit = Limit::default();
        let found = self.search.page(tenant, &filter, sort, None, limit, now).await?;
        Ok(!found.items.is_empty())
    }
}
