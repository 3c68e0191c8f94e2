//! Who a token speaks for.
//!
//! Each time its signature is checked anew, which takes less time than a look-up; what is remembered is the issuer and the
//! provider's keys. A token's text, and what it says of a person, is written nowhere.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use daybook_domain::rights::{Limits, Principal, Scopes, Who};
use ring::hmac;
use sqlx::PgPool;
use tokio::sync::Semaphore;
use tokio::time::sleep;
use uuid::Uuid;

use super::jwt::{Refused, Token};
use super::providers::{Providers, Signed, Verdict};
use super::rows::{self, AddIssuerError, Asked, KnownIssuer, look_up};
use super::{Issuer, IssuerUrl, NewIssuer};
use crate::keys::{ANY, NotKnown, Remembered};
use crate::personal::{Keyring, KeyringError};
use crate::{Clock, Log};

/// How many issuers are looked up at once.
const LOOK_UPS: usize = 4;

/// Whether a text has the form of a token: of three parts with points between them, which no key has.
#[must_use]
pub fn is_token(text: &str) -> bool {
    text.bytes().filter(|byte| *byte == b'.').count() == 2
}

/// Whoever's token was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenHolder {
    pub principal: Principal,
    /// The issuer's row.
    pub issuer_id: Uuid,
    /// Who it is: whoever has not the tenant's keys cannot tell, for a provider's `sub` can be an address.
    pub subject: Uuid,
    /// From when on it is not taken.
    pub ends_at: DateTime<Utc>,
    url: IssuerUrl,
    audience: String,
}

/// What becomes of whoever presents a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenHeld {
    By(TokenHolder),
    /// It is one of a tenant that is suspended.
    Suspended(Principal),
    /// It was one; of whom.
    Expired(Option<Principal>),
    /// It is none; what the caller is told of that, if anything, and of whom it is, where its signature is right.
    Refused(Option<&'static str>, Option<Principal>),
    /// The keys of its issuer cannot be had at present.
    NoKeys,
}

/// A token could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    #[error("this program has no master key, and so no names for whoever has a token")]
    NoKeyring,
}

/// A token that is not taken.
struct NotTaken {
    refused: Refused,
    /// The issuer's row.
    issuer: Option<Uuid>,
    /// Whose it is.
    by: Option<Principal>,
}

/// Who tokens speak for. Cheap to clone; clones are one cache.
#[derive(Clone)]
pub struct Tokens {
    pool: PgPool,
    clock: Arc<dyn Clock>,
    keyring: Option<Keyring>,
    remembered: Arc<Remembered>,
    providers: Providers,
    looked_up: Arc<Semaphore>,
}

impl Tokens {
    #[must_use]
    pub fn new(
        log: &Log,
        clock: &Arc<dyn Clock>,
        keyring: Option<&Keyring>,
        providers: Providers,
    ) -> Self {
        Self {
            pool: log.pool().clone(),
            clock: Arc::clone(clock),
            keyring: keyring.cloned(),
            remembered: log.remembered_keys(),
            providers,
            looked_up: Arc::new(Semaphore::new(LOOK_UPS)),
        }
    }

    /// Whether tokens of this issuer can be taken by this program.
    #[must_use]
    pub fn takes(&self, issuer: &IssuerUrl) -> bool {
        self.providers.fetches(issuer)
    }

    /// See [`add`](super::add): for this program before it is answered.
    ///
    /// # Errors
    /// When there is no such tenant, it has too many issuers, the issuer and audience are somebody's, or the database fails.
    pub async fn add(
        &self,
        tenant: &TenantId,
        terms: NewIssuer,
        now: DateTime<Utc>,
    ) -> Result<Issuer, AddIssuerError> {
        let added = rows::add(&self.pool, tenant, terms, now).await?;
        self.remembered.heard(ANY);
        Ok(added)
    }

