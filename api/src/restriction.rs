//! Restricting what is known of a client, and lifting that: the log says so, and their key follows it, before anybody is told that it
//! is done. What is cut off in between is gone on with.

use daybook_domain::TenantId;
use daybook_domain::client::{Client, ClientCommand};
use daybook_store::personal::{Keyring, RestrictionBegun};
use daybook_store::{CommandContext, ExecuteError, Executed, Target};
use uuid::Uuid;

use crate::App;
use crate::http::{Caller, Problem, auth};

impl App {
    /// Restricts a client, or lifts that.
    pub(crate) async fn change_restriction(
        &self,
        context: &CommandContext,
        client: Uuid,
        command: ClientCommand,
    ) -> Result<Executed<Client>, Problem> {
        let (tenant, target) = (&context.tenant, Target::Existing(client));
        if context.dry_run {
            return Ok(self.engine.execute::<Client>(context, target, command).await?);
        }
        // Nobody has a key who is not there.
        let there = self.engine.load::<Client>(tenant, client).await?;
        there.ok_or_else(|| Problem::not_found("client"))?;
        let keyring = self.keyring()?;
        let begun = keyring.begin_restriction(tenant, client.into()).await;
        let begun = begun.map_err(ExecuteError::from)?;
        let executed = self.engine.execute::<Client>(context, target, command).await;
        self.follow_restriction(keyring, &begun).await?;
        Ok(executed?)
    }

    /// Refuses to tell what somebody has made of their appointments, if they are restricted today.
    pub(crate) async fn may_be_told_of<S>(
        &self,
        caller: &Caller<S>,
        client: Uuid,
    ) -> Result<(), Problem> {
        let now = self.engine.load::<Client>(&caller.tenant, client).await?;
        if now.is_some_and(|(client, _)| client.restriction().is_some()) {
            caller.must_have::<auth::Privacy>("what is known of a client who is restricted")?;
        }
        Ok(())
    }

    /// Goes on with restrictions that were cut off, and says with how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish_restrictions(&self) -> Result<usize, sqlx::Error> {
        let Some(keyring) = self.engine.keyring() else { return Ok(0) };
        let left = keyring.restrictions_left().await?;
        for begun in &left {
            if let Err(problem) = self.follow_restriction(keyring, begun).await {
                let (tenant, problem): (&TenantId, _) = (&begun.tenant, problem.name());
                tracing::warn!(%tenant, problem, "a restriction is to be gone on with");
            }
        }
        Ok(left.len())
    }

    /// Makes the key follow the log.
    async fn follow_restriction(
        &self,
        keyring: &Keyring,
        begun: &RestrictionBegun,
    ) -> Result<(), Problem> {
        let client = self.engine.load::<Client>(&begun.tenant, begun.client.uuid()).await?;
        let as_of_now = client
            .map_or((false, 0), |(client, version)| (client.restriction().is_some(), version));
        Ok(keyring.end_restriction(begun, as_of_now).await?)
    }
}
