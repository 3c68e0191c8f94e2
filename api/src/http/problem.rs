//! Problem details (RFC 9457): the one form of everything that goes wrong.

use std::fmt::Display;
use std::num::NonZeroU32;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use daybook_store::Role;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::body::MERGE_PATCH;
use super::rate::Quota;

/// What every `type` begins with.
const TYPE_PREFIX: &str = "urn:daybook:problem:";

/// A problem. Its `type` is stable: clients may depend on it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// What kind of problem it is: `urn:daybook:problem:` and a name.
    #[serde(rename = "type")]
    #[schema(example = "urn:daybook:problem:slot-taken")]
    kind: String,
    /// The kind in words, the same each time.
    title: &'static str,
    /// The HTTP status.
    #[schema(value_type = u16, example = 409)]
    #[serde(serialize_with = "as_number")]
    status: StatusCode,
    /// What happened this time.
    detail: String,
    /// More about it, by kind: the resource and interval that are taken, for instance.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    more: Map<String, Value>,
    #[serde(skip)]
    come_back: Option<Box<ComeBack>>,
    /// Whether it is said of which types a patch is taken, for it was of none of these (RFC 5789 section 3.1).
    #[serde(skip)]
    is_of_a_patch: bool,
    /// What it came from, for the log alone.
    #[serde(skip)]
    cause: Option<Box<str>>,
}

/// When to ask again, and what is left of what the caller may send.
#[derive(Debug, Clone)]
struct ComeBack {
    seconds: u32,
    quota: Option<Quota>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn as_number<S: serde::Serializer>(status: &StatusCode, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u16(status.as_u16())
}

impl Problem {
    /// A problem of the kind `name`.
    pub(crate) fn new(
        status: StatusCode,
        name: &str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            kind: format!("{TYPE_PREFIX}{name}"),
            title,
            status,
            detail: detail.into(),
            more: Map::new(),
            come_back: None,
            is_of_a_patch: false,
            cause: None,
        }
    }

