//! The text of a cursor: where a list goes on, and which list it was.
//!
//! base64url of: format (1 byte), fingerprint of the list (8), place (n), check (4). The check
//! finds damage; it is no signature, for a place that was made up shows nothing that the list
//! itself does not.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::CursorError;

const FORMAT: u8 = 1;
const CHECK_BYTES: usize = 4;

/// Which list it is: all that its content and order depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint([u8; 8]);

impl Fingerprint {
    pub(crate) fn of(parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let mut first = [0; 8];
        first.copy_from_slice(&hash.finalize()[..8]);
        Self(first)
    }
}

impl Fingerprint {
    /// The same list as it was at a position.
    pub(crate) fn at(self, position: u64) -> Self {
        Self::of(&[&self.0, &position.to_be_bytes()])
    }
}

pub(crate) fn seal(list: Fingerprint, place: &[u8]) -> String {
    let mut bytes = vec![FORMAT];
    bytes.extend(list.0);
    bytes.extend(place);
    bytes.extend(check(&bytes));
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn open<const N: usize>(list: Fingerprint, text: &str) -> Result<[u8; N], CursorError> {
    open_up_to(N, list, text)?.try_into().map_err(|_| CursorError::Damaged)
}

/// The same, of a place that has at most so many bytes.
pub(crate) fn open_up_to(
    most: usize,
    list: Fingerprint,
    text: &str,
) -> Result<Vec<u8>, CursorError> {
    // Longer than any that was given out: not worth decoding.
    if text.len() > (1 + 8 + most + CHECK_BYTES).div_ceil(3) * 4 {
        return Err(CursorError::Damaged);
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| CursorError::Damaged)?;
    let (sealed, found) = bytes
        .split_at_checked(bytes.len().saturating_sub(CHECK_BYTES))
        .ok_or(CursorError::Damaged)?;
    if found != check(sealed) {
        return Err(CursorError::Damaged);
    }
    let [FORMAT, rest @ ..] = sealed else { return Err(CursorError::Damaged) };
    let (fingerprint, place) = rest.split_at_checked(8).ok_or(CursorError::Damaged)?;
    if fingerprint != list.0 {
        return Err(CursorError::OtherSearch);
    }
    Ok(place.to_vec())
}

fn check(bytes: &[u8]) -> [u8; CHECK_BYTES] {
    let mut check = [0; CHECK_BYTES];
    check.copy_from_slice(&Sha256::digest(bytes)[..CHECK_BYTES]);
    check
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_goes_on_with_the_list_it_came_from() {
        let list = Fingerprint::of(&[b"a", b"b"]);
        let cursor = seal(list, &[1, 2, 3]);
        assert_eq!(open(list, &cursor), Ok([1, 2, 3]));
        let other = Fingerprint::of(&[b"ab", b""]);
        assert_eq!(open::<3>(other, &cursor), Err(CursorError::OtherSearch));
    }

    #[test]
    fn every_damaged_cursor_is_found_out() {
        let list = Fingerprint::of(&[]);
        let cursor = seal(list, &[1, 2, 3]);
        for at in 0..cursor.len() {
            let mut damaged = cursor.clone().into_bytes();
            damaged[at] = if damaged[at] == b'A' { b'B' } else { b'A' };
            let damaged = String::from_utf8(damaged).unwrap();
            assert_eq!(open::<3>(list, &damaged), Err(CursorError::Damaged), "{at}");
        }
        for bad in ["", "A", "AAAA", "%", &cursor[1..], &"A".repeat(1_000)] {
            assert_eq!(open::<3>(list, bad), Err(CursorError::Damaged), "{bad:?}");
        }
    }
}
