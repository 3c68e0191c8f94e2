//! What is remembered of keys and of issuers, and forgotten at once when one ends: here, or in another program, by NOTIFY.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use moka::sync::Cache;
use tokio::sync::watch;
use tokio::time::Instant;

use super::holders::KeyHolder;
use super::text::SecretHash;
use crate::browser::KnownSession;
use crate::hex;
use crate::issuers::{Asked, KnownIssuer};

/// Any key may have ended.
pub(crate) const ANY: &str = "*";

/// A key of a person may have ended, and none of a caller.
pub(crate) const PERSON: &str = "person";

/// How a notice names a key: by the hash that programs know it by, and that opens nothing.
pub(crate) fn notice_of(hash: &SecretHash) -> String {
    hex(hash)
}

fn hash_of(notice: &str) -> Option<SecretHash> {
    let mut hash = SecretHash::default();
    if notice.len() != hash.len() * 2 {
        return None;
    }
    for (index, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(notice.get(index * 2..index * 2 + 2)?, 16).ok()?;
    }
    Some(hash)
}

/// Nobody has looked it up for a while.
pub(crate) struct NotKnown;

/// A key that was looked up.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) holder: KeyHolder,
    pub(super) looked_up_at: Instant,
    /// When it was noted last that it is used, in seconds since 1970.
    pub(super) noted_at: AtomicI64,
}

/// What programs that run on one [`Log`](crate::Log) remember of keys.
///
/// Right and wrong ones are remembered apart, so that many wrong ones push no right one out.
#[derive(Debug)]
pub(crate) struct Remembered {
    pub(super) right: Cache<SecretHash, Arc<Known>>,
    pub(super) wrong: Cache<SecretHash, ()>,
    /// The issuers of tokens, and of which there is none: any of them is forgotten when anything ends.
    issuers: Cache<Asked, Arc<KnownIssuer>>,
    no_issuers: Cache<Asked, ()>,
    /// Sessions of browsers; of those that are none, the wrong ones.
    sessions: Cache<SecretHash, Arc<KnownSession>>,
    /// Keys and sessions that were right within the hour, whatever has become of them since: these are looked up for
    /// whoever sends them, whatever else comes from where they are.
    once_right: Cache<SecretHash, ()>,
    /// Ticks when a key may have ended.
    ended: watch::Sender<u64>,
    /// Whether this program would hear of it.
    listens: AtomicBool,
}

impl Default for Remembered {
    fn default() -> Self {
        let right = Cache::builder().max_capacity(Self::CAPACITY).time_to_live(Self::KEPT).build();
        let wrong = Cache::builder().max_capacity(Self::CAPACITY).time_to_live(Self::KEPT).build();
        let issuers = Cache::builder().max_capacity(Self::ISSUERS).time_to_live(Self::KEPT).build();
        let no_issuers =
            Cache::builder().max_capacity(Self::CAPACITY).time_to_live(Self::KEPT).build();
        let sessions =
            Cache::builder().max_capacity(Self::CAPACITY).time_to_live(Self::KEPT).build();
        let once_right =
            Cache::builder().max_capacity(Self::CAPACITY).time_to_live(Self::ONCE).build();
        Self {
            right,
            wrong,
            issuers,
            no_issuers,
            sessions,
            once_right,
            ended: watch::Sender::new(0),
            listens: AtomicBool::new(false),
        }
    }
}

impl Remembered {
    /// How long an answer is gone by, where nothing is heard.
    pub(super) const KEPT: Duration = Duration::from_secs(10);

    /// The same while nothing could be heard.
    pub(super) const KEPT_UNHEARD: Duration = Duration::from_secs(1);

    /// How long it counts that something was right once.
    const ONCE: Duration = Duration::from_hours(1);

    /// How many right ones, and how many wrong ones.
    const CAPACITY: u64 = 50_000;

    /// How many issuers: each has a table of grants.
    const ISSUERS: u64 = 5_000;

    /// From now on notices are heard; what was said before may have been missed.
    pub(crate) fn listens(&self) {
        self.listens.store(true, Ordering::Relaxed);
        self.heard(ANY);
    }

    /// From now on they are not.
    pub(crate) fn listens_no_more(&self) {
        self.listens.store(false, Ordering::Relaxed);
        self.tick();
    }

