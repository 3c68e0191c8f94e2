//! From a command to its answer, and single aggregates as the log has them.

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use daybook_store::engine::Known;
use daybook_store::log::Moment;
use daybook_store::{Executable, Executed, Target};
use uuid::Uuid;

use super::as_of::AsOfParams;
use crate::App;
use crate::http::{Answer, Caller, Created, Ordered, Problem};
use crate::views::Viewed;

impl App {
    /// One aggregate as the log has it, now or as of a moment: that is all that the query can ask for.
    pub(crate) async fn get<A: Viewed, S>(
        &self,
        caller: &Caller<S>,
        id: Uuid,
        AsOfParams { as_of }: AsOfParams,
    ) -> Result<Answer<A::View>, Problem> {
        let moment = self.moment(&caller.tenant, as_of, None).await?;
        let known = self.known_to::<A, S>(caller, id, moment).await?;
        Self::read(id, known)
    }

    /// One aggregate, if it is there.
    pub(crate) fn read<A: Viewed>(
        id: Uuid,
        known: Option<Known<A>>,
    ) -> Result<Answer<A::View>, Problem> {
        let Known { state, version, position, .. } =
            known.ok_or_else(|| Problem::not_found(A::TYPE))?;
        let body = state.view(id, version).ok_or_else(|| Problem::not_found(A::TYPE))?;
        Ok(Answer::read(version, position, body))
    }

    /// An aggregate, now or as of a moment: then that is its position, whenever it changed last.
    pub(crate) async fn known<A: Executable>(
        &self,
        tenant: &TenantId,
        id: Uuid,
        moment: Option<Moment>,
    ) -> Result<Option<Known<A>>, Problem> {
        let as_of = moment.map(|moment| moment.position);
        let Some(mut known) = self.engine.known::<A>(tenant, id, as_of).await? else {
            return Ok(None);
        };
        self.engine.open(tenant, &mut [(id, &mut known.state)]).await?;
        known.position = as_of.unwrap_or(known.position);
        Ok(Some(known))
    }

    /// The same, as far as the caller sees it: where it lies at that moment, by what they are limited to today.
    pub(crate) async fn known_to<A: Executable, S>(
        &self,
        caller: &Caller<S>,
        id: Uuid,
        moment: Option<Moment>,
    ) -> Result<Option<Known<A>>, Problem> {
        let known = self.known::<A>(&caller.tenant, id, moment).await?;
        Ok(known.filter(|known| caller.limits.see(&known.state.placed(id))))
    }

    /// Many aggregates, now or as of a moment, in the order asked for.
    pub(crate) async fn each_known<A: Executable>(
        &self,
        tenant: &TenantId,
        ids: &[Uuid],
        moment: Option<Moment>,
    ) -> Result<Vec<Option<Known<A>>>, Problem> {
        let as_of = moment.map(|moment| moment.position);
        let mut known = self.engine.each_known::<A>(tenant, ids, as_of).await?;
        let there = ids.iter().zip(&mut known);
        let mut there: Vec<_> =
            there.filter_map(|(id, known)| Some((*id, &mut known.as_mut()?.state))).collect();
        self.engine.open(tenant, &mut there).await?;
        Ok(known)
    }

    /// What the clock shows, or showed at a moment.
    pub(crate) fn at(&self, moment: Option<Moment>) -> DateTime<Utc> {
        moment.map_or_else(|| self.engine.clock().now(), |moment| moment.at)
    }

    /// Makes something new.
    pub(crate) async fn create<A>(
        &self,
        context: &Ordered,
        command: A::Command,
    ) -> Result<Created<A::View>, Problem>
    where
        A: Viewed,
        A::Command: Clone,
    {
        let executed = self.engine.execute::<A>(context, Target::fresh(), command).await;
        let executed = executed.map_err(|error| context.problem(error))?;
        self.created(context, executed).await
    }

    /// Changes something that may exist.
    pub(crate) async fn change<A>(
        &self,
        context: &Ordered,
        id: Uuid,
        command: A::Command,
    ) -> Result<Answer<A::View>, Problem>
    where
        A: Viewed,
        A::Command: Clone,
    {
        self.change_by::<A>(context, id, vec![command]).await
    }

    /// Changes something that may exist by several commands: all of them, or none.
    pub(crate) async fn change_by<A>(
        &self,
        context: &Ordered,
        id: Uuid,
        commands: Vec<A::Command>,
    ) -> Result<Answer<A::View>, Problem>
    where
        A: Viewed,
        A::Command: Clone,
    {
        let target = Target::Existing(id);
        let executed = self.engine.execute_all::<A>(context, target, commands).await;
        let executed = executed.map_err(|error| context.problem(error))?;
        self.answer(context, executed).await
    }

    /// What was made by a command.
    pub(super) async fn created<A: Viewed>(
        &self,
        ordered: &Ordered,
        executed: Executed<A>,
    ) -> Result<Created<A::View>, Problem> {
        let location = format!("{}/{}", A::PATH, executed.id);
        Ok(Created { location, answer: self.answer(ordered, executed).await? })
    }

    /// What a command has left.
    pub(super) async fn answer<A: Viewed>(
        &self,
        ordered: &Ordered,
        mut executed: Executed<A>,
    ) -> Result<Answer<A::View>, Problem> {
        let mut there = [(executed.id, &mut executed.state)];
        self.engine.open(&ordered.tenant, &mut there).await?;
        shown(ordered, executed)
    }
}

/// What a command has left, opened, as far as whoever gave it may be told.
pub(super) fn shown<A: Viewed>(
    ordered: &Ordered,
    executed: Executed<A>,
) -> Result<Answer<A::View>, Problem> {
    let Executed { id, version, position, state } = executed;
    let body = state.view(id, version).ok_or_else(Problem::internal)?;
    let body = if ordered.tells_personal { body } else { A::withheld(body) };
    let body = if ordered.limits.are_none() { body } else { A::within_limits(body) };
    Ok(Answer::of_command(version, position, body))
}
