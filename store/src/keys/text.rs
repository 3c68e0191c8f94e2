//! How a key is written: `daybook_{id}_{secret}_{checksum}`, and how it was written before.
//!
//! The id is that of its row, the secret 43 digits to the base of 62 (256 bits by chance), and the checksum the CRC-32 of all
//! before it: whoever looks for keys that leaked finds no others by it, and one with a misprint is no key without a query.

use rand::TryRngCore;
use rand::rngs::OsRng;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// What every key begins with.
const PREFIX: &str = "daybook_";

/// Whose a key is, as its text says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Tenants,
    Operators,
    /// It is a link for the client of an appointment.
    Link,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Operators, Self::Link, Self::Tenants];

    /// What follows the prefix.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Tenants => "",
            Self::Operators => "op_",
            Self::Link => "link_",
        }
    }
}

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ID_LENGTH: usize = 22;
const SECRET_LENGTH: usize = 43;
const CHECKSUM_LENGTH: usize = 6;

/// Of 256 bits, to the base of 16: what followed the prefix before keys had an id.
const OLD_LENGTH: usize = 64;

/// SHA-256 of what is secret of a key: with 256 random bits there is nothing for a slow hash to protect.
pub(crate) type SecretHash = [u8; 32];

/// What a text says that has the form of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Presented {
    pub(super) hash: SecretHash,
    /// That of its row; keys of the old form have none.
    pub(super) id: Option<Uuid>,
    pub(super) kind: Kind,
}

/// A new key, and the hash by which it is known.
pub(super) fn new_key(
    id: Uuid,
    kind: Kind,
) -> Result<(String, SecretHash), rand::rand_core::OsError> {
    let (id, secret) = (digits(id.as_u128(), ID_LENGTH), secret()?);
    let signed = format!("{PREFIX}{}{id}_{secret}", kind.prefix());
    Ok((format!("{signed}_{}", checksum(&signed)), hash(&secret)))
}

/// `None`: it is no key, whatever the database has.
pub(super) fn read(text: &str) -> Option<Presented> {
    let rest = text.strip_prefix(PREFIX)?;
    if is_of_old_form(rest) {
        return Some(Presented { hash: hash(text), id: None, kind: Kind::Tenants });
    }
    let (signed, said) = text.rsplit_once('_')?;
    // The last of them has none.
    let of_kind = |kind: Kind| Some((kind, rest.strip_prefix(kind.prefix())?));
    let (kind, rest) = Kind::ALL.into_iter().find_map(of_kind)?;
    let (id, rest) = rest.split_once('_')?;
    let (secret, _) = rest.split_once('_')?;
    let is_whole = secret.len() == SECRET_LENGTH && said == checksum(signed);
    let id = Uuid::from_u128(number(id)?);
    is_whole.then(|| Presented { hash: hash(secret), id: Some(id), kind })
}

/// A text that has the form of a key, or of a session's cookie, put together again of what was read; `None`: it has not.
/// For `fuzz/`.
#[doc(hidden)]
#[must_use]
pub fn written_again(text: &str) -> Option<String> {
    if Bare::Session.read(text).is_some() {
        let (secret, _) = text.split_once('_')?;
        return Some(format!("{secret}_{}", checksum(&Bare::Session.signed(secret))));
    }
    let Presented { id, kind, .. } = read(text)?;
    let Some(id) = id else { return Some(text.to_owned()) };
    let (signed, _) = text.rsplit_once('_')?;
    let (_, secret) = signed.rsplit_once('_')?;
    let signed = format!("{PREFIX}{}{}_{secret}", kind.prefix(), digits(id.as_u128(), ID_LENGTH));
    Some(with_checksum(&signed))
}

/// A text with its checksum behind it, as keys have it. For `fuzz/`.
#[doc(hidden)]
#[must_use]
pub fn with_checksum(signed: &str) -> String {
    format!("{signed}_{}", checksum(signed))
}

/// What has no more than a secret and a checksum: it is known by its hash alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bare {
    /// The cookie of a browser's session.
    Session,
    /// The address of a calendar feed.
    CalendarFeed,
}

impl Bare {
    /// What the checksum is of: that of no key, nor of another kind.
    fn signed(self, secret: &str) -> String {
        let kind = match self {
            Self::Session => "session",
            Self::CalendarFeed => "calendar",
        };
        format!("{PREFIX}{kind}_{secret}")
    }

    /// A new one, and the hash by which it is known.
    pub(crate) fn new_text(self) -> Result<(String, SecretHash), rand::rand_core::OsError> {
        let secret = secret()?;
        Ok((format!("{secret}_{}", checksum(&self.signed(&secret))), hash(&secret)))
    }

