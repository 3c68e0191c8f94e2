//! What a token says, and whether it is good at this moment (RFC 7515, RFC 7519, RFC 9068, RFC 8725).
//!
//! Of the header only `alg`, `typ` and `kid` are read. Where keys can be found is said by the issuer's row: `jku`, `x5u`,
//! `jwk` and `x5c` are left alone, and a token that has anything critical (`crit`) is refused, since nothing is understood.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::providers::Signed;
use super::{Algorithm, NewIssuer, TokenType, grants};
use crate::json::read_once;
use daybook_domain::rights::{Limits, Scopes};

/// The longest token, in bytes.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// How far the clocks of a provider and of daybook may be apart.
pub(super) const LEEWAY: TimeDelta = TimeDelta::seconds(60);

/// A token cannot be revoked at daybook: so it is good for an hour at most.
pub(super) const MAX_LIFETIME: TimeDelta = TimeDelta::hours(1);

/// The most audiences of a token.
const MAX_AUDIENCES: usize = 10;

/// The longest text that is compared or kept: issuer, audience, subject, id of a key.
const MAX_TEXT_BYTES: usize = 255;

/// Why a token is not taken. Some are told to nobody but the program's log: see [`Refused::is_told`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    TooLong,
    /// It is not of three parts in base64url, or they are not JSON, or say something twice.
    Form,
    /// Something must be understood that is not.
    Critical,
    /// A claim that it must have is missing, or of another form.
    Claims,
    /// No tenant has an issuer like this with this audience, or several have.
    UnknownIssuer,
    Algorithm,
    Type,
    /// The provider has no such key for this algorithm.
    UnknownKey,
    Signature,
    Expired,
    NotYet,
    /// It is good for longer than an hour.
    TooLongLived,
    /// It is from before its issuer was added.
    FromBefore,
}

impl Refused {
    /// For the program's log.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::TooLong => "too-long",
            Self::Form => "form",
            Self::Critical => "critical",
            Self::Claims => "claims",
            Self::UnknownIssuer => "unknown-issuer",
            Self::Algorithm => "algorithm",
            Self::Type => "type",
            Self::UnknownKey => "unknown-key",
            Self::Signature => "signature",
            Self::Expired => "expired",
            Self::NotYet => "not-yet",
            Self::TooLongLived => "too-long-lived",
            Self::FromBefore => "from-before",
        }
    }

    /// What the caller is told: what is wrong with the time of a token whose signature is right. Of all others it would say
    /// which issuers, audiences and keys there are.
    pub(super) const fn told(self) -> Option<&'static str> {
        match self {
            Self::NotYet => {
                Some("the token is not good yet: are the clocks right? They may be a minute apart")
            }
            Self::TooLongLived => Some(
                "the token is good for more than an hour from now: have the provider give shorter ones",
            ),
            Self::FromBefore => Some(
                "the token is from before its issuer was added here: have the provider give a new one",
            ),
            _ => None,
        }
    }
}

/// A token as it was sent: nothing of it is known to be true yet.
pub(super) struct Token<'t> {
    algorithm: String,
    kind: Option<String>,
    pub(super) key_id: String,
    pub(super) issuer: String,
    pub(super) audiences: Vec<String>,
    claims: Value,
    /// What the signature is of.
    pub(super) signed: &'t [u8],
    pub(super) signature: Vec<u8>,
}

/// What a token whose signature is right says of whoever sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) subject: String,
    pub(super) scopes: Scopes,
    pub(super) limits: Limits,
    /// From when on it is not taken.
    pub(super) ends_at: DateTime<Utc>,
}

