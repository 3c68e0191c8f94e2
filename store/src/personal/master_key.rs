//! Master keys: they wrap the keys of persons, and are kept outside of the database.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use rand::TryRngCore as _;
use rand::rngs::OsRng;
use ring::aead::{AES_256_GCM, LessSafeKey, UnboundKey};
use sha2::{Digest as _, Sha256};

use crate::hex;

/// What the text of a master key begins with; the form is part of it.
const PREFIX: &str = "daybook-master-key-1:";

/// How many bytes a key has: AES-256.
pub(super) const BYTES: usize = 32;

/// By what a master key is known: 16 hexadecimal digits that say nothing of the key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MasterKeyId(String);

impl MasterKeyId {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As it is written.
    #[must_use]
    pub fn named(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for MasterKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is no master key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a master key: it is `{PREFIX}` and {} hexadecimal digits, as `daybook master-key create` prints it", 2 * BYTES)]
pub struct InvalidMasterKey;

/// A master key.
#[derive(Clone)]
pub struct MasterKey {
    id: MasterKeyId,
    bytes: [u8; BYTES],
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({})", self.id)
    }
}

impl MasterKey {
    /// A new one.
    ///
    /// # Errors
    /// When the machine gives no random bytes.
    pub fn generate() -> Result<Self, rand::rand_core::OsError> {
        let mut bytes = [0; BYTES];
        OsRng.try_fill_bytes(&mut bytes)?;
        Ok(Self::of(bytes))
    }

    fn of(bytes: [u8; BYTES]) -> Self {
        let digest = Sha256::new().chain_update(b"daybook master key id\n").chain_update(bytes);
        let id = MasterKeyId(hex(&digest.finalize()[..8]));
        Self { id, bytes }
    }

    #[must_use]
    pub fn id(&self) -> &MasterKeyId {
        &self.id
    }

    /// The key itself, as it is written where it is kept.
    #[must_use]
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", hex(&self.bytes))
    }
}

impl FromStr for MasterKey {
    type Err = InvalidMasterKey;

    fn from_str(text: &str) -> Result<Self, InvalidMasterKey> {
        let digits = text.trim().strip_prefix(PREFIX).ok_or(InvalidMasterKey)?.as_bytes();
        let mut bytes = [0; BYTES];
        if digits.len() != 2 * BYTES {
            return Err(InvalidMasterKey);
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            let digit = |at: usize| char::from(pair[at]).to_digit(16).ok_or(InvalidMasterKey);
            *byte = u8::try_from(digit(0)? << 4 | digit(1)?).map_err(|_| InvalidMasterKey)?;
        }
        Ok(Self::of(bytes))
    }
}

/// The master keys that a program has: the first one wraps, each opens what it has wrapped. Cheap to clone.
#[derive(Clone)]
pub struct MasterKeys(Arc<Held>);

struct Held {
    first: MasterKeyId,
    keys: BTreeMap<MasterKeyId, LessSafeKey>,
}

impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys.keys()).finish()
    }
}

impl MasterKeys {
    /// These, of which the first wraps.
    ///
    /// # Errors
    /// When there is none.
    pub fn new(keys: &[MasterKey]) -> Result<Self, InvalidMasterKey> {
        let first = keys.first().ok_or(InvalidMasterKey)?.id.clone();
        let aead = |key: &MasterKey| {
            let unbound =
                UnboundKey::new(&AES_256_GCM, &key.bytes).map_err(|_| InvalidMasterKey)?;
            Ok((key.id.clone(), LessSafeKey::new(unbound)))
        };
        let keys = keys.iter().map(aead).collect::<Result<_, _>>()?;
        Ok(Self(Arc::new(Held { first, keys })))
    }

    /// The one that wraps.
    pub(super) fn first(&self) -> (&MasterKeyId, Option<&LessSafeKey>) {
        (&self.0.first, self.0.keys.get(&self.0.first))
    }

    pub(super) fn get(&self, id: &MasterKeyId) -> Option<&LessSafeKey> {
        self.0.keys.get(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_was_written_and_never_shown() {
        let key = MasterKey::generate().unwrap();
        let read: MasterKey = format!("{}\n", key.reveal()).parse().unwrap();
        assert_eq!((read.bytes, read.id()), (key.bytes, key.id()));
        let shown = format!("{key:?} {:?}", MasterKeys::new(std::slice::from_ref(&key)).unwrap());
        assert!(!shown.contains(&hex(&key.bytes)) && shown.contains(key.id().as_str()), "{shown}");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let key = MasterKey::generate().unwrap().reveal();
        for wrong in
            ["", "daybook-master-key-1:", &key[1..], &key[..key.len() - 1], &format!("{key}0")]
        {
            assert_eq!(wrong.parse::<MasterKey>().unwrap_err(), InvalidMasterKey, "{wrong:?}");
        }
        let not_hex = format!("{}zz", &key[..key.len() - 2]);
        assert_eq!(not_hex.parse::<MasterKey>().unwrap_err(), InvalidMasterKey);
    }
}
