//! Who a session's cookie speaks for, as it was a moment ago.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use daybook_domain::TenantId;
use daybook_domain::rights::{Principal, Who};
use sqlx::PgPool;
use tokio::sync::Semaphore;
use tokio::time::sleep;
use uuid::Uuid;

use super::rows::{self, KnownSession, Maker};
use super::{BrowserSession, IDLE, MadeSession, MakeError};
use crate::issuers::{TokenHolder, Tokens};
use crate::keys::{Bare, Held, KeyHolder, KeyHolders, Remembered, SecretHash, notice_of};
use crate::{Clock, Log};

/// How many are looked up at once.
const LOOK_UPS: usize = 4;

/// How often it is written that a session is used.
const NOTED_EVERY: TimeDelta = TimeDelta::minutes(1);

/// Whoever's session was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionHolder {
    /// That of the key or token by which it was made.
    pub principal: Principal,
    pub id: Uuid,
    /// The key, or the person of the token.
    pub maker_id: Uuid,
    hash: SecretHash,
}

/// What becomes of whoever sends a cookie.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly always it is one, and there is one at a time"
)]
pub enum SessionHeld {
    By(SessionHolder),
    /// It is one of a tenant that is suspended.
    Suspended,
    /// It has ended, or never was.
    Ended,
}

/// Who sessions of browsers speak for. Cheap to clone; clones are one cache.
#[derive(Clone)]
pub struct BrowserSessions {
    pool: PgPool,
    clock: Arc<dyn Clock>,
    keys: KeyHolders,
    tokens: Tokens,
    remembered: Arc<Remembered>,
    looked_up: Arc<Semaphore>,
}

impl BrowserSessions {
    #[must_use]
    pub fn new(log: &Log, clock: &Arc<dyn Clock>, keys: &KeyHolders, tokens: &Tokens) -> Self {
        Self {
            pool: log.pool().clone(),
            clock: Arc::clone(clock),
            keys: keys.clone(),
            tokens: tokens.clone(),
            remembered: log.remembered_keys(),
            looked_up: Arc::new(Semaphore::new(LOOK_UPS)),
        }
    }

    /// Makes a session of whoever has shown this key.
    ///
    /// # Errors
    /// When the database or the machine's randomness fails.
    pub async fn make_by_key(
        &self,
        principal: &Principal,
        key: &KeyHolder,
    ) -> Result<MadeSession, MakeError> {
        let maker = Maker::Key { id: key.key_id, hash: *key.hash() };
        self.make(principal, &maker).await
    }

    /// The same of whoever has shown this token: the session ends with it.
    ///
    /// # Errors
    /// When the database or the machine's randomness fails.
    pub async fn make_by_token(&self, token: &TokenHolder) -> Result<MadeSession, MakeError> {
        let TokenHolder { principal, issuer_id: issuer, subject, ends_at, .. } = token;
        let (issuer, subject, ends_at) = (*issuer, *subject, *ends_at);
        let (scopes, limits) = (principal.scopes, principal.limits.clone());
        let maker = Maker::Token { issuer, subject, scopes, limits, ends_at };
        self.make(principal, &maker).await
    }

    async fn make(&self, principal: &Principal, maker: &Maker) -> Result<MadeSession, MakeError> {
        let (made, beyond) = rows::make(&self.pool, principal, maker, self.clock.now()).await?;
        for hash in beyond {
            self.remembered.heard(&notice_of(&hash));
        }
        Ok(made)
    }

