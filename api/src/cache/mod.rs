//! Answers that are cached, so that the same question is not worked out twice.
//!
//! Nothing is ever made invalid. What an answer rests on is part of its key, and is read from the database before each
//! look-up: an answer that rests on something else is not found, and an answer is cached only under what it was read of. So
//! whatever becomes of a cache costs time alone.
//!
//! * `key`: what an answer is cached under. `page`: an answer.
//! * `flights`: what many ask for at once is worked out once.
//! * [`Cache`]: this program's memory, bounded by bytes. `remote`: a Redis as the second level.
//!
//! Only pages are cached that follow from the log alone: nothing is in them that was opened with a key of somebody's, so an
//! erasure has nothing to find here, and nothing that the clock changes. See `docs/adr/0066-nothing-that-is-cached-is-made-invalid.md`.

mod flights;
mod key;
mod page;
mod remote;

use std::future::Future;
use std::sync::Arc;

use daybook_store::metrics::CACHE_READS;
use futures::FutureExt as _;
use metrics::counter;

use crate::http::Problem;
use flights::Flights;
pub(crate) use key::{Key, Question};
pub(crate) use page::{CachedPage, if_known};
use remote::Remote;
pub use remote::{InvalidRedisAddress, InvalidRedisAuthorities, RedisAddress};

/// The routes whose answers are cached, where they can be; these have an `ETag` then.
pub(crate) const ROUTES: [&str; 1] = ["/v1/utilisation"];

/// What an answer takes beside its text: its key, and what the cache knows of it.
const OVERHEAD_BYTES: usize = 256;

/// Caches answers. Clones are one.
#[derive(Clone)]
pub(crate) struct Cache(Option<Arc<Levels>>);

struct Levels {
    memory: moka::sync::Cache<[u8; 32], Arc<CachedPage>>,
    remote: Option<Arc<Remote>>,
    flights: Flights,
}

impl Cache {
    /// None: everything is worked out.
    pub(crate) const fn off() -> Self {
        Self(None)
    }

    /// One of so many bytes, and with a Redis behind it; of none, it is off.
    pub(crate) fn of(bytes: u64, redis: Option<RedisAddress>) -> Self {
        if bytes == 0 {
            return Self::off();
        }
        let weight = |_: &[u8; 32], page: &Arc<CachedPage>| {
            u32::try_from(page.bytes() + OVERHEAD_BYTES).unwrap_or(u32::MAX)
        };
        let memory = moka::sync::Cache::builder().max_capacity(bytes).weigher(weight).build();
        let remote = redis.map(Remote::new);
        Self(Some(Arc::new(Levels { memory, remote, flights: Flights::default() })))
    }

    /// Whether it caches anything.
    pub(crate) const fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// The answer that is cached under `key`, or else what `work` comes to, which is cached under what it has read: that may be
    /// more than the key says, and is then of a later position.
    pub(crate) async fn read<W>(
        &self,
        key: &Key,
        work: impl FnOnce() -> W,
    ) -> Result<Arc<CachedPage>, Problem>
    where
        W: Future<Output = Result<(CachedPage, Option<Key>), Problem>> + Send + 'static,
    {
        let Some(levels) = &self.0 else { return work().await.map(|(page, _)| Arc::new(page)) };
        if let Some(page) = levels.memory.get(key.address()) {
            counter!(CACHE_READS, "found" => "memory").increment(1);
            return Ok(page);
        }
        let flight = levels.flights.join(key, || {
            let (levels, key, work) = (Arc::clone(levels), key.clone(), work());
            async move { levels.find(key, work).await }.boxed()
        });
        flight.await
    }
}

impl Levels {
    async fn find(
        &self,
        key: Key,
        work: impl Future<Output = Result<(CachedPage, Option<Key>), Problem>>,
    ) -> Result<Arc<CachedPage>, Problem> {
        if let Some(remote) = &self.remote
            && let Some(page) = remote.get(&key).await
        {
            counter!(CACHE_READS, "found" => "redis").increment(1);
            let page = Arc::new(page);
            self.memory.insert(*key.address(), Arc::clone(&page));
            return Ok(page);
        }
        counter!(CACHE_READS, "found" => "none").increment(1);
        let (page, of) = work.await?;
        let page = Arc::new(page);
        if let Some(key) = of {
            self.memory.insert(*key.address(), Arc::clone(&page));
            if let Some(remote) = &self.remote {
                remote.put(key, Arc::clone(&page));
            }
        }
        Ok(page)
    }
}
