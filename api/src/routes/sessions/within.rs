//! Which sessions somebody sees who is limited to some of a tenant: a session takes place where its service does.

use std::collections::{BTreeMap, BTreeSet};

use daybook_domain::service::Service;
use daybook_domain::session::Session;
use daybook_domain::{ServiceId, TenantId};

use crate::App;
use crate::http::{Caller, Problem};

/// Services by their ids, as they are now.
type Services = BTreeMap<ServiceId, Option<Service>>;

impl App {
    /// Whether a session is there, to this caller.
    pub(super) async fn sees_session<S>(
        &self,
        caller: &Caller<S>,
        session: &Session,
    ) -> Result<bool, Problem> {
        Ok(self.seen_sessions(caller, vec![session], |session| session).await?.len() == 1)
    }

    /// Those of the items whose session is there, to this caller.
    pub(super) async fn seen_sessions<S, T>(
        &self,
        caller: &Caller<S>,
        mut items: Vec<T>,
        session: impl Fn(&T) -> &Session + Send,
    ) -> Result<Vec<T>, Problem>
    where
        T: Send,
    {
        if caller.limits.are_none() {
            return Ok(items);
        }
        let ids = items.iter().filter_map(|item| Some(session(item).plan()?.service_id));
        let services = self.services_of(&caller.tenant, ids.collect()).await?;
        items.retain(|item| {
            session(item).plan().is_some_and(|plan| {
                let service = services.get(&plan.service_id).and_then(Option::as_ref);
                caller.limits.see_session(plan, service.and_then(Service::terms))
            })
        });
        Ok(items)
    }

    /// These services.
    pub(crate) async fn services_of(
        &self,
        tenant: &TenantId,
        ids: BTreeSet<ServiceId>,
    ) -> Result<Services, Problem> {
        let mut services = Services::new();
        for id in ids {
            let known = self.engine.known::<Service>(tenant, id.uuid(), None).await?;
            services.insert(id, known.map(|known| known.state));
        }
        Ok(services)
    }
}
