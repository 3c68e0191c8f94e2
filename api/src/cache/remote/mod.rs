//! The second level: a Redis that several programs share. It is asked once for what this program's memory has not, waits for
//! 20 ms at most, and is left alone for a while when it does not answer. It is no source of anything: what is not there,
//! late, damaged or made up is worked out.
//!
//! * `address`: where it is. `breaker`: when it is left alone. `envelope`: how an answer is written there, and known to be ours.

mod address;
mod breaker;
mod envelope;

use std::fmt::Display;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use daybook_store::hex;
use daybook_store::metrics::CACHE_FAILURES;
use futures::FutureExt as _;
use futures::future::{BoxFuture, Shared};
use metrics::counter;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, FromRedisValue, RedisError};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::key::BUILD;
use super::{CachedPage, Key};
pub use address::{InvalidRedisAddress, InvalidRedisAuthorities, RedisAddress};
use breaker::{Breaker, Pass};

/// How long it is waited for. What is looked for there is worked out in about this time.
const PATIENCE: Duration = Duration::from_millis(20);

/// How long an answer stays, unless the server needs its memory before.
const KEPT_FOR: Duration = Duration::from_hours(1);

/// How many ask at once; beyond it, nobody waits for a turn.
const MAX_AT_ONCE: usize = 32;

/// The longest value that is read: an envelope of the longest answer.
const MAX_VALUE: usize = envelope::MAX_BYTES + 1_024;

/// How long a connection may take to be there, TLS and password and all: it goes on while nobody waits for it any more.
const CONNECTS_IN: Duration = Duration::from_secs(2);

/// A connection that is being made, or is there.
type Link = Shared<BoxFuture<'static, Result<MultiplexedConnection, RedisError>>>;

/// A Redis, and the connection to it.
pub(super) struct Remote {
    address: RedisAddress,
    link: Mutex<Option<Link>>,
    turns: Arc<Semaphore>,
    breaker: Breaker,
}

impl Remote {
    pub(super) fn new(address: RedisAddress) -> Arc<Self> {
        let turns = Arc::new(Semaphore::new(MAX_AT_ONCE));
        let (link, breaker) = (Mutex::default(), Breaker::default());
        Arc::new(Self { address, link, turns, breaker })
    }

    /// What is there under this key, if it is the answer.
    pub(super) async fn get(&self, key: &Key) -> Option<CachedPage> {
        let _turn = self.turns.try_acquire().ok()?;
        // What is longer than any answer is not read to its end.
        let mut range = redis::cmd("GETRANGE");
        range.arg(name(key)).arg(0).arg(MAX_VALUE);
        let found: Vec<u8> = self.ask(&range).await?;
        if found.is_empty() {
            return None;
        }
        let page = envelope::open(key, &found);
        if page.is_none() {
            counter!(CACHE_FAILURES, "why" => "damaged").increment(1);
        }
        page
    }

    /// Puts an answer there; nobody waits for it.
    pub(super) fn put(self: &Arc<Self>, key: Key, page: Arc<CachedPage>) {
        let Ok(turn) = Arc::clone(&self.turns).try_acquire_owned() else { return };
        let remote = Arc::clone(self);
        tokio::spawn(async move {
            let _turn = turn;
            let Some(value) = envelope::seal(&key, &page) else { return };
            let mut set = redis::cmd("SET");
            set.arg(name(&key)).arg(value).arg("EX").arg(KEPT_FOR.as_secs());
            remote.ask::<()>(&set).await;
        });
    }

    /// What it says to a command; `None`: it is left alone, or does not say it in time.
    async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Option<T> {
        let pass = self.breaker.pass()?;
        let link = self.link();
        let asked = async {
            let mut connection = link.clone().await?;
            command.query_async::<T>(&mut connection).await
        };
        let why = match timeout(PATIENCE, asked).await {
            Ok(Ok(said)) => {
                if self.breaker.worked() {
                    tracing::info!(redis = %self.address, "the shared cache answers again");
                }
                return Some(said);
            }
            Ok(Err(error)) => {
                self.has_failed(pass, &link, &error);
                "connection"
            }
            Err(late) => {
                self.has_failed(pass, &link, &late);
                "timeout"
            }
        };
        counter!(CACHE_FAILURES, "why" => why).increment(1);
        None
    }

    /// The connection, which is made where there is none.
    fn link(&self) -> Link {
        let mut link = self.link.lock().unwrap_or_else(PoisonError::into_inner);
        link.get_or_insert_with(|| {
            let client = self.address.client();
            let config = AsyncConnectionConfig::new()
                .set_connection_timeout(Some(CONNECTS_IN))
                .set_response_timeout(Some(CONNECTS_IN));
            let connecting = tokio::spawn(async move {
                client?.get_multiplexed_async_connection_with_config(&config).await
            });
            let connected = async {
                let ended = connecting.await;
                ended.unwrap_or_else(|error| Err(io::Error::other(error).into()))
            };
            connected.boxed().shared()
        })
        .clone()
    }

    fn has_failed(&self, pass: Pass, failed: &Link, error: &dyn Display) {
        let mut link = self.link.lock().unwrap_or_else(PoisonError::into_inner);
        // One that is still being made may be there for the next.
        if failed.peek().is_some() && link.as_ref().is_some_and(|link| link.ptr_eq(failed)) {
            *link = None;
        }
        drop(link);
        if self.breaker.failed(pass) {
            tracing::warn!(redis = %self.address, %error, "the shared cache does not answer; answers are worked out instead");
        }
    }
}

/// What an answer is called there.
fn name(key: &Key) -> String {
    format!("daybook:{BUILD}:{}", hex(key.address()))
}
