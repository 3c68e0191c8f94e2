//! Who keys speak for, as it was a moment ago.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use chrono::{DateTime, TimeDelta, Utc};
use daybook_domain::AppointmentId;
use daybook_domain::rights::{Limits, LinkActions, Principal, Scopes, Who};
use futures::future::BoxFuture;
use sqlx::{PgPool, Row as _};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::remembered::{self, Known, NotKnown, Remembered};
use super::text::{Kind, Presented, SecretHash};
use super::used::Used;
use super::{CreatedKey, ListedKey, Owner, RotateKeyError, rows, text};
use crate::{Clock, Log};

/// Who a key speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyHolder {
    /// The key's own id: it appears in events as the actor.
    pub key_id: Uuid,
    /// The first of those that it was made to replace, or itself.
    pub lineage: Uuid,
    /// Whose it is.
    pub owner: Owner,
    /// What it is good for.
    pub scopes: Scopes,
    /// Within what it is good for that.
    pub limits: Limits,
    /// Of which appointment it is a link, and what for.
    pub link: Option<(AppointmentId, LinkActions)>,
    expires_at: Option<DateTime<Utc>>,
    is_suspended: bool,
    hash: SecretHash,
}

/// What becomes of whoever presents a text as their key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// It is a key.
    By(KeyHolder),
    /// It is a key of a tenant that is suspended.
    Suspended(KeyHolder),
    /// It was one.
    Expired(KeyHolder),
    /// It is none.
    Unknown,
}

/// Who keys speak for, as it was a moment ago. Cheap to clone; clones are one cache.
///
/// A key that is wrong again costs no query, one with a misprint none at all, and of all others that are looked up at a time
/// there are only a few: so whoever tries keys is not in the way of those who have one.
#[derive(Clone)]
pub struct KeyHolders {
    pool: PgPool,
    clock: Arc<dyn Clock>,
    remembered: Arc<Remembered>,
    looked_up: Arc<Semaphore>,
    used: Used,
}

impl KeyHolders {
    /// How many are looked up at once.
    const LOOK_UPS: usize = 4;

    #[must_use]
    pub fn new(log: &Log, clock: &Arc<dyn Clock>) -> Self {
        let pool = log.pool().clone();
        Self {
            used: Used::new(pool.clone(), Arc::clone(clock)),
            pool,
            clock: Arc::clone(clock),
            remembered: log.remembered_keys(),
            looked_up: Arc::new(Semaphore::new(Self::LOOK_UPS)),
        }
    }

    /// Who a key speaks for that is used now.
    ///
    /// # Errors
    /// When the database fails.
    #[must_use]
    pub fn holder<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Held, sqlx::Error>> {
        Box::pin(async move {
            let Some(presented) = text::read(key) else { return Ok(Held::Unknown) };
            let Some(known) = self.known(&presented.hash).await? else {
                return Ok(Held::Unknown);
            };
            let now = self.clock.now();
            let held = known.at(now);
            if let Held::By(holder) = &held {
                // Of the same secret, a text with another id is another text.
                if !holder.is_of(&presented) {
                    return Ok(Held::Unknown);
                }
                self.used.note(presented.hash, &known.noted_at, now);
            }
            Ok(held)
        })
    }

    /// Whether a text was a key within the hour, as far as this program knows. Asks no database.
    #[must_use]
    pub fn was_good(&self, key: &str) -> bool {
        text::read(key).is_some_and(|presented| self.remembered.was_right(&presented.hash))
    }

    /// Who the key speaks for that is known by this hash, and is used now by a session that it has made.
    pub(crate) async fn of_hash(&self, hash: &SecretHash) -> Result<Held, sqlx::Error> {
        let Some(known) = self.known(hash).await? else { return Ok(Held::Unknown) };
        let now = self.clock.now();
        let held = known.at(now);
        if matches!(held, Held::By(_)) {
            self.used.note(*hash, &known.noted_at, now);
        }
        Ok(held)
    }

    pub(super) const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// In this program, before it is answered that a key has ended.
    pub(super) fn forget_all(&self) {
        self.remembered.heard(remembered::ANY);
    }

    /// See [`revoke`](super::revoke): for this program before it is answered.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke(
        &self,
        owner: impl Into<Owner>,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<Option<ListedKey>, sqlx::Error> {
        let revoked = rows::revoke(&self.pool, owner, id, now).await?;
        self.remembered.heard(remembered::ANY);
        Ok(revoked)
    }

    /// See [`rotate`](super::rotate), in the same way.
    ///
    /// # Errors
    /// When there is no such key, it has ended, is good for more than that, or a new one cannot be made.
    pub async fn rotate(
        &self,
        owner: impl Into<Owner>,
        id: Uuid,
        ends: (TimeDelta, Option<DateTime<Utc>>),
        may_give: Scopes,
        now: DateTime<Utc>,
    ) -> Result<CreatedKey, RotateKeyError> {
        let rotated = rows::rotate(&self.pool, owner, id, ends, may_give, now).await?;
        self.remembered.heard(remembered::ANY);
        Ok(rotated)
    }

