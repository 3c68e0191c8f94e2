//! The programs that run on one database, and their roles: what is in the table `programs`.
//!
//! Whether a program lives is told by the database's clock alone.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{PgExecutor, Row as _};
use uuid::Uuid;

/// How often a program says that it lives.
pub const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(1);

/// How long after it was heard last a program is taken for one that has ended, in PostgreSQL's words.
pub const SILENCE: &str = "5 seconds";

/// What a program does of all that there is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Answers requests.
    Api,
    /// Keeps the projections up to date, and makes them.
    Projector,
    /// Tells those outside who follow the log: the endpoints of webhooks, and the broker.
    Relay,
    /// Reminds clients.
    Reminders,
    /// Synchronises calendars.
    Sync,
    /// Expires holds, offers places to the waiting list, forgets what was kept long enough.
    Housekeeper,
}

impl Role {
    pub const ALL: [Self; 6] =
        [Self::Api, Self::Projector, Self::Relay, Self::Reminders, Self::Sync, Self::Housekeeper];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Projector => "projector",
            Self::Relay => "relay",
            Self::Reminders => "reminders",
            Self::Sync => "sync",
            Self::Housekeeper => "housekeeper",
        }
    }

    /// Whether this version has nothing to do for it: the name is there, so that a deployment can have it.
    #[must_use]
    pub const fn is_idle(self) -> bool {
        matches!(self, Self::Sync)
    }
}

daybook_domain::words!(Role, "role", UnknownRole);

/// A program, as it says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    pub id: Uuid,
    pub roles: Vec<Role>,
    pub version: String,
    /// The name of its machine.
    pub host: String,
}

impl Program {
    /// A program that begins now, on a machine of this name. Its id is that by which its log shows that it lives
    /// ([`Log::program`](crate::Log::program)).
    #[must_use]
    pub fn new(id: Uuid, roles: Vec<Role>, host: String) -> Self {
        Self { id, roles, version: env!("CARGO_PKG_VERSION").to_owned(), host }
    }
}

/// A program that was heard of a moment ago.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LivingProgram {
    pub id: Uuid,
    /// By name: one of a newer version may have roles that this one does not know.
    pub roles: Vec<String>,
    pub version: String,
    pub host: String,
    pub started_at: DateTime<Utc>,
    pub heard_at: DateTime<Utc>,
}

impl LivingProgram {
    /// Reads a row of `programs`.
    ///
    /// # Errors
    /// When it is none.
    pub fn of(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.try_get("id")?,
            roles: row.try_get("roles")?,
            version: row.try_get("version")?,
            host: row.try_get("host")?,
            started_at: row.try_get("started_at")?,
            heard_at: row.try_get("heard_at")?,
        })
    }

    #[must_use]
    pub fn has(&self, role: Role) -> bool {
        self.roles.iter().any(|name| name == role.as_str())
    }
}

/// The programs that live.
///
/// # Errors
/// When the database fails.
pub async fn living(executor: impl PgExecutor<'_>) -> Result<Vec<LivingProgram>, sqlx::Error> {
    let sql = format!(
        "SELECT id, roles, version, host, started_at, heard_at FROM programs
          WHERE heard_at > clock_timestamp() - interval '{SILENCE}' ORDER BY started_at, id"
    );
    sqlx::query(&sql).fetch_all(executor).await?.iter().map(LivingProgram::of).collect()
}

/// The roles that have something to do and that none of these programs has.
#[must_use]
pub fn missing_roles(programs: &[LivingProgram]) -> Vec<Role> {
    let has_none = |role: &Role| !programs.iter().any(|program| program.has(*role));
    Role::ALL.into_iter().filter(|role| !role.is_idle()).filter(has_none).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_that_nobody_has_is_missing_unless_it_is_idle() {
        let program = |roles: &[Role]| LivingProgram {
            id: Uuid::now_v7(),
            roles: roles.iter().map(ToString::to_string).collect(),
            version: String::new(),
            host: String::new(),
            started_at: DateTime::UNIX_EPOCH,
            heard_at: DateTime::UNIX_EPOCH,
        };
        let two = [program(&[Role::Api]), program(&[Role::Housekeeper, Role::Sync])];
        assert_eq!(missing_roles(&two), [Role::Projector, Role::Relay, Role::Reminders]);
        let all = Role::ALL.into_iter().filter(|role| *role != Role::Sync);
        assert_eq!(missing_roles(&[]), all.collect::<Vec<_>>());
        assert_eq!("projector".parse(), Ok(Role::Projector));
    }
}
