//! The problems that routes have in common, for the documentation.

use utoipa::IntoResponses;

use crate::http::Problem;

/// What can go wrong with any request that needs a key.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it documents what `Problem` says")]
pub(crate) enum ReadProblems {
    /// A parameter or id is not understood.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(#[to_schema] Problem),
    /// The key is missing or unknown.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthorized(#[to_schema] Problem),
    /// The key's scope is too small.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(#[to_schema] Problem),
    /// There is no such thing in this tenant.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(#[to_schema] Problem),
    /// It will work later: see `Retry-After`.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(#[to_schema] Problem),
}

/// What can go wrong with a command, besides [`ReadProblems`].
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it documents what `Problem` says")]
pub(crate) enum CommandProblems {
    /// A rule refuses it in the present state of things; `type` says which.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(#[to_schema] Problem),
    /// It is not at the version of `If-Match`.
    #[response(status = 412, content_type = "application/problem+json")]
    Stale(#[to_schema] Problem),
    /// The body is too large.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(#[to_schema] Problem),
    /// The body is not `application/json`.
    #[response(status = 415, content_type = "application/problem+json")]
    UnsupportedMediaType(#[to_schema] Problem),
    /// The body is not what the route takes, or a rule refuses it; `type` says which.
    #[response(status = 422, content_type = "application/problem+json")]
    Unprocessable(#[to_schema] Problem),
}
