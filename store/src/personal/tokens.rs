//! What stands for texts where they must not be read: HMAC-SHA256 (RFC 2104) under a secret of their tenant's own.

use std::fmt;

use ring::hmac;
use uuid::Uuid;

/// Makes what stands for texts: the same for the same, and without the secret nobody tells for which.
#[derive(Clone)]
pub struct Tokens(hmac::Key);

impl Tokens {
    /// By a secret that a test has.
    #[doc(hidden)]
    #[must_use]
    pub fn of_secret(secret: &[u8; 32]) -> Self {
        Self::by(secret)
    }

    pub(crate) fn by(secret: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// What stands for these bytes as something of a kind, which has no line break.
    #[must_use]
    pub fn digest(&self, kind: &str, bytes: &[u8]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(kind.as_bytes());
        context.update(b"\n");
        context.update(bytes);
        let mut digest = [0; 32];
        digest.iter_mut().zip(context.sign().as_ref()).for_each(|(to, from)| *to = *from);
        digest
    }

    /// The same as an id (a UUID of version 8, RFC 9562 section 5.8).
    #[must_use]
    pub fn id(&self, kind: &str, text: &str) -> Uuid {
        let digest = self.digest(kind, text.as_bytes());
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_of_a_kind_has_one_token_and_each_secret_its_own() {
        let tokens = Tokens::by(&[1; 32]);
        let token = tokens.id("mail", "me@example.org");
        assert_eq!(token, Tokens::by(&[1; 32]).id("mail", "me@example.org"));
        assert_eq!(token.get_version_num(), 8);
        for other in [
            Tokens::by(&[2; 32]).id("mail", "me@example.org"),
            tokens.id("phone", "me@example.org"),
            tokens.id("mail", "you@example.org"),
        ] {
            assert_ne!(token, other);
        }
        assert_eq!(format!("{tokens:?}"), "Tokens(..)");
    }
}