    /// See [`remove`](super::remove), in the same way.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove(&self, tenant: &TenantId, id: Uuid) -> Result<Option<Issuer>, sqlx::Error> {
        let removed = rows::remove(&self.pool, tenant, id, self.clock.now()).await?;
        self.remembered.heard(ANY);
        Ok(removed)
    }

    /// Whether a provider that some tenant trusts has signed a token, as far as is known in memory: asks neither the database
    /// nor a provider, and costs a signature's check.
    #[must_use]
    pub fn is_signed(&self, text: &str) -> bool {
        let Ok(token) = Token::read(text) else { return false };
        let Ok(issuer) = IssuerUrl::new(&token.issuer) else { return false };
        let Some(signed) = token.signed_by() else { return false };
        self.providers.has_signed(&issuer, &signed)
    }

    /// Who a token speaks for that is used now.
    ///
    /// # Errors
    /// When the database fails, or the tenant's keys cannot be had.
    pub async fn holder(&self, text: &str) -> Result<TokenHeld, TokenError> {
        let NotTaken { refused, issuer, by } = match self.judged(text).await? {
            Ok(held) => return Ok(held),
            Err(not_taken) => not_taken,
        };
        let reason = refused.as_str();
        let issuer_id = issuer.map(tracing::field::display);
        tracing::debug!(reason, issuer_id, "a token is refused");
        Ok(match refused {
            Refused::Expired => TokenHeld::Expired(by),
            other => TokenHeld::Refused(other.told(), by),
        })
    }

    async fn judged(&self, text: &str) -> Result<Result<TokenHeld, NotTaken>, TokenError> {
        let token = match Token::read(text) {
            Ok(token) => token,
            Err(refused) => return Ok(Err(NotTaken { refused, issuer: None, by: None })),
        };
        let Some(known) = self.issuer_of(&token.issuer, &token.audiences).await? else {
            let refused = Refused::UnknownIssuer;
            return Ok(Err(NotTaken { refused, issuer: None, by: None }));
        };
        let (issuer, id) = (&known.issuer, known.issuer.id);
        let refused = |refused| Ok(Err(NotTaken { refused, issuer: Some(id), by: None }));
        let algorithm = match token.algorithm(&issuer.terms) {
            Ok(algorithm) => algorithm,
            Err(why) => return refused(why),
        };
        let Token { key_id, signed, signature, .. } = &token;
        let signed = Signed { key_id, algorithm, text: signed, signature };
        match self.providers.judge(&issuer.terms.url, &signed).await {
            Verdict::Signed => {}
            Verdict::NotSigned => return refused(Refused::Signature),
            Verdict::UnknownKey => return refused(Refused::UnknownKey),
            Verdict::Unavailable => return Ok(Ok(TokenHeld::NoKeys)),
        }
        let said = match token.said(&issuer.terms, issuer.created_at, self.clock.now()) {
            Ok(said) => said,
            Err(refused) => {
                let by = self.known_as(issuer, &token).await?;
                return Ok(Err(NotTaken { refused, issuer: Some(id), by }));
            }
        };
        let subject = self.subject(&issuer.tenant, &issuer.terms.url, &said.subject).await?;
        let who = Who::Token { issuer: id, subject };
        let (tenant, scopes, limits) = (issuer.tenant.clone(), said.scopes, said.limits);
        let principal = Principal { tenant, who, scopes, limits };
        if known.is_suspended {
            return Ok(Ok(TokenHeld::Suspended(principal)));
        }
        Ok(Ok(TokenHeld::By(TokenHolder {
            principal,
            issuer_id: id,
            subject,
            ends_at: said.ends_at,
            url: issuer.terms.url.clone(),
            audience: issuer.terms.audience.as_str().to_owned(),
        })))
    }

    /// Whose a token is that is not taken although its signature is right: they may do nothing.
    async fn known_as(
        &self,
        issuer: &Issuer,
        token: &Token<'_>,
    ) -> Result<Option<Principal>, TokenError> {
        let Some(subject) = token.subject() else { return Ok(None) };
        let subject = self.subject(&issuer.tenant, &issuer.terms.url, &subject).await?;
        let (tenant, who) = (issuer.tenant.clone(), Who::Token { issuer: issuer.id, subject });
        let (scopes, limits) = (Scopes::default(), Limits::default());
        Ok(Some(Principal { tenant, who, scopes, limits }))
    }

    /// What stands for a person in the record: the same for as long as the tenant has its keys.
    async fn subject(
        &self,
        tenant: &TenantId,
        issuer: &IssuerUrl,
        subject: &str,
    ) -> Result<Uuid, TokenError> {
        let keyring = self.keyring.as_ref().ok_or(TokenError::NoKeyring)?;
        let secret = keyring.secret(tenant, "subjects of tokens").await?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        // No issuer has a line break.
        let tag = hmac::sign(&key, format!("{issuer}\n{subject}").as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&tag.as_ref()[..16]);
        Ok(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }

    /// Waits until a token has ended: it has expired, its issuer was removed, or its tenant is suspended.
    pub async fn ended(&self, holder: &TokenHolder) {
        let mut ticks = self.remembered.ended();
        loop {
            ticks.borrow_and_update();
            let Ok(left) = (holder.ends_at - self.clock.now()).to_std() else { return };
            if left.is_zero() {
                return;
            }
            // Whoever has no database has other reasons to end.
            let TokenHolder { url, audience, issuer_id, .. } = holder;
            let trusts = self.trusts(url.as_str(), audience, *issuer_id).await;
            if matches!(trusts, Ok(None | Some(false))) {
                return;
            }
            let look_again = self.remembered.kept().max(Duration::from_millis(1));
            tokio::select! {
                _ = ticks.changed() => {}
                () = sleep(left.min(look_again)) => {}
            }
        }
    }

    /// Whether the issuer's row is still there; `Some(false)`: its tenant is suspended. `None`: it is not.
    pub(crate) async fn trusts(
        &self,
        url: &str,
        audience: &str,
        issuer: Uuid,
    ) -> Result<Option<bool>, sqlx::Error> {
        let known = self.issuer_of(url, &[audience.to_owned()]).await?;
        let known = known.filter(|known| known.issuer.id == issuer);
        Ok(known.map(|known| !known.is_suspended))
    }

    /// That with the token's issuer and one of its audiences; `None`: there is none, or they are of several.
    async fn issuer_of(
        &self,
        url: &str,
        audiences: &[String],
    ) -> Result<Option<Arc<KnownIssuer>>, sqlx::Error> {
        let asked = audiences.iter().map(|audience| (audience, Asked::of(url, audience)));
        let asked: Vec<(&String, Asked)> = asked.collect();
        let (mut found, unknown) = self.remembered_of(&asked);
        if !unknown.is_empty() {
            let _permit = self.looked_up.acquire().await.map_err(|_| sqlx::Error::PoolClosed)?;
            // Another may have looked it up meanwhile.
            let (known, unknown) = self.remembered_of(&asked);
            found = known;
            found.extend(self.look_up(url, &unknown).await?);
        }
        found.dedup_by_key(|known| known.issuer.id);
        let first = found.pop();
        Ok(if found.is_empty() { first } else { None })
    }

    async fn look_up(
        &self,
        url: &str,
        unknown: &[(&String, Asked)],
    ) -> Result<Vec<Arc<KnownIssuer>>, sqlx::Error> {
        if unknown.is_empty() {
            return Ok(Vec::new());
        }
        let ticks = self.remembered.ended();
        let audiences: Vec<&str> = unknown.iter().map(|(audience, _)| audience.as_str()).collect();
        let rows: Vec<_> =
            look_up(&self.pool, url, &audiences).await?.into_iter().map(Arc::new).collect();
        for (audience, asked) in unknown {
            let row = rows.iter().find(|row| row.issuer.terms.audience.as_str() == *audience);
            self.remembered.keep_issuer(*asked, row, &ticks);
        }
        Ok(rows)
    }

    /// What is remembered of these, and of which nothing is.
    fn remembered_of<'a>(
        &self,
        asked: &[(&'a String, Asked)],
    ) -> (Vec<Arc<KnownIssuer>>, Vec<(&'a String, Asked)>) {
        let (mut found, mut unknown) = (Vec::new(), Vec::new());
        for (audience, asked) in asked {
            match self.remembered.issuer(asked) {
                Ok(known) => found.extend(known),
                Err(NotKnown) => unknown.push((*audience, *asked)),
            }
        }
        (found, unknown)
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}
