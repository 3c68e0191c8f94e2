//! The problems that routes have in common, for the documentation.

use utoipa::IntoResponses;

use crate::http::Problem;

/// What can go wrong with any request that needs a key.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it documents what `Problem` says")]
pub(crate) enum ReadProblems {
    /// A parameter or id is not understood.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// The key is missing or unknown.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthorized(Problem),
    /// The key's scope is too small.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
    /// There is no such thing in this tenant.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(Problem),
    /// It will work later: see `Retry-After`.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}

/// What can go wrong with a command, besides [`ReadProblems`].
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it documents what `Problem` says")]
pub(crate) enum CommandProblems {
    /// A rule refuses it in the present state of things; `type` says which.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(Problem),
    /// It is not at the version of `If-Match`.
    #[response(status = 412, content_type = "application/problem+json")]
    Stale(Problem),
    /// The body is too large.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem),
    /// The body is not `application/json`.
    #[response(status = 415, content_type = "application/problem+json")]
    UnsupportedMediaType(Problem),
    /// The body is not what the route takes, or a rule refuses it; `type` says which.
    #[response(status = 422, content_type = "application/problem+json")]
    Unprocessable(Problem),
}
