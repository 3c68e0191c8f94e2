//! From a command to its answer, and single aggregates as the log has them.

use daybook_domain::TenantId;
use daybook_store::log::Moment;
use daybook_store::log::PersistedAggregate;
use daybook_store::{CommandContext, Executed, Target};
use uuid::Uuid;

use super::as_of::AsOfParams;
use crate::App;
use crate::http::{Answer, Created, Problem};
use crate::views::Viewed;

impl App {
    /// One aggregate as the log has it, now or as of a moment: that is all that the query can ask for.
    pub(crate) async fn get<A: Viewed>(
        &self,
        tenant: &TenantId,
        id: Uuid,
        AsOfParams { as_of }: AsOfParams,
    ) -> Result<Answer<A::View>, Problem> {
        let moment = self.moment(tenant, as_of).await?;
        self.get_at::<A>(tenant, id, moment).await
    }

    /// One aggregate as it is to be shown, now or as of a moment.
    pub(crate) async fn get_at<A: Viewed>(
        &self,
        tenant: &TenantId,
        id: Uuid,
        moment: Option<Moment>,
    ) -> Result<Answer<A::View>, Problem> {
        let found = self.loaded::<A>(tenant, id, moment).await?;
        let shown = found.and_then(|(state, version)| Some((state.view(id, version)?, version)));
        let (body, version) = shown.ok_or_else(|| Problem::not_found(A::TYPE))?;
        Ok(Answer::read(version, moment, body))
    }

    /// An aggregate and its version, now or as of a moment.
    pub(crate) async fn loaded<A: PersistedAggregate>(
        &self,
        tenant: &TenantId,
        id: Uuid,
        moment: Option<Moment>,
    ) -> Result<Option<(A, u64)>, Problem> {
        Ok(match moment {
            None => self.engine.load::<A>(tenant, id).await?,
            Some(moment) => self.engine.load_as_of::<A>(tenant, id, moment.position).await?,
        })
    }

    /// Makes something new.
    pub(crate) async fn create<A>(
        &self,
        context: &CommandContext,
        command: A::Command,
    ) -> Result<Created<A::View>, Problem>
    where
        A: Viewed,
        A::Command: Clone,
    {
        let executed = self.engine.execute::<A>(context, Target::fresh(), command).await?;
        let location = format!("{}/{}", A::PATH, executed.id);
        Ok(Created { location, answer: answer(executed)? })
    }

    /// Changes something that may exist.
    pub(crate) async fn change<A>(
        &self,
        context: &CommandContext,
        id: Uuid,
        command: A::Command,
    ) -> Result<Answer<A::View>, Problem>
    where
        A: Viewed,
        A::Command: Clone,
    {
        answer(self.engine.execute::<A>(context, Target::Existing(id), command).await?)
    }
}

pub(super) fn answer<A: Viewed>(executed: Executed<A>) -> Result<Answer<A::View>, Problem> {
    let Executed { id, version, position, state } = executed;
    let body = state.view(id, version).ok_or_else(Problem::internal)?;
    Ok(Answer::of_command(version, position, body))
}