/// A text that has the form of a token, put together again of what was read; `None`: it has not. For `fuzz/`.
#[doc(hidden)]
#[must_use]
pub fn written_again(text: &str) -> Option<String> {
    let Token { signed, signature, .. } = Token::read(text).ok()?;
    let signed = std::str::from_utf8(signed).ok()?;
    Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

impl<'t> Token<'t> {
    pub(super) fn read(text: &'t str) -> Result<Self, Refused> {
        if text.len() > MAX_TOKEN_BYTES {
            return Err(Refused::TooLong);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(Refused::Form)?;
        let (header, claims) = signed.split_once('.').ok_or(Refused::Form)?;
        let header = object(header)?;
        if header.get("crit").is_some() {
            return Err(Refused::Critical);
        }
        let claims = object(claims)?;
        Ok(Self {
            algorithm: required(&header, "alg").ok_or(Refused::Algorithm)?,
            kind: required(&header, "typ"),
            key_id: required(&header, "kid").ok_or(Refused::UnknownKey)?,
            issuer: required(&claims, "iss").ok_or(Refused::Claims)?,
            audiences: audiences(&claims).ok_or(Refused::Claims)?,
            claims,
            signed: signed.as_bytes(),
            signature: decoded(signature)?,
        })
    }

    /// How it says that it is signed.
    pub(super) fn signed_by(&self) -> Option<Signed<'_>> {
        let algorithm = Algorithm::named(&self.algorithm)?;
        let Self { key_id, signed, signature, .. } = self;
        Some(Signed { key_id, algorithm, text: signed, signature })
    }

    /// Of whom it is, whose signature is right.
    pub(super) fn subject(&self) -> Option<String> {
        required(&self.claims, "sub")
    }

    /// How it says that it is signed, where its issuer may sign so, and it is of a type that this issuer gives.
    pub(super) fn algorithm(&self, terms: &NewIssuer) -> Result<Algorithm, Refused> {
        let algorithm = Algorithm::named(&self.algorithm).ok_or(Refused::Algorithm)?;
        if !terms.algorithms.contains(&algorithm) {
            return Err(Refused::Algorithm);
        }
        let kind = self.kind.as_deref().and_then(TokenType::named).ok_or(Refused::Type)?;
        if terms.token_types.contains(&kind) { Ok(algorithm) } else { Err(Refused::Type) }
    }

    /// What it says, whose signature is right. One from before its issuer was added is none: so an issuer that is removed and
    /// added again has ended all its tokens.
    pub(super) fn said(
        &self,
        terms: &NewIssuer,
        added_at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Said, Refused> {
        let at = |claim| instant(self.claims.get(claim)?);
        let expires_at = at("exp").ok_or(Refused::Claims)?;
        let issued_at = at("iat").ok_or(Refused::Claims)?;
        let begins_at = match self.claims.get("nbf") {
            None => issued_at,
            Some(_) => at("nbf").ok_or(Refused::Claims)?,
        };
        let subject = self.subject().ok_or(Refused::Claims)?;
        let ends_at = expires_at + LEEWAY;
        if ends_at <= now {
            return Err(Refused::Expired);
        }
        if issued_at.max(begins_at) - LEEWAY > now {
            return Err(Refused::NotYet);
        }
        if expires_at - LEEWAY > now + MAX_LIFETIME {
            return Err(Refused::TooLongLived);
        }
        if issued_at + LEEWAY < added_at {
            return Err(Refused::FromBefore);
        }
        let (scopes, limits) = grants::given(&terms.grants, &self.claims);
        Ok(Said { subject, scopes, limits, ends_at })
    }
}

/// An object in base64url, without padding and without bits that say nothing: each token has one text.
fn object(part: &str) -> Result<Value, Refused> {
    let value = read_once(&decoded(part)?).ok_or(Refused::Form)?;
    if value.is_object() { Ok(value) } else { Err(Refused::Form) }
}

fn decoded(part: &str) -> Result<Vec<u8>, Refused> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Refused::Form)
}

fn fits(text: &str) -> bool {
    (1..=MAX_TEXT_BYTES).contains(&text.len())
}

fn required(object: &Value, member: &str) -> Option<String> {
    let text = object.get(member)?.as_str()?;
    fits(text).then(|| text.to_owned())
}

