//! What messages to an endpoint are signed with (Standard Webhooks 1.0): HMAC-SHA256 (RFC 2104) over the message's id, the time of
//! the attempt and the body. While a secret is replaced, messages have a signature by each.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::TryRngCore as _;
use rand::rngs::OsRng;
use ring::hmac;

/// How many random bytes a secret has: the specification asks for 24 to 64.
const BYTES: usize = 32;

/// What a secret begins with where it is shown.
const PREFIX: &str = "whsec_";

/// There were no random bytes to be had.
#[derive(Debug, thiserror::Error)]
#[error("no random bytes to be had: {0}")]
pub struct SecretError(rand::rand_core::OsError);

/// A secret of an endpoint. It is shown once, and kept sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// A new one.
    ///
    /// # Errors
    /// When there are no random bytes to be had.
    pub fn generate() -> Result<Self, SecretError> {
        let mut bytes = vec![0; BYTES];
        OsRng.try_fill_bytes(&mut bytes).map_err(SecretError)?;
        Ok(Self(bytes))
    }

    pub(super) const fn of(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// As whoever checks signatures is given it.
    #[must_use]
    pub fn shown(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }

    fn signature(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let mut context = hmac::Context::with_key(&key);
        context.update(format!("{id}.{timestamp}.").as_bytes());
        context.update(body);
        format!("v1,{}", STANDARD.encode(context.sign()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Those that are good at a moment.
#[derive(Debug, Clone)]
pub struct Secrets {
    pub(super) present: Secret,
    pub(super) previous: Option<Secret>,
}

impl Secrets {
    /// What the header `webhook-signature` says of a message.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let all = std::iter::once(&self.present).chain(&self.previous);
        let signatures: Vec<String> =
            all.map(|secret| secret.signature(id, timestamp, body)).collect();
        signatures.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's libraries.
    #[test]
    fn a_message_is_signed_as_the_specification_says() {
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let secrets = Secrets { present: Secret::of(secret), previous: None };
        let signed =
            secrets.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b"{\"test\": 2432232314}");
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_is_random_is_shown_as_it_is_known_and_not_by_accident() {
        let (one, other) = (Secret::generate().unwrap(), Secret::generate().unwrap());
        assert_ne!(one, other);
        let shown = one.shown();
        let decoded = STANDARD.decode(shown.strip_prefix("whsec_").unwrap()).unwrap();
        assert_eq!(decoded, one.0);
        assert_eq!(format!("{one:?}"), "Secret(..)");
        let both = Secrets { present: one, previous: Some(other) };
        assert_eq!(both.sign("id", 1, b"").split(' ').count(), 2);
    }
}