    /// With one more member.
    pub(crate) fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.more.insert(member.to_owned(), value.into());
        self
    }

    /// With members as an error type serialises them; they never replace the standard ones.
    pub(crate) fn with_all(mut self, members: Map<String, Value>) -> Self {
        let standard = ["type", "title", "status", "detail", "code", "aggregate"];
        self.more
            .extend(members.into_iter().filter(|(name, _)| !standard.contains(&name.as_str())));
        self
    }

    /// With the types that a patch can be of.
    pub(crate) fn of_a_patch(self) -> Self {
        Self { is_of_a_patch: true, ..self }
    }

    /// What it came from: for whoever runs the program, and not for the caller.
    pub(crate) fn because(mut self, cause: &impl Display) -> Self {
        self.cause = Some(cause.to_string().into());
        self
    }

    /// The same, for whoever knows no other way to be told that it cannot be so.
    pub(crate) fn into_conflict(self) -> Self {
        Self { status: StatusCode::CONFLICT, ..self }
    }

    /// Its HTTP status.
    pub(crate) const fn status(&self) -> StatusCode {
        self.status
    }

    /// Something in the query that is not understood.
    pub(crate) fn bad_query(name: &str, title: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, name, title, detail)
    }

    /// The body is JSON, but not what the route takes.
    pub(crate) fn bad_body(detail: impl Into<String>) -> Self {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Self::new(status, "invalid-body", "The body is not what this route takes", detail)
    }

    /// There is no such thing, or it is another tenant's.
    pub(crate) fn not_found(what: &str) -> Self {
        let detail = format!("there is no such {what}");
        Self::new(StatusCode::NOT_FOUND, "not-found", "Not found", detail)
    }

    /// It will work later.
    pub(crate) fn unavailable(detail: impl Into<String>) -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let problem = Self::new(status, "unavailable", "Not possible at present", detail);
        problem.soon()
    }

    /// There is no room for it now: others, or the caller's own requests, have it.
    pub(crate) fn overloaded(detail: impl Into<String>) -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let problem = Self::new(status, "overloaded", "Too much at once", detail);
        problem.soon()
    }

    /// It must not be done, for it could not be recorded.
    pub(crate) fn not_recorded(detail: impl Into<String>) -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let title = "It cannot be recorded at present";
        let problem = Self::new(status, "not-recorded", title, detail);
        problem.soon()
    }

    /// The key has sent more than so many requests a second.
    pub(crate) fn rate_limited(per_second: NonZeroU32) -> Self {
        let detail = format!("a key may send {per_second} requests a second to this program");
        let status = StatusCode::TOO_MANY_REQUESTS;
        let problem = Self::new(status, "rate-limited", "Too many requests of this key", detail);
        problem.with("requests_per_second", per_second.get())
    }

    /// Too many requests without a good key have come from where this one comes from.
    pub(crate) fn too_many_failures() -> Self {
        let detail = "too many requests without a good key have come from your address: see whether the key is right, and \
                      come back after `Retry-After`";
        let status = StatusCode::TOO_MANY_REQUESTS;
        Self::new(status, "too-many-failures", "Too many requests without a good key", detail)
    }

    /// Worth another try in a second.
    fn soon(self) -> Self {
        Self { come_back: Some(Box::new(ComeBack { seconds: 1, quota: None })), ..self }
    }

    /// With what is left, and when there is more.
    pub(crate) fn with_quota(self, quota: Quota) -> Self {
        let come_back = ComeBack { seconds: quota.retry_after(), quota: Some(quota) };
        Self { come_back: Some(Box::new(come_back)), ..self }
    }

    /// It asks for more than one request may have: `narrow` says of what to ask for less.
    pub(crate) fn too_broad(narrow: impl Into<String>) -> Self {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Self::new(status, "too-broad", "It asks for too much at once", narrow)
    }

    /// It will work when a program with this role runs.
    pub(crate) fn role_missing(role: Role) -> Self {
        let (title, detail) = (
            "No program does this at present",
            format!("no program that lives has the role {role}"),
        );
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, "role-missing", title, detail);
        problem.with("role", role.as_str()).soon()
    }

    /// A fault of the program. The caller hears no more than that.
    pub(crate) fn internal() -> Self {
        let detail = "the fault has been recorded";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "A fault of daybook", detail)
    }

    /// Its name among the types of problems.
    pub(crate) fn name(&self) -> &str {
        self.kind.strip_prefix(TYPE_PREFIX).unwrap_or(&self.kind)
    }

    #[cfg(test)]
    pub(crate) fn kind(&self) -> &str {
        &self.kind
    }
}

/// What problem an answer is, for the log and the figures: an extension of the answer.
#[derive(Clone)]
pub(crate) struct AnsweredProblem {
    pub(crate) name: String,
    /// Of a fault: what happened. Other details may say what the client has written.
    pub(crate) fault: Option<String>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(&self)).into_response();
        let fault = self.status.is_server_error().then(|| match &self.cause {
            Some(cause) => format!("{}: {cause}", self.detail),
            None => self.detail.clone(),
        });
        let answered = AnsweredProblem { name: self.name().to_owned(), fault };
        response.extensions_mut().insert(answered);
        if let Some(quota) = self.come_back.as_ref().and_then(|it| it.quota) {
            quota.tell(&mut response);
        }
        let headers = response.headers_mut();
        let content_type = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, content_type);
        if let Some(ComeBack { seconds, .. }) = self.come_back.as_deref() {
            headers.insert(header::RETRY_AFTER, (*seconds).into());
        }
        if self.is_of_a_patch
            && let Ok(types) = HeaderValue::try_from(MERGE_PATCH.join(", "))
        {
            headers.insert(header::HeaderName::from_static("accept-patch"), types);
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// The database failed a read.
impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Decode(_) | sqlx::Error::ColumnDecode { .. } => {
                Self::internal().because(&error)
            }
            error => Self::unavailable("the database cannot be reached").because(&error),
        }
    }
}
