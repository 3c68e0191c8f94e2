//! API keys: who may use a tenant's log, and for what; and operators' keys, which are of no tenant.
//!
//! * [`text`]: how a key is written.
//! * [`rows`]: making, listing, revoking and rotating keys.
//! * [`links`]: the same for clients, of one appointment each.
//! * [`holders`]: who a key speaks for, remembered for a moment.
//! * [`remembered`]: what of that is forgotten at once when a key ends.
//! * [`used`]: when keys were used last.

mod holders;
pub mod links;
mod remembered;
mod rows;
mod text;
mod used;

use chrono::{DateTime, Utc};
use daybook_domain::rights::{Limits, Scopes};
use daybook_domain::{Name, TenantId};
use uuid::Uuid;

use crate::audit;

pub use holders::{Held, KeyHolder, KeyHolders};
pub(crate) use remembered::{ANY, NotKnown, PERSON, Remembered, notice_of};
pub(crate) use rows::tell;
pub use rows::{CreateKeyError, MAX_KEYS, RotateKeyError, create, find, list, revoke, rotate};
pub(crate) use text::{Bare, SecretHash};
#[doc(hidden)]
pub use text::{with_checksum, written_again};

/// On which channel programs are told of keys that end.
pub(crate) const CHANNEL: &str = "daybook_keys";

/// Whose a key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    Tenant(TenantId),
    /// Whoever runs daybook.
    Operator,
}

impl Owner {
    /// What stands in the column: no tenant has a name without letters.
    fn column(&self) -> &str {
        match self {
            Self::Tenant(tenant) => tenant.as_str(),
            Self::Operator => "",
        }
    }

    /// Whose chain of the audit log tells of it.
    pub(crate) fn audited(&self) -> audit::Owner {
        match self {
            Self::Tenant(tenant) => Some(tenant.clone()),
            Self::Operator => None,
        }
    }

    fn of_column(column: &str) -> Result<Self, sqlx::Error> {
        if column.is_empty() {
            return Ok(Self::Operator);
        }
        let tenant = column.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        Ok(Self::Tenant(tenant))
    }
}

impl From<&TenantId> for Owner {
    fn from(tenant: &TenantId) -> Self {
        Self::Tenant(tenant.clone())
    }
}

/// What a key is to be.
#[derive(Debug, Clone, Default)]
pub struct NewKey {
    /// What people call it.
    pub name: Option<Name>,
    /// An operator's has none.
    pub scopes: Scopes,
    /// Within what it is good for that.
    pub limits: Limits,
    /// From when on it is none.
    pub expires_at: Option<DateTime<Utc>>,
}

impl NewKey {
    /// One that is good for this, without a name and without an end.
    #[must_use]
    pub fn of(scopes: Scopes) -> Self {
        Self { scopes, ..Self::default() }
    }
}

/// A key as it is listed: not the key itself, which nobody keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedKey {
    /// It appears in events as the actor.
    pub id: Uuid,
    pub name: Option<Name>,
    pub scopes: Scopes,
    pub limits: Limits,
    pub created_at: DateTime<Utc>,
    pub expires_at: Option<DateTime<Utc>>,
    /// To the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
    /// Which key it was made to replace.
    pub replaces: Option<Uuid>,
}

impl ListedKey {
    /// One that is made now.
    #[must_use]
    pub fn of(id: Uuid, new: NewKey, replaces: Option<Uuid>, now: DateTime<Utc>) -> Self {
        let NewKey { name, scopes, limits, expires_at } = new;
        Self {
            id,
            name,
            scopes,
            limits,
            created_at: now,
            expires_at,
            last_used_at: None,
            revoked_at: None,
            replaces,
        }
    }

    /// What is to replace it: good for the same, until `expires_at`, or else for as long as this one was to be. Nobody gives
    /// more than they `may_give`.
    ///
    /// # Errors
    /// When it has ended, or is good for more than that.
    pub fn successor(
        &self,
        expires_at: Option<DateTime<Utc>>,
        may_give: Scopes,
        now: DateTime<Utc>,
    ) -> Result<NewKey, RotateKeyError> {
        if self.revoked_at.is_some() || self.expires_at.is_some_and(|end| end <= now) {
            return Err(RotateKeyError::Ended);
        }
        if !may_give.include(self.scopes) {
            return Err(RotateKeyError::Larger { needed: self.scopes, held: may_give });
        }
        let as_long = self.expires_at.map(|end| now + (end - self.created_at));
        let expires_at = expires_at.or(as_long);
        let (name, limits) = (self.name.clone(), self.limits.clone());
        Ok(NewKey { name, scopes: self.scopes, limits, expires_at })
    }
}

/// A key that was just made: its text is only ever shown here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedKey {
    pub key: String,
    pub listed: ListedKey,
}

#[cfg(test)]
mod tests;