/// One, or a list (RFC 7519, section 4.1.3).
fn audiences(claims: &Value) -> Option<Vec<String>> {
    match claims.get("aud")? {
        Value::String(one) => fits(one).then(|| vec![one.clone()]),
        Value::Array(several) if (1..=MAX_AUDIENCES).contains(&several.len()) => {
            let text = |it: &Value| it.as_str().filter(|text| fits(text)).map(str::to_owned);
            several.iter().map(text).collect()
        }
        _ => None,
    }
}

/// A `NumericDate`: seconds since 1970, perhaps with a fraction, which is left out.
fn instant(value: &Value) -> Option<DateTime<Utc>> {
    let number = value.as_number()?;
    #[expect(clippy::cast_possible_truncation, reason = "it saturates, and is bounded below")]
    let seconds = number.as_i64().or_else(|| number.as_f64().map(|it| it.floor() as i64))?;
    // Until the year 9999: what is added to it is still an instant.
    (0..=253_370_764_800).contains(&seconds).then(|| DateTime::from_timestamp(seconds, 0))?
}

#[cfg(test)]
mod tests {
    use daybook_domain::Name;
    use serde_json::json;

    use super::super::{Audience, Claim, Grant, IssuerUrl};
    use super::*;
    use daybook_domain::rights::Scope;