    /// The sessions of one maker that have not ended, the one that was used last first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(
        &self,
        tenant: &TenantId,
        maker: Uuid,
    ) -> Result<Vec<BrowserSession>, sqlx::Error> {
        rows::list(&self.pool, tenant, maker, self.clock.now()).await
    }

    /// Ends one of a maker's sessions, everywhere. `None`: there is no such session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end(
        &self,
        tenant: &TenantId,
        maker: Uuid,
        id: Uuid,
    ) -> Result<Option<BrowserSession>, sqlx::Error> {
        let Some((ended, hash)) = rows::end(&self.pool, tenant, maker, id).await? else {
            return Ok(None);
        };
        self.remembered.heard(&notice_of(&hash));
        Ok(Some(ended))
    }

    /// Who a cookie speaks for that is sent now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn holder(&self, cookie: &str) -> Result<SessionHeld, sqlx::Error> {
        let Some(hash) = Bare::Session.read(cookie) else { return Ok(SessionHeld::Ended) };
        let Some(known) = self.known(&hash).await? else { return Ok(SessionHeld::Ended) };
        let held = self.held(&known, hash).await?;
        if matches!(held, SessionHeld::By(_)) {
            self.note(&known).await?;
        }
        Ok(held)
    }

    /// Whether a cookie was one of a session within the hour, as far as this program knows. Asks no database.
    #[must_use]
    pub fn was_good(&self, cookie: &str) -> bool {
        Bare::Session.read(cookie).is_some_and(|hash| self.remembered.was_right(&hash))
    }

    async fn held(
        &self,
        known: &KnownSession,
        hash: SecretHash,
    ) -> Result<SessionHeld, sqlx::Error> {
        if known.ends_at() <= self.clock.now() {
            return Ok(SessionHeld::Ended);
        }
        let principal = match &known.maker {
            Maker::Key { hash, .. } => match self.keys.of_hash(hash).await? {
                Held::By(key) => key.principal(),
                Held::Suspended(_) => return Ok(SessionHeld::Suspended),
                Held::Expired(_) | Held::Unknown => None,
            },
            Maker::Token { issuer, subject, scopes, limits, .. } => {
                let Some((url, audience)) = &known.trusted else { return Ok(SessionHeld::Ended) };
                match self.tokens.trusts(url, audience, *issuer).await? {
                    Some(true) => {}
                    Some(false) => return Ok(SessionHeld::Suspended),
                    None => return Ok(SessionHeld::Ended),
                }
                let who = Who::Token { issuer: *issuer, subject: *subject };
                let (tenant, limits) = (known.tenant.clone(), limits.clone());
                Some(Principal { tenant, who, scopes: *scopes, limits })
            }
        };
        // A key of a tenant stays one of that tenant.
        Ok(match principal.filter(|principal| principal.tenant == known.tenant) {
            None => SessionHeld::Ended,
            Some(principal) => SessionHeld::By(SessionHolder {
                principal,
                id: known.listed.id,
                maker_id: known.maker.id(),
                hash,
            }),
        })
    }

    /// Writes once a minute that it is used.
    async fn note(&self, known: &KnownSession) -> Result<(), sqlx::Error> {
        let now = self.clock.now();
        let last = known.noted_at.load(Ordering::Relaxed);
        if now.timestamp() - last < NOTED_EVERY.num_seconds() {
            return Ok(());
        }
        let (order, seconds) = (Ordering::Relaxed, now.timestamp());
        if known.noted_at.compare_exchange(last, seconds, order, order).is_err() {
            return Ok(());
        }
        rows::note(&self.pool, &known.tenant, known.listed.id, now).await
    }

    /// Waits until a session has ended: nobody has used it for long, its time is over, it was ended, or what made it has.
    pub async fn ended(&self, holder: &SessionHolder) {
        let mut ticks = self.remembered.ended();
        loop {
            ticks.borrow_and_update();
            let mut until = self.remembered.kept();
            // Whoever has no database has other reasons to end.
            if let Ok(known) = self.known(&holder.hash).await {
                let Some(known) = known else { return };
                match self.held(&known, holder.hash).await {
                    Ok(SessionHeld::By(_)) => {
                        let left = (known.ends_at() - self.clock.now()).to_std();
                        until = until.min(left.unwrap_or_default());
                    }
                    Ok(SessionHeld::Suspended | SessionHeld::Ended) => return,
                    Err(_) => {}
                }
            }
            tokio::select! {
                _ = ticks.changed() => {}
                () = sleep(until.max(Duration::from_millis(1))) => {}
            }
        }
    }

    async fn known(&self, hash: &SecretHash) -> Result<Option<Arc<KnownSession>>, sqlx::Error> {
        if let Ok(known) = self.remembered.session(hash) {
            return Ok(known);
        }
        let _permit = self.looked_up.acquire().await.map_err(|_| sqlx::Error::PoolClosed)?;
        // Another may have looked it up meanwhile.
        if let Ok(known) = self.remembered.session(hash) {
            return Ok(known);
        }
        let ticks = self.remembered.ended();
        let known = rows::look_up(&self.pool, hash).await?.map(Arc::new);
        self.remembered.keep_session(*hash, known.as_ref(), &ticks);
        Ok(known)
    }
}

impl KnownSession {
    /// When it ends, if nobody uses it meanwhile.
    fn ends_at(&self) -> DateTime<Utc> {
        let noted = DateTime::from_timestamp(self.noted_at.load(Ordering::Relaxed), 0);
        let used = noted.unwrap_or(self.listed.used_at).max(self.listed.used_at);
        self.listed.ends_at.min(used + IDLE)
    }
}

impl fmt::Debug for BrowserSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BrowserSessions").finish_non_exhaustive()
    }
}
