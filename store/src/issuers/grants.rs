//! Which claims give which scopes: a tenant's table, for each of its issuers.

use std::fmt;

use daybook_domain::Name;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use daybook_domain::rights::{Limits, Scopes};

/// Claims that are a list of words in one text (RFC 8693, section 4.2; `scp` is what some providers call it).
const OF_WORDS: [&str; 2] = ["scope", "scp"];

/// The longest claim, in characters.
const MAX_LENGTH: usize = 200;

/// Where in a token something is said: the name of a claim, or a JSON Pointer (RFC 6901), which begins with `/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Claim(String);

/// A text that is no claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a claim is its name, or a JSON Pointer like /realm_access/roles: 1 to {MAX_LENGTH} visible ASCII characters"
)]
pub struct InvalidClaim;

impl Claim {
    /// # Errors
    /// When it is none.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidClaim> {
        let text = text.into();
        let fits = (1..=MAX_LENGTH).contains(&text.len());
        let is_one = fits && text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_one { Ok(Self(text)) } else { Err(InvalidClaim) }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of<'c>(&self, claims: &'c Value) -> Option<&'c Value> {
        if self.0.starts_with('/') { claims.pointer(&self.0) } else { claims.get(&self.0) }
    }
}

impl TryFrom<String> for Claim {
    type Error = InvalidClaim;

    fn try_from(text: String) -> Result<Self, InvalidClaim> {
        Self::new(text)
    }
}

impl From<Claim> for String {
    fn from(claim: Claim) -> Self {
        claim.0
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whoever's token has this value there has these scopes, within these limits.
///
/// A row with something that this version does not know gives nothing: it would give too much.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    pub claim: Claim,
    /// The claim's text, or one of a list of texts; of `scope` and `scp`, one of its words.
    pub value: Name,
    pub scopes: Scopes,
    #[serde(default, skip_serializing_if = "Limits::are_none")]
    pub limits: Limits,
}

impl Grant {
    fn fits(&self, claims: &Value) -> bool {
        let value = self.value.as_str();
        match self.claim.of(claims) {
            Some(Value::String(words)) if OF_WORDS.contains(&self.claim.as_str()) => {
                words.split(' ').any(|word| word == value)
            }
            Some(Value::String(text)) => text == value,
            Some(Value::Array(texts)) => texts.iter().any(|text| text == value),
            _ => false,
        }
    }
}

/// What all grants give together that a token's claims fit: the scopes of any, within the limits of all. Where nothing lies within
/// all, they give nothing.
pub(super) fn given(grants: &[Grant], claims: &Value) -> (Scopes, Limits) {
    let mut fitting = grants.iter().filter(|grant| grant.fits(claims));
    let given = fitting
        .try_fold((Scopes::default(), Limits::default()), |(scopes, limits), grant| {
            Some((scopes.and(grant.scopes), limits.both(&grant.limits)?))
        });
    given.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use daybook_domain::Location;
    use serde_json::json;

    use super::*;
    use daybook_domain::rights::Scope;

    fn grant(claim: &str, value: &str, scope: Scope) -> Grant {
        let (claim, value) = (Claim::new(claim).unwrap(), Name::new(value).unwrap());
        Grant { claim, value, scopes: Scopes::of(&[scope]), limits: Limits::default() }
    }

    #[test]
    fn a_token_has_what_all_grants_give_that_it_fits() {
        let grants = [
            grant("scope", "daybook:read", Scope::Availability),
            grant("/realm_access/roles", "front desk", Scope::Book),
            grant("https://example.org/role", "owner", Scope::Keys),
        ];
        let claims = json!({
            "scope": "openid daybook:read",
            "realm_access": {"roles": ["front desk", "staff"]},
            "https://example.org/role": "owner",
        });
        let all = Scopes::of(&[Scope::Availability, Scope::Book, Scope::Keys]);
        assert_eq!(given(&grants, &claims), (all, Limits::default()));
        assert_eq!(given(&grants, &json!({})), (Scopes::default(), Limits::default()));
    }

    #[test]
    fn a_token_is_limited_by_all_grants_that_it_fits() {
        let at = |name: &str| {
            let names = vec![Location::new(name).unwrap()];
            Limits { locations: Some(names.try_into().unwrap()), ..Limits::default() }
        };
        let of = |value: &str, scope, limits| Grant { limits, ..grant("roles", value, scope) };
        let grants = [
            of("reads", Scope::Appointments, Limits::default()),
            of("north", Scope::Book, at("North")),
            of("south", Scope::Book, at("South")),
        ];
        let given = |roles: &[&str]| given(&grants, &json!({"roles": roles}));
        let both = Scopes::of(&[Scope::Appointments, Scope::Book]);
        assert_eq!(given(&["reads", "north"]), (both, at("North")));
        assert_eq!(given(&["reads", "north", "south"]), (Scopes::default(), Limits::default()));
    }

    #[test]
    fn a_grant_that_says_more_than_is_known_is_none() {
        let mut row = serde_json::to_value(grant("roles", "desk", Scope::Book)).unwrap();
        assert!(serde_json::from_value::<Grant>(row.clone()).is_ok());
        row["only_on"] = json!("monday");
        assert!(serde_json::from_value::<Grant>(row).is_err());
    }

    #[test]
    fn what_only_looks_alike_gives_nothing() {
        let roles = [grant("roles", "desk", Scope::Book), grant("scope", "desk", Scope::Book)];
        for claims in [
            json!({"roles": "front desk"}),
            json!({"roles": ["front desk", ["desk"], {"desk": true}]}),
            json!({"roles": {"desk": true}}),
            json!({"roles": true}),
            json!({"roles": "Desk"}),
            json!({"scope": "front-desk desk2 xdesk"}),
            json!({"scope": "front\tdesk"}),
            json!({"/roles": "desk", "other": {"roles": "desk"}}),
        ] {
            assert!(given(&roles, &claims).0.is_empty(), "{claims}");
        }
    }
}
