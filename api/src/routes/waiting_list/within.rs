//! Which entries somebody sees who is limited to some of a tenant: an entry lies where what it would be offered does, which
//! its service says.

use daybook_domain::ServiceId;
use daybook_domain::rights::OutsideLimits;
use daybook_domain::service::Service;
use daybook_domain::waiting::{Joined, WaitingEntry};
use daybook_store::ExecuteError;
use uuid::Uuid;

use crate::App;
use crate::http::{Caller, Problem};

impl App {
    /// Which of these entries are there, to this caller.
    pub(super) async fn sees_entries<S>(
        &self,
        caller: &Caller<S>,
        entries: &[&Joined],
    ) -> Result<Vec<bool>, Problem> {
        if caller.limits.are_none() {
            return Ok(vec![true; entries.len()]);
        }
        let ids = entries.iter().map(|joined| joined.wishes.service_id).collect();
        let services = self.services_of(&caller.tenant, ids).await?;
        let sees = |joined: &&Joined| {
            let service = services.get(&joined.wishes.service_id).and_then(Option::as_ref);
            caller.limits.see_entry(joined, service.and_then(Service::terms))
        };
        Ok(entries.iter().map(sees).collect())
    }

    /// Whether an entry is there, to this caller.
    pub(super) async fn sees_entry<S>(
        &self,
        caller: &Caller<S>,
        id: Uuid,
    ) -> Result<bool, Problem> {
        if caller.limits.are_none() {
            return Ok(true);
        }
        let known = self.engine.known::<WaitingEntry>(&caller.tenant, id, None).await?;
        let Some(joined) = known.as_ref().and_then(|known| known.state.joined()) else {
            return Ok(false);
        };
        Ok(self.sees_entries(caller, &[joined]).await? == [true])
    }

    /// Refuses to wait for what the caller would not see. What a service is that they do not see, is not said.
    pub(super) async fn may_wait_for<S>(
        &self,
        caller: &Caller<S>,
        service: ServiceId,
    ) -> Result<(), Problem> {
        let limits = &caller.limits;
        if limits.are_none() {
            return Ok(());
        }
        let services = self.services_of(&caller.tenant, [service].into()).await?;
        let mut terms = services.values().flatten().filter_map(Service::terms);
        if terms.any(|terms| limits.see_service(terms) && !limits.see_what_is_given(terms)) {
            return Err(ExecuteError::Outside(OutsideLimits).into());
        }
        Ok(())
    }
}