    const NOW: i64 = 1_800_000_000;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(NOW, 0).unwrap()
    }

    fn terms() -> NewIssuer {
        NewIssuer {
            url: IssuerUrl::new("https://login.example.org").unwrap(),
            audience: Audience::new("daybook").unwrap(),
            algorithms: vec![Algorithm::Es256],
            token_types: vec![TokenType::AccessToken],
            grants: vec![Grant {
                claim: Claim::new("scope").unwrap(),
                value: Name::new("desk").unwrap(),
                scopes: Scopes::of(&[Scope::Book]),
                limits: Limits::default(),
            }],
        }
    }

    fn header() -> Value {
        json!({"alg": "ES256", "typ": "at+jwt", "kid": "one"})
    }

    fn claims() -> Value {
        json!({"iss": "https://login.example.org", "aud": "daybook", "sub": "s", "scope": "desk",
               "iat": NOW, "exp": NOW + 600})
    }

    fn text(header: &Value, claims: &Value) -> String {
        let part = |it: &Value| URL_SAFE_NO_PAD.encode(it.to_string());
        format!("{}.{}.{}", part(header), part(claims), URL_SAFE_NO_PAD.encode("signature"))
    }

    /// What is found of a token whose signature is right.
    fn judged(header: &Value, claims: &Value) -> Result<Said, Refused> {
        let text = text(header, claims);
        let token = Token::read(&text)?;
        token.algorithm(&terms())?;
        token.said(&terms(), now() - TimeDelta::hours(1), now())
    }

    fn with(mut object: Value, member: &str, value: Value) -> Value {
        object[member] = value;
        object
    }

    #[test]
    fn a_token_says_who_may_what_and_until_when() {
        let said = judged(&header(), &claims()).unwrap();
        assert_eq!((&*said.subject, said.scopes), ("s", Scopes::of(&[Scope::Book])));
        assert_eq!(said.ends_at.timestamp(), NOW + 660);
        for kind in ["application/at+jwt", "AT+JWT"] {
            judged(&with(header(), "typ", json!(kind)), &claims()).unwrap();
        }
        let several = with(claims(), "aud", json!(["account", "daybook"]));
        let text = text(&header(), &several);
        assert_eq!(Token::read(&text).unwrap().audiences, ["account", "daybook"]);
    }

    #[test]
    fn of_a_header_nothing_is_taken_but_what_the_issuers_row_allows() {
        for (member, value, refused) in [
            ("alg", json!("none"), Refused::Algorithm),
            ("alg", json!("None"), Refused::Algorithm),
            ("alg", json!("HS256"), Refused::Algorithm),
            ("alg", json!("es256"), Refused::Algorithm),
            ("alg", json!("RS256"), Refused::Algorithm),
            ("alg", json!(null), Refused::Algorithm),
            ("typ", json!("JWT"), Refused::Type),
            ("typ", json!("logout+jwt"), Refused::Type),
            ("typ", json!(""), Refused::Type),
            ("typ", json!(null), Refused::Type),
            ("kid", json!(null), Refused::UnknownKey),
            ("kid", json!(""), Refused::UnknownKey),
            ("kid", json!("k".repeat(256)), Refused::UnknownKey),
            ("kid", json!(["one"]), Refused::UnknownKey),
            ("crit", json!([]), Refused::Critical),
            ("crit", json!(["exp"]), Refused::Critical),
            ("crit", json!(null), Refused::Critical),
        ] {
            let header = with(header(), member, value);
            assert_eq!(judged(&header, &claims()), Err(refused), "{header}");
        }
        for elsewhere in ["jku", "x5u", "jwk", "x5c"] {
            let header = with(header(), elsewhere, json!("https://evil.example"));
            judged(&header, &claims()).unwrap();
        }
    }

    #[test]
    fn clocks_may_be_a_minute_apart_and_no_second_more() {
        for (claim, seconds, found) in [
            ("exp", -59, Ok(())),
            ("exp", -60, Err(Refused::Expired)),
            ("exp", -61, Err(Refused::Expired)),
            ("exp", 3_660, Ok(())),
            ("exp", 3_661, Err(Refused::TooLongLived)),
            ("nbf", 60, Ok(())),
            ("nbf", 61, Err(Refused::NotYet)),
            ("iat", 60, Ok(())),
            ("iat", 61, Err(Refused::NotYet)),
            ("iat", -3_660, Ok(())),
            ("iat", -3_661, Err(Refused::FromBefore)),
        ] {
            let claims = with(claims(), claim, json!(NOW + seconds));
            assert_eq!(judged(&header(), &claims).map(drop), found, "{claims}");
        }
    }

    #[test]
    fn what_a_token_must_say_it_must_say_in_its_form() {
        for (member, bad) in [
            ("exp", json!(null)),
            ("exp", json!("1800000600")),
            ("exp", json!(1e300)),
            ("exp", json!(-1)),
            ("exp", json!(u64::MAX)),
            ("nbf", json!("soon")),
            ("nbf", json!(null)),
            ("iat", json!(null)),
            ("iat", json!(true)),
            ("sub", json!(null)),
            ("sub", json!("")),
            ("sub", json!(7)),
            ("sub", json!("s".repeat(256))),
            ("iss", json!(["https://login.example.org"])),
            ("aud", json!(null)),
            ("aud", json!([])),
            ("aud", json!([["daybook"]])),
            ("aud", json!({"daybook": true})),
            ("aud", json!(vec!["daybook"; 11])),
        ] {
            let claims = with(claims(), member, bad);
            assert_eq!(judged(&header(), &claims), Err(Refused::Claims), "{claims}");
        }
        let with_fraction = with(claims(), "exp", json!(1_800_000_000.75));
        assert_eq!(judged(&header(), &with_fraction).unwrap().ends_at.timestamp(), NOW + 60);
    }

    #[test]
    fn a_text_that_is_no_token_is_none() {
        let good = text(&header(), &claims());
        let (signed, signature) = good.rsplit_once('.').unwrap();
        let twice =
            URL_SAFE_NO_PAD.encode(r#"{"alg":"none","alg":"ES256","typ":"at+jwt","kid":"one"}"#);
        let rest = signed.split_once('.').unwrap().1;
        for bad in [
            String::new(),
            "..".to_owned(),
            "a.b.c".to_owned(),
            signed.to_owned(),
            format!("{good}.{signature}"),
            format!("{good}="),
            format!("{good} "),
            format!("{signed}.+/+/"),
            format!("{twice}.{rest}.{signature}"),
            format!("{}.{rest}.{signature}", URL_SAFE_NO_PAD.encode("[]")),
        ] {
            assert_eq!(Token::read(&bad).err(), Some(Refused::Form), "{bad}");
        }
        let long = format!("{good}{}", "A".repeat(MAX_TOKEN_BYTES));
        assert_eq!(Token::read(&long).err(), Some(Refused::TooLong));
    }
}
