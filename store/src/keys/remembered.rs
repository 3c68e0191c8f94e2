//! What is remembered of keys, and forgotten at once when one ends: here, or in another program, by NOTIFY.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use moka::future::Cache;
use tokio::sync::watch;
use tokio::time::Instant;

use super::holders::KeyHolder;
use super::text::SecretHash;

/// Any key may have ended.
pub(crate) const ANY: &str = "*";

/// How a notice names a key: by the hash that programs know it by, and that opens nothing.
pub(super) fn notice_of(hash: &SecretHash) -> String {
    use std::fmt::Write as _;
    hash.iter().fold(String::with_capacity(hash.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
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
    /// Ticks when a key may have ended.
    ended: watch::Sender<u64>,
    /// Whether this program would hear of it.
    listens: AtomicBool,
}

impl Default for Remembered {
    fn default() -> Self {
        let right = Cache::builder().max_capacity(Self::CAPACITY).time_to_live(Self::KEPT).build();
        let wrong = Cache::builder().max_capacity(Self::CAPACITY).time_to_live(Self::KEPT).build();
        Self { right, wrong, ended: watch::Sender::new(0), listens: AtomicBool::new(false) }
    }
}

impl Remembered {
    /// How long an answer is gone by, where nothing is heard.
    pub(super) const KEPT: Duration = Duration::from_secs(10);

    /// The same while nothing could be heard.
    pub(super) const KEPT_UNHEARD: Duration = Duration::from_secs(1);

    /// How many right ones, and how many wrong ones.
    const CAPACITY: u64 = 50_000;

    /// From now on notices are heard; what was said before may have been missed.
    pub(crate) async fn listens(&self) {
        self.listens.store(true, Ordering::Relaxed);
        self.heard(ANY).await;
    }

    /// From now on they are not.
    pub(crate) fn listens_no_more(&self) {
        self.listens.store(false, Ordering::Relaxed);
        self.tick();
    }

    /// How old an answer may be.
    pub(super) fn kept(&self) -> Duration {
        if self.listens.load(Ordering::Relaxed) { Self::KEPT } else { Self::KEPT_UNHEARD }
    }

    /// A key has ended, or any may have.
    pub(crate) async fn heard(&self, notice: &str) {
        // Before: whoever looks it up at this moment does not remember what they find. After: whoever waits looks again.
        self.tick();
        match hash_of(notice) {
            Some(hash) => self.right.invalidate(&hash).await,
            None => self.right.invalidate_all(),
        }
        self.tick();
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
        for bad in ["", ANY, &"g0".repeat(32), &"\u{e9}".repeat(32), &notice_of(&hash)[..62]] {
            assert_eq!(hash_of(bad), None, "{bad}");
        }
    }
}
