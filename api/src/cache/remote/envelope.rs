//! How an answer is written outside of this program, and known to be ours when it comes back.
//!
//! A byte for the form, 32 of HMAC-SHA-256, and the rest: the length of the next page's cursor (4 bytes), that, and the text. The key of the
//! HMAC follows from what was asked and from what the answer rests on, among it the hash of an event. So an answer is taken
//! only under the key under which it was put, whole, and of those who know the log: whoever can write into the server
//! alone makes no answer up. Nor does one read there what was asked.

use std::io::{Read as _, Write as _};

use axum::body::Bytes;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use ring::hmac;

use super::super::{CachedPage, Key};

/// As it is, or deflated (RFC 1951).
const PLAIN: u8 = 1;
const DEFLATED: u8 = 2;

const TAG_BYTES: usize = 32;

/// What is shorter is not worth deflating.
const MIN_DEFLATED: usize = 1_024;

/// What is longer does not leave this program, and nothing longer is taken.
pub(super) const MAX_BYTES: usize = 4 << 20;

/// `None`: it is too long.
pub(super) fn seal(key: &Key, page: &CachedPage) -> Option<Vec<u8>> {
    let next = page.next_cursor().unwrap_or_default().as_bytes();
    let mut plain = u32::try_from(next.len()).ok()?.to_be_bytes().to_vec();
    plain.extend(next);
    plain.extend(page.body());
    if plain.len() > MAX_BYTES {
        return None;
    }
    let (form, text) = if plain.len() < MIN_DEFLATED {
        (PLAIN, plain)
    } else {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&plain).ok()?;
        (DEFLATED, encoder.finish().ok()?)
    };
    let mut sealed = vec![form];
    sealed.extend(tag(key, form, &text).as_ref());
    sealed.extend(text);
    Some(sealed)
}

/// `None`: it is not what was put there under this key.
pub(super) fn open(key: &Key, sealed: &[u8]) -> Option<CachedPage> {
    let (form, rest) = sealed.split_first()?;
    let (found, text) = rest.split_at_checked(TAG_BYTES)?;
    let secret = hmac::Key::new(hmac::HMAC_SHA256, key.tag());
    hmac::verify(&secret, &[&[*form], text].concat(), found).ok()?;
    let plain = match *form {
        PLAIN => text.to_vec(),
        DEFLATED => {
            let mut plain = Vec::new();
            let limit = MAX_BYTES as u64 + 1;
            DeflateDecoder::new(text).take(limit).read_to_end(&mut plain).ok()?;
            (plain.len() <= MAX_BYTES).then_some(plain)?
        }
        _ => return None,
    };
    let (length, rest) = plain.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (next, body) = rest.split_at_checked(length)?;
    let next = std::str::from_utf8(next).ok()?;
    let next = (!next.is_empty()).then(|| next.to_owned());
    Some(CachedPage::found(key, next, Bytes::copy_from_slice(body)))
}

fn tag(key: &Key, form: u8, text: &[u8]) -> hmac::Tag {
    let secret = hmac::Key::new(hmac::HMAC_SHA256, key.tag());
    hmac::sign(&secret, &[&[form], text].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(of: u8) -> Key {
        Key::of_tests(of)
    }

    fn page(key: &Key, next: Option<&str>, body: &str) -> CachedPage {
        CachedPage::found(key, next.map(str::to_owned), Bytes::copy_from_slice(body.as_bytes()))
    }

    #[test]
    fn an_answer_comes_back_as_it_was_whatever_its_length() {
        let key = key(1);
        for (next, length) in
            [(None, 0), (Some("next"), 10), (None, 5_000), (Some("next"), 900_000)]
        {
            let page = page(&key, next, &"{\"items\":1}".repeat(length / 11));
            let sealed = seal(&key, &page).unwrap();
            assert!(length < 5_000 || sealed.len() < length / 5, "{}", sealed.len());
            assert_eq!(open(&key, &sealed), Some(page));
        }
        assert_eq!(seal(&key, &page(&key, None, &"x".repeat(MAX_BYTES))), None);
    }

    #[test]
    fn nothing_that_was_changed_or_put_under_another_key_is_taken() {
        let (ours, other) = (key(1), key(2));
        let sealed = seal(&ours, &page(&ours, Some("next"), "{}")).unwrap();
        assert_eq!(open(&other, &sealed), None);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(open(&ours, &changed), None, "{at}");
            assert_eq!(open(&ours, &sealed[..at]), None, "{at}");
        }
        assert_eq!(open(&ours, &[sealed, vec![0]].concat()), None);
    }
}
