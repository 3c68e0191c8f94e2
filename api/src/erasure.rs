//! Erasing a client, step by step: each can be cut off, and is gone on with.
//!
//! 1. It is noted, so that it is found again.
//! 2. `ClientErasureRequested` is in the log: from there on nothing of them is shown and nothing is booked for them.
//! 3. Their key is destroyed.
//! 4. What is still to come is cancelled, and they wait for nothing.
//! 5. `ClientErased` is in the log.

use daybook_domain::appointment::{Appointment, AppointmentCommand, CancelledBy, Status};
use daybook_domain::client::{Client, ClientCommand, ErasureReason, Upcoming};
use daybook_domain::waiting::Status as WaitingStatus;
use daybook_domain::{AppointmentId, ClientId, TenantId};
use daybook_projections::Limit;
use daybook_projections::appointments::Appointments;
use daybook_projections::search::{SearchFilter, Sort};
use daybook_projections::waiting::{WaitingFilter, WaitingList};
use daybook_store::personal::Keyring;
use daybook_store::{CommandContext, ExecuteError, Executed, Target};

use crate::App;
use crate::http::Problem;

/// Who does it.
const ACTOR: &str = "daybook:erasure";

impl App {
    /// Erases a client. What cannot be finished at once is gone on with later.
    pub(crate) async fn erase_client(
        &self,
        context: &CommandContext,
        client: ClientId,
        reason: ErasureReason,
        cancels: bool,
    ) -> Result<Executed<Client>, Problem> {
        let tenant = &context.tenant;
        let upcoming = if cancels {
            Upcoming::Cancel
        } else {
            let upcoming = self.upcoming(tenant, client).await?.len();
            Upcoming::Keep(u32::try_from(upcoming).unwrap_or(u32::MAX))
        };
        let keyring = self.keyring()?;
        if !context.dry_run {
            keyring.begin_erasure(tenant, client).await?;
        }
        let command = ClientCommand::EraseClient { reason, upcoming };
        let target = Target::Existing(client.uuid());
        let executed = self.engine.execute::<Client>(context, target, command).await?;
        if !context.dry_run {
            self.go_on_with_erasure(tenant, client).await;
        }
        Ok(executed)
    }

