//! What each role is: the connections that it needs, what it does, and what it must have to be ready. Whatever else
//! depends on a role asks here.

use daybook_api::Check;
use daybook_store::database::Budget;
use daybook_store::{LogSettings, Role};

/// Connections to the database, by what they are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pool {
    /// Reads, heartbeats, and the tables of projections.
    Readers,
    /// Reads of what is taken, for availability and choices.
    ClaimReaders,
    /// Appends.
    Committers,
}

/// Something that a program does by itself for as long as it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    /// Answers the API's requests.
    Answer,
    /// Brings the projections up to date.
    Run,
    /// Makes the projections that are missing or asked for.
    Rebuild,
    /// Publishes the views for analysts.
    PublishViews,
    /// Expires holds, and forgets answers that were kept long enough.
    Sweep,
    /// Offers what has become free to those who wait.
    Promote,
    /// Tells the endpoints of webhooks what has happened.
    Deliver,
    /// Publishes the logs to the broker, where there is one.
    Publish,
    /// Reminds clients and tells them what becomes of their appointments, where there is a relay.
    Write,
}

/// What a role needs and does.
pub(crate) struct Duties {
    pub(crate) pools: &'static [Pool],
    pub(crate) tasks: &'static [Task],
    pub(crate) readiness: &'static [Check],
}

/// What a role needs and does. Every program reads: it migrates, and says that it lives.
pub(crate) const fn duties(role: Role) -> Duties {
    match role {
        Role::Api => Duties {
            pools: &[Pool::Readers, Pool::ClaimReaders, Pool::Committers],
            tasks: &[Task::Answer],
            readiness: &[Check::Readers, Check::Committers, Check::Projections],
        },
        Role::Projector => Duties {
            pools: &[Pool::Readers],
            tasks: &[Task::Run, Task::Rebuild, Task::PublishViews],
            readiness: &[Check::Readers, Check::Projections],
        },
        Role::Housekeeper => Duties {
            pools: &[Pool::Readers, Pool::ClaimReaders, Pool::Committers],
            tasks: &[Task::Sweep, Task::Promote],
            readiness: &[Check::Readers, Check::Committers, Check::Projections],
        },
        Role::Relay => Duties {
            pools: &[Pool::Readers],
            tasks: &[Task::Deliver, Task::Publish],
            readiness: &[Check::Readers],
        },
        Role::Reminders => Duties {
            pools: &[Pool::Readers, Pool::Committers],
            tasks: &[Task::Write],
            readiness: &[Check::Readers, Check::Committers, Check::Projections],
        },
        Role::Sync => Duties { pools: &[Pool::Readers], tasks: &[], readiness: &[Check::Readers] },
    }
}

/// Whether one of these roles does this.
pub(crate) fn have(roles: &[Role], task: Task) -> bool {
    roles.iter().any(|role| duties(*role).tasks.contains(&task))
}

/// What a program with these roles must have to be ready.
pub(crate) fn readiness(roles: &[Role]) -> Vec<Check> {
    let mut checks: Vec<Check> =
        roles.iter().flat_map(|role| duties(*role).readiness).copied().collect();
    checks.sort_unstable();
    checks.dedup();
    checks
}

/// The roles for which there is nothing to do, where only some are named: by default a program has them all.
pub(crate) fn named_in_vain(roles: &[Role]) -> Option<String> {
    let idle = roles.iter().filter(|role| role.is_idle()).map(|role| role.as_str());
    let idle: Vec<&str> = idle.collect();
    (roles != Role::ALL && !idle.is_empty()).then(|| idle.join(", "))
}

/// What a program with these roles does with its connections: of those that none of them needs, it has no more than
/// one.
pub(crate) fn log_settings(roles: &[Role], budget: Budget) -> LogSettings {
    let settings = LogSettings::within(budget);
    let most = |pool, most: u32| if need(roles, pool) { most } else { 1 };
    LogSettings {
        readers: most(Pool::Readers, settings.readers),
        claim_readers: most(Pool::ClaimReaders, settings.claim_readers),
        committers: most(Pool::Committers, settings.committers),
        ..settings
    }
}

fn need(roles: &[Role], pool: Pool) -> bool {
    roles.iter().any(|role| duties(*role).pools.contains(&pool))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_without_a_task_is_one_that_the_store_calls_idle() {
        for role in Role::ALL {
            assert_eq!(duties(role).tasks.is_empty(), role.is_idle(), "{role}");
        }
    }

    #[test]
    fn a_program_is_ready_when_each_of_its_roles_is() {
        assert_eq!(
            readiness(&[Role::Relay, Role::Projector]),
            [Check::Readers, Check::Projections]
        );
        assert!(!need(&[Role::Projector], Pool::Committers));
    }
}