    /// `None`: it is none, whatever the database has.
    pub(crate) fn read(self, text: &str) -> Option<SecretHash> {
        let (secret, said) = text.split_once('_')?;
        let is_whole = secret.len() == SECRET_LENGTH && said == checksum(&self.signed(secret));
        is_whole.then(|| hash(secret))
    }
}

fn is_of_old_form(rest: &str) -> bool {
    rest.len() == OLD_LENGTH && rest.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn hash(secret: &str) -> SecretHash {
    Sha256::digest(secret.as_bytes()).into()
}

fn checksum(signed: &str) -> String {
    digits(crc32fast::hash(signed.as_bytes()).into(), CHECKSUM_LENGTH)
}

/// A number to the base of 62, with zeros in front.
fn digits(mut number: u128, length: usize) -> String {
    let mut text = vec![DIGITS[0]; length];
    for digit in text.iter_mut().rev() {
        // Less than 62.
        *digit = DIGITS[usize::try_from(number % 62).unwrap_or_default()];
        number /= 62;
    }
    text.into_iter().map(char::from).collect()
}

/// `None`: it is none of [`ID_LENGTH`] digits.
fn number(text: &str) -> Option<u128> {
    let value = |digit: u8| DIGITS.iter().position(|other| *other == digit);
    if text.len() != ID_LENGTH {
        return None;
    }
    text.bytes().try_fold(0u128, |number, digit| {
        number.checked_mul(62)?.checked_add(u128::try_from(value(digit)?).ok()?)
    })
}

fn secret() -> Result<String, rand::rand_core::OsError> {
    let mut secret = String::with_capacity(SECRET_LENGTH);
    let mut bytes = [0u8; 64];
    while secret.len() < SECRET_LENGTH {
        OsRng.try_fill_bytes(&mut bytes)?;
        // The largest multiple of 62 is 248: each digit is as likely as any other.
        let fair = bytes.iter().filter(|byte| **byte < 248);
        let missing = SECRET_LENGTH - secret.len();
        secret.extend(fair.take(missing).map(|byte| char::from(DIGITS[usize::from(byte % 62)])));
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_was_written() {
        for kind in Kind::ALL {
            let id = Uuid::now_v7();
            let (key, hash) = new_key(id, kind).unwrap();
            assert_eq!(read(&key), Some(Presented { hash, id: Some(id), kind }), "{key}");
        }
        assert_eq!(digits(u128::MAX, ID_LENGTH).len(), ID_LENGTH);
        assert_eq!(number(&digits(u128::MAX, ID_LENGTH)), Some(u128::MAX));
        assert_eq!(number("zzzzzzzzzzzzzzzzzzzzzz"), None, "larger than any id");
    }

    #[test]
    fn a_key_of_which_any_letter_is_another_is_none() {
        let (key, _) = new_key(Uuid::now_v7(), Kind::Tenants).unwrap();
        for at in 0..key.len() {
            for other in ["0", "z", "_", " "] {
                let mut changed = key.clone();
                changed.replace_range(at..=at, other);
                assert!(changed == key || read(&changed).is_none(), "{changed}");
            }
        }
        let cut = (0..key.len()).map(|length| &key[..length]);
        assert!(
            cut.chain([&*format!("{key}0"), "", "daybook_", "é"]).all(|bad| read(bad).is_none())
        );
    }

    #[test]
    fn what_is_bare_is_read_as_it_was_written_and_no_other_text_is_one() {
        for (kind, other) in
            [(Bare::Session, Bare::CalendarFeed), (Bare::CalendarFeed, Bare::Session)]
        {
            let (text, hash) = kind.new_text().unwrap();
            assert_eq!(kind.read(&text), Some(hash));
            assert_eq!(other.read(&text), None);
            assert!(read(&text).is_none() && read(&format!("{PREFIX}{text}")).is_none());
            let (key, _) = new_key(Uuid::now_v7(), Kind::Tenants).unwrap();
            let of_key = key.splitn(3, '_').nth(2).unwrap();
            for bad in [&key, of_key, &text[1..], &format!("{text}0"), &text.to_lowercase(), ""] {
                assert_eq!(kind.read(bad), None, "{bad}");
            }
        }
    }

    #[test]
    fn a_key_of_the_old_form_is_known_by_its_whole_text() {
        let old = format!("daybook_{}", "0a".repeat(32));
        let read = read(&old).unwrap();
        assert_eq!((read.hash, read.id), (hash(&old), None));
        assert!(super::read(&old.to_uppercase()).is_none());
    }

    #[test]
    fn a_key_has_the_form_that_the_documents_tell_scanners() {
        let (key, _) = new_key(Uuid::now_v7(), Kind::Operators).unwrap();
        let parts: Vec<&str> = key.split('_').collect();
        let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        assert_eq!((parts[0], &*lengths), ("daybook", &[7, 2, 22, 43, 6][..]));
    }
}