    /// Goes on with erasures that were cut off, and says with how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish_erasures(&self) -> Result<usize, sqlx::Error> {
        let Some(keyring) = self.engine.keyring() else { return Ok(0) };
        let left = keyring.erasures_left().await?;
        for (tenant, client) in &left {
            self.go_on_with_erasure(tenant, *client).await;
        }
        Ok(left.len())
    }

    /// As far as it goes; the rest is gone on with later.
    async fn go_on_with_erasure(&self, tenant: &TenantId, client: ClientId) {
        if let Err(problem) = self.finish_erasure(tenant, client).await {
            tracing::warn!(%tenant, problem = problem.name(), "an erasure is to be gone on with");
        }
    }

    /// Does what is left to do, as the log has it.
    async fn finish_erasure(&self, tenant: &TenantId, client: ClientId) -> Result<(), Problem> {
        let keyring = self.keyring()?;
        match self.engine.load::<Client>(tenant, client.uuid()).await? {
            Some((Client::Erased { finished: false }, _)) => {}
            Some((Client::Erased { finished: true }, _)) => {
                return Ok(keyring.end_erasure(tenant, client).await?);
            }
            // They were erased, as the ledger has it, and the database was restored from a copy of before.
            Some((Client::Registered(_), _)) if keyring.is_destroyed(tenant, client).await? => {
                self.erase_again(tenant, client).await?;
            }
            Some((Client::Registered(_) | Client::Unregistered, _)) | None => {
                return Ok(keyring.drop_erasure(tenant, client).await?);
            }
        }
        // What there is to wait for comes after it.
        keyring.destroy(tenant, client).await.map_err(ExecuteError::from)?;
        let appointments_cancelled = self.cancel_upcoming(tenant, client).await?;
        self.leave_waiting_lists(tenant, client).await?;
        let context = CommandContext::new(tenant.clone(), ACTOR);
        let command = ClientCommand::FinishErasure { appointments_cancelled };
        let target = Target::Existing(client.uuid());
        match self.engine.execute::<Client>(&context, target, command).await {
            // Another has finished it.
            Ok(_) | Err(ExecuteError::Refused(_)) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(keyring.end_erasure(tenant, client).await?)
    }

    async fn erase_again(&self, tenant: &TenantId, client: ClientId) -> Result<(), Problem> {
        let context = CommandContext::new(tenant.clone(), ACTOR);
        let (reason, upcoming) = (ErasureReason::LegalObligation, Upcoming::Cancel);
        // There was no legal hold when they were erased, whatever the copy says.
        let erase = ClientCommand::EraseClient { reason, upcoming };
        let commands = vec![ClientCommand::ReleaseLegalHold, erase];
        let target = Target::Existing(client.uuid());
        match self.engine.execute_all::<Client>(&context, target, commands).await {
            // Another has done it.
            Ok(_) | Err(ExecuteError::Refused(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Nothing is booked for them any more, so there is an end to it.
    async fn cancel_upcoming(&self, tenant: &TenantId, client: ClientId) -> Result<u32, Problem> {
        let context = CommandContext::new(tenant.clone(), ACTOR);
        let mut cancelled = 0;
        for id in self.upcoming(tenant, client).await? {
            let command = AppointmentCommand::CancelAppointment {
                reason: None,
                by: CancelledBy::System,
                overriding: None,
            };
            let target = Target::Existing(id.uuid());
            match self.engine.execute::<Appointment>(&context, target, command).await {
                Ok(_) => cancelled += 1,
                // It is over, or another has cancelled it.
                Err(ExecuteError::Refused(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(cancelled)
    }

    /// They join no more, so there is an end to it.
    async fn leave_waiting_lists(
        &self,
        tenant: &TenantId,
        client: ClientId,
    ) -> Result<(), Problem> {
        let head = self.engine.log().head(tenant).await?.unwrap_or_default();
        self.wait_for(tenant, WaitingList::ID, head).await?;
        let (context, now) =
            (CommandContext::new(tenant.clone(), ACTOR), self.engine.clock().now());
        let filter = WaitingFilter {
            client_ids: [client].into(),
            statuses: vec![WaitingStatus::Waiting, WaitingStatus::Offered],
            ..WaitingFilter::default()
        };
        let mut next = None;
        loop {
            let limit = Limit::LONGEST;
            let page = self.waiting.page(tenant, &filter, next.as_ref(), limit, now).await?;
            for entry in page.items {
                match self.engine.leave_waiting_list(&context, entry.entry_id).await {
                    // They have left, or have what they waited for.
                    Ok(_) | Err(ExecuteError::Refused(_)) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            next = page.next;
            if next.is_none() {
                return Ok(());
            }
        }
    }

    /// Their appointments that are still to come, as far as the log is now.
    async fn upcoming(
        &self,
        tenant: &TenantId,
        client: ClientId,
    ) -> Result<Vec<AppointmentId>, Problem> {
        let head = self.engine.log().head(tenant).await?.unwrap_or_default();
        self.wait_for(tenant, Appointments::ID, head).await?;
        let now = self.engine.clock().now();
        let filter = SearchFilter {
            from: Some(now),
            statuses: vec![Status::Held, Status::Booked],
            client_ids: vec![client],
            ..SearchFilter::default()
        };
        let (mut all, mut next) = (Vec::new(), None);
        loop {
            let (sort, limit) = (Sort::default(), Limit::LONGEST);
            let page = self.search.page(tenant, &filter, sort, next.as_ref(), limit, now).await?;
            all.extend(page.items.into_iter().map(|found| found.appointment_id));
            next = page.next;
            if next.is_none() {
                return Ok(all);
            }
        }
    }

    pub(crate) fn keyring(&self) -> Result<&Keyring, Problem> {
        self.engine.keyring().ok_or_else(Problem::internal)
    }
}
