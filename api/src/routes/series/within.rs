//! A series as somebody sees it who is limited to some of a tenant: it lies where its appointments do.

use std::collections::BTreeSet;

use daybook_domain::appointment::Appointment;
use daybook_domain::series::{Series, SeriesRefusal};
use daybook_domain::{AppointmentId, Decide as _, Refusal};
use daybook_store::Executed;
use daybook_store::log::Moment;
use uuid::Uuid;

use crate::App;
use crate::http::{Caller, Problem};

impl App {
    /// Refuses to change a series of which the caller sees nothing, as if there were none, whatever else they say of it.
    pub(super) async fn must_see_series<S>(
        &self,
        caller: &Caller<S>,
        id: Uuid,
    ) -> Result<(), Problem> {
        if caller.limits.are_none() {
            return Ok(());
        }
        let known = self.engine.known::<Series>(&caller.tenant, id, None).await?;
        if let Some(known) = known.filter(|known| caller.limits.see(&known.state.placed(id)))
            && self.seen_of(caller, known.state, None).await?.is_some()
        {
            return Ok(());
        }
        Err(Refusal::from(SeriesRefusal::SeriesNotFound).into())
    }

    /// What a command has left, as far as its caller sees it.
    pub(super) async fn left_to<S>(
        &self,
        caller: &Caller<S>,
        executed: Executed<Series>,
    ) -> Result<Executed<Series>, Problem> {
        let seen = self.seen_of(caller, executed.state, None).await?;
        let state = seen.ok_or_else(|| Problem::not_found("series"))?;
        Ok(Executed { state, ..executed })
    }

    /// The series without its appointments that the caller does not see, now or as of a moment; `None`: they see none.
    pub(super) async fn seen_of<S>(
        &self,
        caller: &Caller<S>,
        series: Series,
        moment: Option<Moment>,
    ) -> Result<Option<Series>, Problem> {
        if caller.limits.are_none() {
            return Ok(Some(series));
        }
        let ids: Vec<Uuid> = series.appointment_ids().map(AppointmentId::uuid).collect();
        let as_of = moment.map(|moment| moment.position);
        let each = self.engine.each_known::<Appointment>(&caller.tenant, &ids, as_of).await?;
        let known = ids.iter().zip(&each).filter_map(|(id, known)| Some((*id, known.as_ref()?)));
        let seen = known.filter(|(id, known)| caller.limits.see(&known.state.placed(*id)));
        let seen: BTreeSet<AppointmentId> = seen.map(|(id, _)| id.into()).collect();
        Ok(series.seen(|id| seen.contains(&id)))
    }
}
