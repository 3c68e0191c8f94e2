//! The problems that routes have in common, for the documentation.

use utoipa::IntoResponses;

use crate::http::Problem;

/// What can go wrong with any request that needs a key.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it documents what `Problem` says")]
pub(crate) enum ReadProblems {
    /// A parameter or id is not understood: `invalid-query`, `invalid-range`, `invalid-date`, `invalid-id` and others; or a
    /// header is given twice that says one thing: `repeated-header`; a cookie is sent beside an `Authorization`: `two-credentials`; or
    /// `Daybook-Purpose` is no word: `invalid-purpose`.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// The key is missing (`missing-key`), unknown (`invalid-key`) or has expired (`expired-key`); or the access token is none
    /// (`invalid-token`) or has expired (`expired-token`), or the browser's session has ended (`session-ended`).
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthorized(Problem),
    /// The key is not good for this: `insufficient-scope` `not-a-tenants-key` or `not-an-operators-key`. Or the tenant is suspended
    /// (`tenant-suspended`). Or another site's page has a browser ask it: `cross-site`.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
    /// There is no such thing in this tenant.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(Problem),
    /// The path with its query is too long: `uri-too-long`.
    #[response(status = 414, content_type = "application/problem+json")]
    UriTooLong(Problem),
    /// The key has sent more requests a second than whoever runs the program allows: `rate-limited`. Or too many requests without a
    /// good key have come from this address: `too-many-failures`. See `Retry-After`.
    #[response(status = 429, content_type = "application/problem+json")]
    RateLimited(Problem),
    /// It will work later: see `Retry-After`. `overloaded`: others, or your own requests, have the room; `unavailable`:
    /// something that it needs is not there, or it took too long; `not-recorded`: the audit log cannot be written, so it is not
    /// told or done.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(Problem),
}

/// What can go wrong with a search for free time, besides [`ReadProblems`].
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it documents what `Problem` says")]
pub(crate) enum SearchProblems {
    /// What is looked for cannot be booked, or it is `too-broad`: more than one search looks at. `detail` says of what
    /// to ask for less.
    #[response(status = 422, content_type = "application/problem+json")]
    Unprocessable(Problem),
}

/// What can go wrong where much is looked at, besides [`ReadProblems`].
#[derive(IntoResponses)]
#[expect(dead_code, reason = "it documents what `Problem` says")]
pub(crate) enum BroadProblems {
    /// It is `too-broad`: more than one request looks at. `detail` says of what to ask for less.
    #[response(status = 422, content_type = "application/problem+json")]
    TooBroad(Problem),
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
    /// The body is too large: `body-too-large`.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem),
    /// The body is not `application/json`.
    #[response(status = 415, content_type = "application/problem+json")]
    UnsupportedMediaType(Problem),
    /// The body is not what the route takes (`invalid-body`), or a rule refuses it; `type` says which: a series is
    /// refused with `too-many-occurrences`, for instance.
    #[response(status = 422, content_type = "application/problem+json")]
    Unprocessable(Problem),
}
