//! A request that is a command: its body, and the parameters that all commands have.

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use daybook_store::{CommandContext, CommandKey};
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use super::query::{self, query_params};
use super::{Caller, Problem, body};
use crate::App;

query_params! {
    /// Whether it is meant.
    pub(crate) struct DryRun {
        /// `true`: nothing happens, and the answer (200) is what it would be, without `Location`, `ETag` and
        /// `Daybook-Position`; an id in it that is new is of nothing. Of a change of a resource it is the
        /// appointments that would be in conflict. What would be refused is refused. `If-Match` counts,
        /// `Idempotency-Key` does not.
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
    /// Your own name for this command, 1 to 255 visible ASCII characters. Sent again with the same
    /// request, the first answer is given again; with another request it is refused (422).
    #[param(rename = "Idempotency-Key")]
    idempotency_key: Option<String>,
}

/// The header of a command that changes something, for the documentation.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "read by `CommandRequest`; this is how it is documented")]
pub(crate) struct IfMatch {
    /// The `ETag` that you have seen. If it is no longer the present one, nothing is done (412).
    #[param(rename = "If-Match")]
    if_match: Option<String>,
}

/// A command's body `T`, and what its query and headers say.
pub(crate) struct CommandRequest<T> {
    pub(crate) body: T,
    key: Option<CommandKey>,
    expected_version: Option<u64>,
    dry_run: bool,
}

impl<T> CommandRequest<T> {
    /// The command's context, and its body.
    #[expect(clippy::needless_pass_by_value, reason = "a caller gives one command")]
    pub(crate) fn by<S>(self, caller: Caller<S>) -> (CommandContext, T) {
        (self.context(&caller), self.body)
    }

    /// The command's context.
    pub(crate) fn context<S>(&self, caller: &Caller<S>) -> CommandContext {
        CommandContext {
            key: self.key.clone(),
            expected_version: self.expected_version,
            dry_run: self.dry_run,
            correlation_id: caller.request.correlation_id,
            trace: caller.request.trace,
            ..CommandContext::new(caller.tenant.clone(), caller.actor.clone())
        }
    }
}

impl<T: DeserializeOwned> FromRequest<App> for CommandRequest<T> {
    type Rejection = Problem;

    async fn from_request(mut request: Request, _: &App) -> Result<Self, Problem> {
        let headers = request.headers().clone();
        let dry_run = query::take::<DryRun>(&mut request)?.is_asked_for();
        let key = idempotency_key(&headers)?;
        let expected_version = if_match(&headers)?;
        let digest = Sha256::new()
            .chain_update(request.method().as_str())
            .chain_update(b" ")
            .chain_update(request.uri().path())
            .chain_update(b"\n");
        let bytes = body::read(request).await?;
        let fingerprint = digest.chain_update(&bytes).finalize().into();
        let body = body::parse(&headers, &bytes)?;
        let key = key.filter(|_| !dry_run).map(|key| CommandKey { key, fingerprint });
        Ok(Self { body, key, expected_version, dry_run })
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

/// The version of an `If-Match`. `*` asks only that it exists, which every command does.
fn if_match(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let version = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    version.and_then(|version| version.parse().ok()).map(Some).ok_or_else(|| {
        let detail = "If-Match takes one ETag as it was given, like \"3\", or *";
        let title = "The If-Match header is not valid";
        Problem::new(StatusCode::BAD_REQUEST, "invalid-if-match", title, detail)
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(name: &'static str, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name.parse().unwrap(), HeaderValue::from_static(value))])
    }

    #[test]
    fn an_etag_is_taken_as_it_was_given() {
        assert_eq!(if_match(&headers("if-match", "\"3\"")).unwrap(), Some(3));
        assert_eq!(if_match(&headers("if-match", "*")).unwrap(), None);
        for bad in ["3", "\"x\"", "W/\"3\"", "\"1\", \"2\""] {
            assert!(if_match(&headers("if-match", bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_idempotency_key_is_short_and_visible() {
        assert!(idempotency_key(&headers("idempotency-key", "a-1")).unwrap().is_some());
        assert!(idempotency_key(&headers("idempotency-key", "a b")).is_err());
        assert!(idempotency_key(&headers("idempotency-key", "")).is_err());
    }
}
