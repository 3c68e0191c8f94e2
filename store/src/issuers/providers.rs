//! The keys of providers, as they were a moment ago.
//!
//! They are asked for when a token needs them, and at no other time. While a provider is away its keys are gone by for a day.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use moka::sync::Cache;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::jwks::KeySet;
use super::{Algorithm, IssuerUrl};
use crate::json::read_once;

/// After so long a provider is asked what its keys are now.
const FRESH: Duration = Duration::from_mins(10);

/// For so long its keys are gone by where it does not answer.
const KEPT: Duration = Duration::from_hours(24);

/// It is asked at most this often, whatever tokens say.
const PAUSE: Duration = Duration::from_secs(10);

/// Of how many providers keys are kept in memory.
const MAX_PROVIDERS: u64 = 1_000;

/// How many are asked at once.
const AT_ONCE: usize = 8;

/// How long one waits for their turn to be asked.
const PATIENCE: Duration = Duration::from_secs(5);

/// A document could not be had.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct FetchError(pub String);

/// Who fetches documents of providers.
pub trait Fetch: Send + Sync {
    /// Whether documents are fetched of this one at all: one without TLS is only where whoever runs the program says so.
    fn fetches(&self, issuer: &IssuerUrl) -> bool;

    /// The document at this URL: in bounded size and time, and from no address that is not everybody's.
    fn fetch(&self, url: String) -> BoxFuture<'static, Result<Vec<u8>, FetchError>>;
}

/// The keys of providers. Clones are one cache.
#[derive(Clone)]
pub struct Providers {
    fetch: Arc<dyn Fetch>,
    known: Cache<IssuerUrl, Arc<Provider>>,
    at_once: Arc<Semaphore>,
}

/// What is known of one.
#[derive(Default)]
struct Provider {
    known: Mutex<Known>,
    /// Held by whoever asks it.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Default, Clone)]
struct Known {
    keys: Option<(Arc<KeySet>, Instant)>,
    asked_at: Option<Instant>,
}

/// Whether a provider's key has signed something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Signed,
    NotSigned,
    /// It has no such key.
    UnknownKey,
    /// It is not known what its keys are.
    Unavailable,
}

/// What is to be looked at.
pub(super) struct Signed<'s> {
    pub(super) key_id: &'s str,
    pub(super) algorithm: Algorithm,
    pub(super) text: &'s [u8],
    pub(super) signature: &'s [u8],
}

impl Providers {
    #[must_use]
    pub fn new(fetch: Arc<dyn Fetch>) -> Self {
        let known = Cache::builder().max_capacity(MAX_PROVIDERS).time_to_idle(KEPT).build();
        Self { fetch, known, at_once: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Those of a program that fetches nothing.
    #[must_use]
    pub fn none() -> Self {
        Self::new(Arc::new(NothingFetched))
    }

    /// Whether this program fetches the keys of this one at all.
    #[must_use]
    pub fn fetches(&self, issuer: &IssuerUrl) -> bool {
        self.fetch.fetches(issuer)
    }

    pub(super) async fn judge(&self, issuer: &IssuerUrl, signed: &Signed<'_>) -> Verdict {
        if !self.fetches(issuer) {
            return Verdict::Unavailable;
        }
        let provider = self.known.get_with_by_ref(issuer, Arc::default);
        if let Some(verdict) = provider.judge(signed)
            && verdict != Verdict::UnknownKey
        {
            if provider.is_due(FRESH) {
                // What it says now counts for the next token.
                self.ask(&provider, issuer);
            }
            return verdict;
        }
        // A task: whoever asked for it may go away meanwhile, and others wait for it.
        let _ = self.ask(&provider, issuer).await;
        provider.judge(signed).unwrap_or(Verdict::Unavailable)
    }

    /// Whether a key of this provider's has signed it, as far as is known in memory. Asks nobody.
    pub(super) fn has_signed(&self, issuer: &IssuerUrl, signed: &Signed<'_>) -> bool {
        let provider = self.known.get(issuer);
        provider.is_some_and(|provider| provider.judge(signed) == Some(Verdict::Signed))
    }

    fn ask(&self, provider: &Arc<Provider>, issuer: &IssuerUrl) -> tokio::task::JoinHandle<()> {
        let (this, provider, issuer) = (self.clone(), Arc::clone(provider), issuer.clone());
        tokio::spawn(async move {
            let _asking = provider.asking.lock().await;
            // Another may have asked meanwhile.
            if !provider.begins_to_ask() {
                return;
            }
            match this.keys(&issuer).await {
                Ok(keys) => provider.lock().keys = Some((Arc::new(keys), Instant::now())),
                Err(error) => {
                    tracing::warn!(%issuer, %error, "the keys of a provider cannot be had");
                }
            }
        })
    }

    async fn keys(&self, issuer: &IssuerUrl) -> Result<KeySet, FetchError> {
        let failed = |what: &str| FetchError(what.to_owned());
        let place = tokio::time::timeout(PATIENCE, self.at_once.acquire()).await;
        let _place = place.map_err(|_| failed("too many providers are asked at once"))?;
        let document = self.fetch.fetch(issuer.discovery()).await?;
        let document = read_once(&document);
        let document = document.ok_or_else(|| failed("its configuration is no JSON"))?;
        let said = |member| document.get(member).and_then(Value::as_str);
        // OpenID Connect Discovery 1.0, section 4.3: else one provider could speak for another.
        if said("issuer") != Some(issuer.as_str()) {
            return Err(failed("its configuration is that of another issuer"));
        }
        let keys = said("jwks_uri").ok_or_else(|| failed("its configuration has no jwks_uri"))?;
        let keys = self.fetch.fetch(keys.to_owned()).await?;
        KeySet::read(&keys).ok_or_else(|| failed("its keys are no JWK Set"))
    }
}

impl Provider {
    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `None`: it is not known what its keys are, or was too long ago.
    fn judge(&self, signed: &Signed<'_>) -> Option<Verdict> {
        let (keys, since) = self.lock().keys.clone()?;
        if since.elapsed() >= KEPT {
            return None;
        }
        let Some(key) = keys.find(signed.key_id, signed.algorithm) else {
            return Some(Verdict::UnknownKey);
        };
        let is_signed = key.has_signed(signed.algorithm, signed.text, signed.signature);
        Some(if is_signed { Verdict::Signed } else { Verdict::NotSigned })
    }

    /// Whether what is known is older than that, and it may be asked.
    fn is_due(&self, age: Duration) -> bool {
        let known = self.lock();
        let is_old = known.keys.as_ref().is_none_or(|(_, since)| since.elapsed() >= age);
        is_old && known.may_be_asked()
    }

    /// `false`: it was asked a moment ago.
    fn begins_to_ask(&self) -> bool {
        let mut known = self.lock();
        let may = known.may_be_asked();
        if may {
            known.asked_at = Some(Instant::now());
        }
        may
    }
}

impl Known {
    fn may_be_asked(&self) -> bool {
        self.asked_at.is_none_or(|at| at.elapsed() >= PAUSE)
    }
}

struct NothingFetched;

impl Fetch for NothingFetched {
    fn fetches(&self, issuer: &IssuerUrl) -> bool {
        !issuer.is_insecure()
    }

    fn fetch(&self, _: String) -> BoxFuture<'static, Result<Vec<u8>, FetchError>> {
        Box::pin(async { Err(FetchError("this program fetches nothing".to_owned())) })
    }
}

impl fmt::Debug for Providers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Providers").finish_non_exhaustive()
    }
}
