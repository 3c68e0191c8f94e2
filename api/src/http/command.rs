//! A request that is a command: its body, and the parameters that all commands have.

use std::collections::BTreeSet;
use std::ops::Deref;

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode};
use daybook_domain::ClientId;
use daybook_store::{CommandContext, CommandKey, ExecuteError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use super::etag::if_match;
use super::query::{self, query_params};
use super::{Caller, Personal, Problem, body};
use crate::App;

query_params! {
    /// Whether it is meant.
    pub(crate) struct DryRun {
        /// `true`: nothing happens, and the answer says what would be. It is a 200 also where the command itself is answered
        /// with another status, and has none of the headers `Location`, `ETag` and `Daybook-Position`: an id in it that is
        /// new is of nothing. Of a change of a resource it has the appointments that would be in conflict. What would be
        /// refused is refused. Where there are such headers, `If-Match` counts and `Idempotency-Key` does not.
        dry_run: Option<bool>,
    }
}

impl DryRun {
    pub(crate) fn is_asked_for(&self) -> bool {
        self.dry_run.unwrap_or_default()
    }
}

/// What every command takes besides its body, for the documentation.
pub(crate) struct CommandParams;

impl IntoParams for CommandParams {
    fn into_params(place: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        [DryRun::into_params(&place), IdempotencyKey::into_params(&place)].concat()
    }
}

/// The header of every command, for the documentation.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "read by `CommandRequest`; this is how it is documented")]
pub(crate) struct IdempotencyKey {
    /// Your own name for this command, 1 to 255 visible ASCII characters. Sent again with a request that means the
    /// same, the first answer is given again, with `Idempotent-Replayed: true`; with another request it is refused
    /// (422).
    #[param(rename = "Idempotency-Key", min_length = 1, max_length = 255, pattern = "^[!-~]+$")]
    idempotency_key: Option<String>,
}

/// The header of a command that changes something, for the documentation.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "read by `CommandRequest`; this is how it is documented")]
pub(crate) struct IfMatch {
    /// The `ETag` that you have seen. If the version that it begins with is no longer the present one, nothing is done
    /// (412).
    #[param(
        rename = "If-Match",
        min_length = 1,
        max_length = 64,
        pattern = r#"^("[0-9]{1,18}(-[0-9a-z-]{1,40})?"|\*)$"#
    )]
    if_match: Option<String>,
}

/// A command's body `T`, and what its query and headers say.
pub(crate) struct CommandRequest<T> {
    pub(crate) body: T,
    key: Option<CommandKey>,
    expected_version: Option<u64>,
    dry_run: bool,
}

/// A command's context, and what whoever gives it is told.
pub(crate) struct Ordered {
    context: CommandContext,
    /// Whether the answer has what is personal.
    pub(crate) tells_personal: bool,
}

impl Deref for Ordered {
    type Target = CommandContext;

    fn deref(&self) -> &CommandContext {
        &self.context
    }
}

impl Ordered {
    /// These clients are not there, for whoever gives it.
    pub(crate) fn is_without_clients(&mut self, clients: BTreeSet<ClientId>) {
        self.context.unseen_clients = clients;
    }

    /// Why it is not done, as far as whoever gives it may be told: somebody who is limited is not told of what is in the way.
    pub(crate) fn problem(&self, error: ExecuteError) -> Problem {
        match error {
            ExecuteError::Refused(refusal) if !self.limits.are_none() => {
                Problem::of_limited(refusal)
            }
            error => error.into(),
        }
    }
}

impl<T> CommandRequest<T> {
    /// One that was put another way, and is meant for this version, where that is said.
    pub(crate) const fn at_version(body: T, expected_version: Option<u64>) -> Self {
        Self { body, key: None, expected_version, dry_run: false }
    }

    /// The command's context, and its body.
    #[expect(clippy::needless_pass_by_value, reason = "a caller gives one command")]
    pub(crate) fn by<S>(self, caller: Caller<S>) -> (Ordered, T) {
        (self.context(&caller), self.body)
    }

    /// The command's context.
    pub(crate) fn context<S>(&self, caller: &Caller<S>) -> Ordered {
        let context = CommandContext {
            key: self.key.clone(),
            expected_version: self.expected_version,
            dry_run: self.dry_run,
            limits: caller.limits.clone(),
            line: Some(caller.line()),
            correlation_id: caller.request.correlation_id,
            trace: caller.request.trace,
            ..CommandContext::new(caller.tenant.clone(), caller.actor())
        };
        Ordered { context, tells_personal: caller.has::<Personal>() }
    }
}

impl<T: DeserializeOwned + Serialize> FromRequest<App> for CommandRequest<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &App) -> Result<Self, Problem> {
        Self::read(request, body::JSON, meant).await
    }
}

impl<T: DeserializeOwned> CommandRequest<T> {
    /// A command whose body is of one of these types. What it means is what its key is compared by.
    pub(super) async fn read(
        mut request: Request,
        types: &[&str],
        meaning: fn(&T) -> serde_json::Result<Value>,
    ) -> Result<Self, Problem> {
        let headers = request.headers().clone();
        let dry_run = query::take::<DryRun>(&mut request)?.is_asked_for();
        let key = idempotency_key(&headers)?;
        let expected_version = if_match(&headers)?;
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let bytes = body::read(request).await?;
        let body = body::parse(&headers, &bytes, types)?;
        let key = match key.filter(|_| !dry_run) {
            Some(key) => {
                let text = meaning(&body).map_err(|error| Problem::internal().because(&error))?;
                let all = Sha256::new().chain_update(format!("{method} {path}\n{text}"));
                Some(CommandKey { key, fingerprint: all.finalize().into() })
            }
            None => None,
        };
        Ok(Self { body, key, expected_version, dry_run })
    }
}

/// What a body means, whatever its bytes are: spaces, the order of members, the offset of an instant, and whether what has a
/// default is said. A member that is new in a later version, and is not given, changes nothing.
pub(crate) fn meant<T: Serialize>(body: &T) -> serde_json::Result<Value> {
    let mut body = serde_json::to_value(body)?;
    leave_out_null(&mut body);
    Ok(body)
}

fn leave_out_null(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(leave_out_null);
        }
        Value::Array(items) => items.iter_mut().for_each(leave_out_null),
        _ => {}
    }
}

pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let bytes = value.as_bytes();
    if (1..=255).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic) {
        return Ok(Some(String::from_utf8_lossy(bytes).into_owned()));
    }
    Err(Problem::new(
        StatusCode::BAD_REQUEST,
        "invalid-idempotency-key",
        "The idempotency key is not valid",
        "an Idempotency-Key has 1 to 255 visible ASCII characters and no spaces",
    ))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(name: &'static str, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name.parse().unwrap(), HeaderValue::from_static(value))])
    }

    #[test]
    fn a_body_is_known_by_what_it_means() {
        let meaning = |json: &str| meant(&serde_json::from_str::<Value>(json).unwrap()).unwrap();
        assert_eq!(
            meaning(r#"{"a": 1, "b": [{"c": null}]}"#),
            meaning(r#"{"b":[{}],"a":1,"d":null}"#)
        );
        // An item that is nothing is an item.
        assert_ne!(meaning("[null]"), meaning("[]"));
    }

    #[test]
    fn an_idempotency_key_is_short_and_visible() {
        assert!(idempotency_key(&headers("idempotency-key", "a-1")).unwrap().is_some());
        assert!(idempotency_key(&headers("idempotency-key", "a b")).is_err());
        assert!(idempotency_key(&headers("idempotency-key", "")).is_err());
    }
}
