//! Who calls: a bearer API key, the tenant it belongs to, and what it is good for.

use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use daybook_domain::TenantId;
use daybook_store::keys::Scope;

use super::Problem;
use super::in_flight::Place;
use super::trace::RequestContext;
use crate::App;

/// A scope as a type, so that a route's signature says what it requires.
pub(crate) trait Requires: Send + Sync {
    /// The scope.
    const SCOPE: Scope;
}

macro_rules! scopes {
    ($($name:ident),+) => {$(
        /// Requires the scope of the same name.
        pub(crate) struct $name;

        impl Requires for $name {
            const SCOPE: Scope = Scope::$name;
        }
    )+};
}

scopes!(Read, Book, Manage, Admin);

/// A caller whose key has the scope `S` or a larger one.
pub(crate) struct Caller<S> {
    /// Whose log the key opens.
    pub(crate) tenant: TenantId,
    /// The key's own id, for the record.
    pub(crate) actor: String,
    /// What the request belongs together with.
    pub(crate) request: RequestContext,
    /// What the key is good for, which may be more than the route requires.
    holds: Scope,
    requires: PhantomData<S>,
}

impl<S> Caller<S> {
    /// Whether the caller's key has the scope `T`.
    pub(crate) fn has<T: Requires>(&self) -> bool {
        self.holds >= T::SCOPE
    }

    /// Refuses what only some callers of a route may do: `what` needs the scope `T`.
    pub(crate) fn must_have<T: Requires>(&self, what: &str) -> Result<(), Problem> {
        if self.has::<T>() { Ok(()) } else { Err(insufficient(what, T::SCOPE, self.holds)) }
    }
}

impl<S: Requires> FromRequestParts<App> for Caller<S> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let key = bearer(parts)?;
        let holder = app.keys.holder(key).await?;
        let holder = holder.ok_or_else(|| unauthorized("invalid-key", "this is no API key"))?;
        if holder.scope < S::SCOPE {
            return Err(insufficient("this", S::SCOPE, holder.scope));
        }
        let span = tracing::Span::current();
        span.record("tenant", holder.tenant.as_str())
            .record("key_id", tracing::field::display(&holder.key_id));
        if let Some(place) = parts.extensions.get::<Arc<Place>>() {
            place.belongs_to(&holder.tenant)?;
        }
        Ok(Self {
            tenant: holder.tenant,
            actor: format!("key:{}", holder.key_id),
            request: parts.extensions.get().copied().unwrap_or_default(),
            holds: holder.scope,
            requires: PhantomData,
        })
    }
}

fn insufficient(what: &str, required: Scope, held: Scope) -> Problem {
    let detail = format!("{what} needs a key with scope {required}, not {held}");
    let title = "The key's scope is too small";
    Problem::new(StatusCode::FORBIDDEN, "insufficient-scope", title, detail)
        .with("required_scope", required.as_str())
}

fn bearer(parts: &Parts) -> Result<&str, Problem> {
    let missing = || unauthorized("missing-key", "send an API key as `Authorization: Bearer ...`");
    let header = parts.headers.get(header::AUTHORIZATION).ok_or_else(missing)?;
    let (scheme, key) = header.to_str().ok().and_then(|h| h.split_once(' ')).ok_or_else(missing)?;
    // RFC 9110 section 11.1: the scheme's name is not case-sensitive.
    if scheme.eq_ignore_ascii_case("bearer") { Ok(key.trim()) } else { Err(missing()) }
}

fn unauthorized(name: &str, detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, name, "An API key is needed", detail)
}
