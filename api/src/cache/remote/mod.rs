//! The second level: a Redis that several programs share. It is asked once for what this program's memory has not, waits for
//! 20 ms at most, and is left alone for a while when it does not answer. It is no source of anything: what is not there,
//! late, damaged or made up is worked out.
//!
//! * `address`: where it is. `connection`: commands, as it speaks them. `breaker`: when it is
//!   left alone. `envelope`: how an answer is written there, and known to be ours.

mod address;
mod breaker;
mod connection;
mod envelope;

use std::fmt::Display;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use daybook_store::hex;
use daybook_store::metrics::CACHE_FAILURES;
use metrics::counter;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::key::BUILD;
use super::{CachedPage, Key};
pub use address::{InvalidRedisAddress, RedisAddress};
use breaker::{Breaker, Pass};
use connection::Connection;

/// How long it is waited for. What is looked for there is worked out in about this time.
const PATIENCE: Duration = Duration::from_millis(20);

/// How long an answer stays, unless the server needs its memory before.
const KEPT_FOR: Duration = Duration::from_hours(1);

/// How many ask at once; beyond it, nobody waits for a turn.
const MAX_AT_ONCE: usize = 32;

/// How many connections stay open between requests.
const MAX_IDLE: usize = 8;

/// A Redis, and the connections to it.
pub(super) struct Remote {
    address: RedisAddress,
    idle: Mutex<Vec<Connection>>,
    turns: Arc<Semaphore>,
    breaker: Breaker,
}

impl Remote {
    pub(super) fn new(address: RedisAddress) -> Arc<Self> {
        let turns = Arc::new(Semaphore::new(MAX_AT_ONCE));
        let (idle, breaker) = (Mutex::default(), Breaker::default());
        Arc::new(Self { address, idle, turns, breaker })
    }

    /// What is there under this key, if it is the answer.
    pub(super) async fn get(&self, key: &Key) -> Option<CachedPage> {
        let _turn = self.turns.try_acquire().ok()?;
        let name = name(key);
        let found = self.ask(&[b"GET", name.as_bytes()]).await??;
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
            let (name, seconds) = (name(&key), KEPT_FOR.as_secs().to_string());
            remote.ask(&[b"SET", name.as_bytes(), &value, b"EX", seconds.as_bytes()]).await;
        });
    }

    /// What it says to a command, which may be nothing; `None`: it is left alone, or does not say it in time.
    async fn ask(&self, command: &[&[u8]]) -> Option<Option<Vec<u8>>> {
        let pass = self.breaker.pass()?;
        // A connection on which anything was left unread is never used again: the next would be told what this one asked.
        let asked = async {
            let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut connection = match idle {
                Some(connection) => connection,
                None => Connection::open(&self.address).await?,
            };
            let said = connection.say(command).await?;
            Ok::<_, io::Error>((said, connection))
        };
        let why = match timeout(PATIENCE, asked).await {
            Ok(Ok((said, connection))) => {
                if self.breaker.worked() {
                    tracing::info!(redis = %self.address, "the shared cache answers again");
                }
                let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
                if idle.len() < MAX_IDLE {
                    idle.push(connection);
                }
                return Some(said);
            }
            Ok(Err(error)) => {
                self.has_failed(pass, &error);
                "connection"
            }
            Err(late) => {
                self.has_failed(pass, &late);
                "timeout"
            }
        };
        counter!(CACHE_FAILURES, "why" => why).increment(1);
        None
    }

    fn has_failed(&self, pass: Pass, error: &dyn Display) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
        if self.breaker.failed(pass) {
            tracing::warn!(redis = %self.address, %error, "the shared cache does not answer; answers are worked out instead");
        }
    }
}

/// What an answer is called there.
fn name(key: &Key) -> String {
    format!("daybook:{BUILD}:{}", hex(key.address()))
}
