//! The text of a cursor: where a list goes on, and which list it was.
//!
//! base64url of: format (1 byte), fingerprint of the list (8), key (n), check (4). The check finds
//! damage; it is no signature, for a key that was made up shows nothing that the list itself does not.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use daybook_domain::TenantId;
use daybook_domain::rights::Limits;
use sha2::{Digest, Sha256};

const FORMAT: u8 = 1;
const FINGERPRINT_BYTES: usize = 8;
const CHECK_BYTES: usize = 4;

/// Where the next page of a list starts: an opaque text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(String);

/// A cursor that does not say where to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CursorError {
    /// It is not as it was given out.
    #[error("the cursor is damaged")]
    Damaged,
    /// It was given out for another filter, another order or another tenant.
    #[error("the cursor belongs to another search")]
    OtherSearch,
}

/// Which list it is: a fingerprint of all that its content and order depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct List([u8; FINGERPRINT_BYTES]);

impl List {
    /// The list of this name that the filter makes, whose `Debug` must say all of it.
    pub(crate) fn of(tenant: &TenantId, name: &str, filter: &impl fmt::Debug) -> Self {
        Self::hash(&[tenant.as_str().as_bytes(), name.as_bytes(), format!("{filter:?}").as_bytes()])
    }

    /// The same list, of which only what lies within these limits is shown.
    pub(crate) fn within(self, limits: &Limits) -> Self {
        if limits.are_none() {
            return self;
        }
        Self::hash(&[&self.0, format!("{limits:?}").as_bytes()])
    }

    /// The same list as it was at a position.
    pub(crate) fn at(self, position: u64) -> Self {
        Self::hash(&[&self.0, &position.to_be_bytes()])
    }

    fn hash(parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let mut first = [0; FINGERPRINT_BYTES];
        first.copy_from_slice(&hash.finalize()[..FINGERPRINT_BYTES]);
        Self(first)
    }
}

impl Cursor {
    /// A cursor as a client sends it back; whether it is one is seen when it is used.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// A text that is a cursor of some list, written again of what was read; `None`: it is none. For `fuzz/`.
    #[doc(hidden)]
    #[must_use]
    pub fn written_again(&self) -> Option<String> {
        let bytes = URL_SAFE_NO_PAD.decode(&self.0).ok()?;
        let fingerprint = bytes.get(1..=FINGERPRINT_BYTES)?.try_into().ok()?;
        let (list, most) = (List(fingerprint), bytes.len());
        let key = self.open(list, most).ok()?;
        Some(Self::seal(list, &key).0)
    }

    pub(crate) fn seal(list: List, key: &[u8]) -> Self {
        let mut bytes = vec![FORMAT];
        bytes.extend(list.0);
        bytes.extend(key);
        bytes.extend(check(&bytes));
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The key, which has at most so many bytes.
    pub(crate) fn open(&self, list: List, max_bytes: usize) -> Result<Vec<u8>, CursorError> {
        // Longer than any that was given out: not worth decoding.
        let longest = 1 + FINGERPRINT_BYTES + max_bytes + CHECK_BYTES;
        if self.0.len() > longest.div_ceil(3) * 4 {
            return Err(CursorError::Damaged);
        }
        let bytes = URL_SAFE_NO_PAD.decode(&self.0).map_err(|_| CursorError::Damaged)?;
        let (sealed, found) = bytes
            .split_at_checked(bytes.len().saturating_sub(CHECK_BYTES))
            .ok_or(CursorError::Damaged)?;
        if found != check(sealed) {
            return Err(CursorError::Damaged);
        }
        let [FORMAT, rest @ ..] = sealed else { return Err(CursorError::Damaged) };
        let (fingerprint, key) =
            rest.split_at_checked(FINGERPRINT_BYTES).ok_or(CursorError::Damaged)?;
        if fingerprint != list.0 {
            return Err(CursorError::OtherSearch);
        }
        Ok(key.to_vec())
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check(bytes: &[u8]) -> [u8; CHECK_BYTES] {
    let mut check = [0; CHECK_BYTES];
    check.copy_from_slice(&Sha256::digest(bytes)[..CHECK_BYTES]);
    check
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(tenant: &str, name: &str, filter: Option<u8>) -> List {
        List::of(&tenant.parse().unwrap(), name, &filter)
    }

    #[test]
    fn a_cursor_goes_on_with_the_list_it_came_from_and_with_no_other() {
        let own = list("north", "sessions", Some(1));
        let cursor = Cursor::seal(own, &[1, 2, 3]);
        assert_eq!(cursor.open(own, 3), Ok(vec![1, 2, 3]));
        for other in [
            list("south", "sessions", Some(1)),
            list("north", "conflicts", Some(1)),
            list("north", "sessions", None),
            list("north", "sessions", Some(1)).at(9),
        ] {
            assert_eq!(cursor.open(other, 3), Err(CursorError::OtherSearch));
        }
    }

    #[test]
    fn every_damaged_cursor_is_found_out() {
        let list = list("north", "sessions", None);
        let Cursor(text) = Cursor::seal(list, &[1, 2, 3]);
        for at in 0..text.len() {
            let mut damaged = text.clone().into_bytes();
            damaged[at] = if damaged[at] == b'A' { b'B' } else { b'A' };
            let damaged = Cursor::new(String::from_utf8(damaged).unwrap());
            assert_eq!(damaged.open(list, 3), Err(CursorError::Damaged), "{at}");
        }
        for bad in ["", "A", "AAAA", "%", &text[1..], &"A".repeat(1_000)] {
            assert_eq!(
                Cursor::new(bad.to_owned()).open(list, 3),
                Err(CursorError::Damaged),
                "{bad:?}"
            );
        }
    }
}
