//! What would have become of the recorded commands by other rules.
//!
//! The commands are run by the same engine and decided by the same functions as ever, over tables of
//! their own (`scratch`), with a clock that stands at the time of each event. Nothing of the rules is
//! here: `policy` changes the terms of services, `command` says what was asked for, `booked` adds
//! up what is booked, in the recorded log and in the other one alike.

mod booked;
mod clock;
mod command;
mod policy;
mod repeat;
mod report;
mod run;
mod scratch;

use daybook_domain::{ServiceId, TenantId};

pub use policy::{Policy, PolicyError};
pub use report::{MAX_TOLD, Refused, Report, Utilisation};
pub(crate) use scratch::all_schemas;
pub use scratch::{drop_orphan, orphans};

use crate::log::StreamId;
use crate::{ExecuteError, Log, Position, UnreadableEvent};
use scratch::Scratch;

/// What is asked.
#[derive(Debug, Clone)]
pub struct WhatIf {
    /// Of whose log.
    pub tenant: TenantId,
    /// What the rules are from then on.
    pub policy: Policy,
    /// Up to here all was as it was.
    pub after: Position,
    /// The last position that is asked about.
    pub until: Position,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum WhatIfError {
    /// The policy makes no sense.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The policy is about a service that there is not.
    #[error("there is no service {0}")]
    UnknownService(ServiceId),
    /// The log has what this program cannot read.
    #[error(transparent)]
    Unreadable(#[from] UnreadableEvent),
    /// What was recorded cannot be repeated as it was.
    #[error("the event at position {position} cannot be repeated: {why}")]
    NotRepeated {
        /// Where it is.
        position: Position,
        why: String,
    },
    /// A command could not be decided.
    #[error(transparent)]
    Execute(ExecuteError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Runs the recorded commands by the other rules, until `stop`; `None`: it was stopped. `progress` is
/// told how far it has come. Whatever the outcome, nothing of it is left in the database.
///
/// # Errors
/// When there is no answer; see [`WhatIfError`].
pub async fn run(
    log: &Log,
    asked: &WhatIf,
    progress: impl Fn(Position),
    stop: impl Future<Output = ()>,
) -> Result<Option<Report>, WhatIfError> {
    asked.policy.check()?;
    for service_id in asked.policy.services() {
        let stream =
            StreamId::of::<daybook_domain::service::Service>(&asked.tenant, service_id.uuid());
        if log.read_stream(&asked.tenant, &stream, (0, None), 1).await?.is_empty() {
            return Err(WhatIfError::UnknownService(service_id));
        }
    }
    let scratch = Scratch::make(log.primary()).await?;
    let ran = tokio::select! {
        ran = run::run(log, &scratch, asked, progress) => ran.map(Some),
        () = stop => Ok(None),
    };
    scratch.drop().await?;
    ran
}