    /// Waits until a key has ended: it has expired or was revoked, or its tenant is suspended.
    pub async fn ended(&self, holder: &KeyHolder) {
        let mut ticks = self.remembered.ended();
        loop {
            ticks.borrow_and_update();
            let now = self.clock.now();
            let until = match self.known(&holder.hash).await {
                Ok(None) => return,
                Ok(Some(known)) => match known.at(now) {
                    Held::By(holder) => holder.expires_at.map(|end| end - now),
                    Held::Suspended(_) | Held::Expired(_) | Held::Unknown => return,
                },
                // Whoever has no database has other reasons to end.
                Err(_) => None,
            };
            let look_again = self.remembered.kept();
            let until = until.and_then(|until| until.to_std().ok()).unwrap_or(look_again);
            tokio::select! {
                _ = ticks.changed() => {}
                () = sleep(until.min(look_again)) => {}
            }
        }
    }

    async fn known(&self, hash: &SecretHash) -> Result<Option<Arc<Known>>, sqlx::Error> {
        if let Ok(known) = self.remembered(hash) {
            return Ok(known);
        }
        let _permit = self.looked_up.acquire().await.map_err(|_| sqlx::Error::PoolClosed)?;
        // Another may have looked it up meanwhile.
        if let Ok(known) = self.remembered(hash) {
            return Ok(known);
        }
        let ticks = self.remembered.ended();
        let Some(known) = look_up(&self.pool, hash).await? else {
            self.remembered.wrong.insert(*hash, ());
            return Ok(None);
        };
        let known = Arc::new(known);
        self.remembered.keep_right(*hash, &known, &ticks);
        Ok(Some(known))
    }

    fn remembered(&self, hash: &SecretHash) -> Result<Option<Arc<Known>>, NotKnown> {
        if let Some(known) = self.remembered.right.get(hash) {
            let is_fresh = known.looked_up_at.elapsed() < self.remembered.kept();
            return if is_fresh { Ok(Some(known)) } else { Err(NotKnown) };
        }
        self.remembered.wrong.get(hash).map(|()| None).ok_or(NotKnown)
    }
}

impl Known {
    fn at(&self, now: DateTime<Utc>) -> Held {
        if self.holder.expires_at.is_some_and(|end| end <= now) {
            return Held::Expired(self.holder.clone());
        }
        if self.holder.is_suspended {
            return Held::Suspended(self.holder.clone());
        }
        Held::By(self.holder.clone())
    }
}

impl KeyHolder {
    /// By what it is known.
    pub(crate) const fn hash(&self) -> &SecretHash {
        &self.hash
    }

    /// Who does what is done by the key; `None`: it is an operator's.
    #[must_use]
    pub fn principal(&self) -> Option<Principal> {
        let Owner::Tenant(tenant) = &self.owner else { return None };
        let mut limits = self.limits.clone();
        let who = match &self.link {
            None => Who::Key(self.key_id),
            Some((appointment, actions)) => {
                limits.appointment_id = Some(*appointment);
                Who::Link { id: self.key_id, actions: actions.clone() }
            }
        };
        Some(Principal { tenant: tenant.clone(), who, scopes: self.scopes, limits })
    }

    fn is_of(&self, presented: &Presented) -> bool {
        let kind = match (&self.owner, &self.link) {
            (Owner::Operator, _) => Kind::Operators,
            (Owner::Tenant(_), Some(_)) => Kind::Link,
            (Owner::Tenant(_), None) => Kind::Tenants,
        };
        presented.id.is_none_or(|id| id == self.key_id) && presented.kind == kind
    }
}

async fn look_up(pool: &PgPool, hash: &SecretHash) -> Result<Option<Known>, sqlx::Error> {
    let looked_up_at = Instant::now();
    let row = sqlx::query(
        "SELECT k.tenant_id, key_id, coalesce(lineage, key_id) AS lineage, scope, scopes, limited, appointment_id,
                expires_at, last_used_at,
                t.suspended_at IS NOT NULL AS is_suspended
           FROM api_keys k LEFT JOIN tenants t ON t.tenant_id = k.tenant_id
          WHERE key_hash = $1 AND revoked_at IS NULL",
    )
    .bind(hash.as_slice())
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let used = row.try_get::<Option<DateTime<Utc>>, _>("last_used_at")?;
    let rows::Limited { scopes, limits, actions } = rows::good_for(&row)?;
    let appointment: Option<Uuid> = row.try_get("appointment_id")?;
    let holder = KeyHolder {
        key_id: row.try_get("key_id")?,
        lineage: row.try_get("lineage")?,
        owner: Owner::of_column(row.try_get("tenant_id")?)?,
        scopes,
        limits,
        // One that this version does not know is good for nothing, and a link all the same.
        link: appointment.map(|id| (id.into(), actions.unwrap_or_default())),
        expires_at: row.try_get("expires_at")?,
        is_suspended: row.try_get("is_suspended")?,
        hash: *hash,
    };
    let noted_at = AtomicI64::new(used.map_or(0, |used| used.timestamp()));
    Ok(Some(Known { holder, looked_up_at, noted_at }))
}

impl std::fmt::Debug for KeyHolders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyHolders").finish_non_exhaustive()
    }
}