    /// How old an answer may be.
    pub(crate) fn kept(&self) -> Duration {
        if self.listens.load(Ordering::Relaxed) { Self::KEPT } else { Self::KEPT_UNHEARD }
    }

    /// A key has ended, or any may have.
    pub(crate) fn heard(&self, notice: &str) {
        // Before: whoever looks it up at this moment does not remember what they find. After: whoever waits looks again.
        self.tick();
        if let Some(hash) = hash_of(notice) {
            self.right.invalidate(&hash);
            self.sessions.invalidate(&hash);
        } else if notice != PERSON {
            self.right.invalidate_all();
            self.issuers.invalidate_all();
            self.sessions.invalidate_all();
            self.no_issuers.invalidate_all();
        }
        self.tick();
    }

    /// Remembers a key that was found, unless it may have ended since: `ticks` is from before the look-up.
    pub(super) fn keep_right(
        &self,
        hash: SecretHash,
        known: &Arc<Known>,
        ticks: &watch::Receiver<u64>,
    ) {
        self.once_right.insert(hash, ());
        self.right.insert(hash, Arc::clone(known));
        if ticks.has_changed().unwrap_or(true) {
            self.right.invalidate(&hash);
        }
    }

    /// Whether a key or session was right within the hour. It may have ended since.
    pub(crate) fn was_right(&self, hash: &SecretHash) -> bool {
        self.once_right.contains_key(hash)
    }

    /// The issuer that is looked up so; `None`: there is none.
    pub(crate) fn issuer(&self, asked: &Asked) -> Result<Option<Arc<KnownIssuer>>, NotKnown> {
        if let Some(known) = self.issuers.get(asked) {
            let is_fresh = known.looked_up_at.elapsed() < self.kept();
            return if is_fresh { Ok(Some(known)) } else { Err(NotKnown) };
        }
        self.no_issuers.get(asked).map(|()| None).ok_or(NotKnown)
    }

    /// Remembers what was found, unless something has ended since: `ticks` is from before the look-up.
    pub(crate) fn keep_issuer(
        &self,
        asked: Asked,
        found: Option<&Arc<KnownIssuer>>,
        ticks: &watch::Receiver<u64>,
    ) {
        match found {
            Some(known) => self.issuers.insert(asked, Arc::clone(known)),
            None => self.no_issuers.insert(asked, ()),
        }
        if ticks.has_changed().unwrap_or(true) {
            self.issuers.invalidate(&asked);
            self.no_issuers.invalidate(&asked);
        }
    }

    /// The session of a browser that is known so; `None`: there is none.
    pub(crate) fn session(&self, hash: &SecretHash) -> Result<Option<Arc<KnownSession>>, NotKnown> {
        if let Some(known) = self.sessions.get(hash) {
            let is_fresh = known.looked_up_at.elapsed() < self.kept();
            return if is_fresh { Ok(Some(known)) } else { Err(NotKnown) };
        }
        self.wrong.get(hash).map(|()| None).ok_or(NotKnown)
    }

    /// See [`Self::keep_issuer`].
    pub(crate) fn keep_session(
        &self,
        hash: SecretHash,
        found: Option<&Arc<KnownSession>>,
        ticks: &watch::Receiver<u64>,
    ) {
        match found {
            Some(known) => {
                self.once_right.insert(hash, ());
                self.sessions.insert(hash, Arc::clone(known));
            }
            None => self.wrong.insert(hash, ()),
        }
        if ticks.has_changed().unwrap_or(true) {
            self.sessions.invalidate(&hash);
        }
    }

    fn tick(&self) {
        self.ended.send_modify(|tick| *tick = tick.wrapping_add(1));
    }

    pub(crate) fn ended(&self) -> watch::Receiver<u64> {
        self.ended.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_names_the_key_and_no_other_text_names_one() {
        let hash = std::array::from_fn(|byte| u8::try_from(byte * 7).unwrap());
        assert_eq!(hash_of(&notice_of(&hash)), Some(hash));
        for bad in
            ["", ANY, PERSON, &"g0".repeat(32), &"\u{e9}".repeat(32), &notice_of(&hash)[..62]]
        {
            assert_eq!(hash_of(bad), None, "{bad}");
        }
    }
}
