//! Issuers of access tokens: whom a tenant trusts to say who calls (OpenID Connect Discovery 1.0, RFC 9068).
//!
//! A token is of the tenant whose issuer has both its `iss` and one of its `aud`: nothing that a token says names a tenant.
//!
//! * [`url`]: how an issuer and an audience are written.
//! * [`grants`]: which claims give which scopes.
//! * [`rows`]: adding, listing and removing issuers.
//! * [`json`]: JSON in which nothing is said twice.
//! * [`jwt`]: what a token says, and whether it is good at this moment.
//! * [`jwks`]: a provider's keys, and what they have signed.
//! * [`providers`]: the keys of providers, as they were a moment ago.
//! * [`tokens`]: who a token speaks for.

mod grants;
mod jwks;
mod jwt;
mod providers;
mod rows;
#[cfg(test)]
mod tests;
mod tokens;
mod url;

use chrono::{DateTime, Utc};
use daybook_domain::TenantId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use grants::{Claim, Grant};
pub use jwt::{MAX_TOKEN_BYTES, written_again};
pub use providers::{Fetch, FetchError, Providers};
pub use rows::{AddIssuerError, add, find, list, remove};
pub use tokens::{TokenError, TokenHeld, TokenHolder, Tokens, is_token};
pub use url::{Audience, InvalidAudience, InvalidIssuer, IssuerUrl};

pub(crate) use rows::{Asked, KnownIssuer};

/// The most issuers of one tenant.
pub const MAX_ISSUERS: i64 = 20;

/// The most grants of one issuer.
pub const MAX_GRANTS: usize = 50;

/// How a token may be signed (RFC 7518, RFC 8037). Those with a shared secret (HS256 and its like) and `none` are left out:
/// whoever checks such a token could also make one, or anybody could.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Algorithm {
    #[serde(rename = "RS256")]
    Rs256,
    #[serde(rename = "PS256")]
    Ps256,
    #[serde(rename = "ES256")]
    Es256,
    #[serde(rename = "EdDSA")]
    EdDsa,
}

impl Algorithm {
    pub const ALL: [Self; 4] = [Self::Rs256, Self::Ps256, Self::Es256, Self::EdDsa];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == text)
    }
}

/// What a token's header says that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TokenType {
    /// An access token (RFC 9068).
    #[serde(rename = "at+jwt")]
    AccessToken,
    /// Any JWT: for providers that do not say more. Then only the audience tells it from a token of another kind.
    #[serde(rename = "JWT")]
    Jwt,
}

impl TokenType {
    pub const ALL: [Self; 2] = [Self::AccessToken, Self::Jwt];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => "at+jwt",
            Self::Jwt => "JWT",
        }
    }

    /// By a header's `typ`: a media type, of which `application/` may be left out, and case does not count (RFC 7515, 4.1.9).
    fn named(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let text = text.strip_prefix("application/").unwrap_or(&text);
        Self::ALL.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(text))
    }
}

/// What an issuer is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewIssuer {
    pub url: IssuerUrl,
    pub audience: Audience,
    pub algorithms: Vec<Algorithm>,
    pub token_types: Vec<TokenType>,
    pub grants: Vec<Grant>,
}

/// Whom a tenant trusts to say who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// It stands in events as a part of the actor.
    pub id: Uuid,
    pub tenant: TenantId,
    pub terms: NewIssuer,
    pub created_at: DateTime<Utc>,
}
