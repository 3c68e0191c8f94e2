//! Who calls: by an API key or an access token, whose log that opens, and what it is good for.

use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use daybook_domain::ResourceId;
use daybook_domain::appointment::Appointment;
use daybook_domain::rights::{
    Few, Limits, LinkAction, LinkActions, Principal, Scope, Scopes, Who, links_end,
};
use daybook_store::audit::{self, Told};
use daybook_store::browser::{SessionHeld, SessionHolder};
use daybook_store::issuers::{TokenError, TokenHeld, TokenHolder, is_token};
use daybook_store::keys::{Held, KeyHolder, Owner};
use tokio::time::Instant;
use uuid::Uuid;

use super::in_flight::Place;
use super::trace::RequestContext;
use super::{Problem, basic, cookie};
use crate::App;

/// Scopes as a type, so that a route's signature says what it requires.
pub(crate) trait Requires: Send + Sync {
    /// All of them.
    const SCOPES: Scopes;

    /// Whether it keeps to what a caller is limited to: see [`Within`].
    const WITHIN_LIMITS: bool = false;

    /// What a link must be good for; `None`: links are not good for it. See [`Linked`].
    const BY_LINK: Option<LinkAction> = None;
}

macro_rules! scopes {
    ($($name:ident),+) => {$(
        /// Requires the scope of the same name.
        pub(crate) struct $name;

        impl Requires for $name {
            const SCOPES: Scopes = Scopes::of(&[Scope::$name]);
        }
    )+};
}

scopes!(Availability, Appointments, Analytics, Personal, Book, Manage, Privacy, Keys, Audit);

/// Requires the same, also of whoever is limited: what is done and told keeps to that. Any other route refuses them.
pub(crate) struct Within<S>(PhantomData<S>);

impl<S: Requires> Requires for Within<S> {
    const SCOPES: Scopes = S::SCOPES;
    const WITHIN_LIMITS: bool = true;
}

/// Requires no scope, but that somebody is known.
pub(crate) struct Anybody;

impl Requires for Anybody {
    const SCOPES: Scopes = Scopes::of(&[]);
}

/// Requires the same as [`Within`], or a link that is good for `A`.
pub(crate) struct Linked<S, A>(PhantomData<(S, A)>);

impl<S: Requires, A: ByLink> Requires for Linked<S, A> {
    const SCOPES: Scopes = S::SCOPES;
    const WITHIN_LIMITS: bool = true;
    const BY_LINK: Option<LinkAction> = Some(A::ACTION);
}

/// What links can be good for, as a type.
pub(crate) trait ByLink: Send + Sync {
    const ACTION: LinkAction;
}

macro_rules! by_link {
    ($($name:ident),+) => {$(
        pub(crate) struct $name;

        impl ByLink for $name {
            const ACTION: LinkAction = LinkAction::$name;
        }
    )+};
}

by_link!(See, Move, Cancel);

/// Requires both.
impl<A: Requires, B: Requires> Requires for (A, B) {
    const SCOPES: Scopes = A::SCOPES.and(B::SCOPES);
}

/// A principal of a tenant who has the scopes `S`, and perhaps more.
pub(crate) struct Caller<S> {
    principal: Principal,
    /// What the request belongs together with.
    pub(crate) request: RequestContext,
    /// What they have shown.
    pub(crate) credential: Credential,
    requires: PhantomData<S>,
}

impl<S> Deref for Caller<S> {
    type Target = Principal;

    fn deref(&self) -> &Principal {
        &self.principal
    }
}

/// What shows who somebody is. It can end while an answer lasts.
#[derive(Clone)]
pub(crate) enum Credential {
    Key(Box<KeyHolder>),
    Token(Box<TokenHolder>),
    Session(Box<SessionHolder>),
}

impl Credential {
    /// Of a tenant; `None`: of whoever runs daybook.
    fn principal(&self) -> Option<Principal> {
        match self {
            Self::Key(key) => key.principal(),
            Self::Token(token) => Some(token.principal.clone()),
            Self::Session(session) => Some(session.principal.clone()),
        }
    }

    /// The key, or the person of the token, by which sessions of browsers are made; and which one this is, where it is one.
    /// Those of one maker share what they may send in a second.
    pub(crate) fn maker(&self) -> (Uuid, Option<Uuid>) {
        match self {
            Self::Key(key) => (key.key_id, None),
            Self::Token(token) => (token.subject, None),
            Self::Session(session) => (session.maker_id, Some(session.id)),
        }
    }

    /// Waits until it is none any more.
    pub(crate) async fn ended(&self, app: &App) {
        match self {
            Self::Key(key) => app.keys.ended(key).await,
            Self::Token(token) => app.tokens.ended(token).await,
            Self::Session(session) => app.sessions_of_browsers.ended(session).await,
        }
    }
}

impl<S> Caller<S> {
    /// To whom answers are given again that are given to them: a key that replaces another is the same caller.
    pub(crate) fn line(&self) -> String {
        match &self.credential {
            Credential::Key(key) => Who::Key(key.lineage).to_string(),
            Credential::Token(_) | Credential::Session(_) => self.actor(),
        }
    }

    /// Whether the caller has the scopes `T`.
    pub(crate) fn has<T: Requires>(&self) -> bool {
        self.scopes.include(T::SCOPES)
    }

    /// Refuses what is the provider's to whoever is limited to a client: they are on that client's side.
    pub(crate) fn must_be_staff(&self) -> Result<(), Problem> {
        if self.limits.client_id.is_none() {
            return Ok(());
        }
        let title = "The key is a client's";
        let detail = "this is done on the provider's side, and your key is limited to a client";
        Err(forbidden("not-for-clients", title, detail))
    }

    /// To which resources the caller is limited, where that is all: what is on these lies within their limits. `None`: to
    /// none.
    ///
    /// # Errors
    /// When they are limited otherwise.
    pub(crate) fn only_resources(&self) -> Result<Option<&Few<ResourceId>>, Problem> {
        let Limits { locations, resource_ids, categories, client_id, appointment_id } =
            &self.limits;
        let of_some = client_id.is_some() || appointment_id.is_some();
        if locations.is_some() || categories.is_some() || of_some {
            return Err(limited());
        }
        Ok(resource_ids.as_ref())
    }

    /// Refuses what only some callers of a route may do: `what` needs the scopes `T`.
    pub(crate) fn must_have<T: Requires>(&self, what: &str) -> Result<(), Problem> {
        sufficient(what, T::SCOPES, self.scopes)
    }
}

impl<S: Requires> FromRequestParts<App> for Caller<S> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let credential = shown(parts, app).await?;
        Self::of(credential, parts)
    }
}

impl<S: Requires> Caller<S> {
    /// Who sent this request, whatever cookie is sent with it.
    pub(crate) async fn by_header(parts: &Parts, app: &App) -> Result<Self, Problem> {
        let credential = heard_out(parts, app, by_header(parts, app)).await?;
        Self::of(credential, parts)
    }

    /// Who sent this request, and has shown this.
    pub(super) fn of(credential: Credential, parts: &Parts) -> Result<Self, Problem> {
        let Some(principal) = credential.principal() else {
            let detail = "this is done by a tenant's key, and yours is an operator's";
            return Err(forbidden("not-a-tenants-key", "The key is no tenant's", detail));
        };
        asked_by(&principal);
        if let Who::Link { actions, .. } = &principal.who
            && !S::BY_LINK.is_some_and(|action| actions.include(action))
        {
            return Err(not_by_link(actions));
        }
        sufficient("this", S::SCOPES, principal.scopes)?;
        if !S::WITHIN_LIMITS && !principal.limits.are_none() {
            return Err(limited());
        }
        tracing::Span::current().record("tenant", principal.tenant.as_str());
        if let Some(place) = parts.extensions.get::<Arc<Place>>() {
            place.belongs_to(&principal.tenant)?;
        }
        let request = parts.extensions.get().copied().unwrap_or_default();
        Ok(Self { principal, request, credential, requires: PhantomData })
    }
}

/// Whoever runs daybook, for all tenants.
pub(crate) struct Operator {
    /// The key's own id, for the record.
    pub(crate) actor: String,
}

impl FromRequestParts<App> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let credential = shown(parts, app).await?;
        if let Credential::Key(key) = &credential
            && key.owner == Owner::Operator
        {
            return Ok(Self { actor: operator(key) });
        }
        if let Some(principal) = credential.principal() {
            asked_by(&principal);
        }
        let title = "The key is no operator's";
        let detail = "this is of all tenants: `daybook operator-key create` makes a key for it";
        Err(forbidden("not-an-operators-key", title, detail))
    }
}

/// A caller of a tenant, or whoever runs daybook.
pub(crate) enum CallerOrOperator<S> {
    Caller(Box<Caller<S>>),
    Operator,
}

impl<S: Requires> FromRequestParts<App> for CallerOrOperator<S> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let credential = shown(parts, app).await?;
        if let Credential::Key(key) = &credential
            && key.owner == Owner::Operator
        {
            operator(key);
            return Ok(Self::Operator);
        }
        Ok(Self::Caller(Box::new(Caller::of(credential, parts)?)))
    }
}

/// What whoever sent a request has shown.
async fn shown(parts: &Parts, app: &App) -> Result<Credential, Problem> {
    heard_out(parts, app, by_cookie_or_header(parts, app)).await
}

/// Of those who fail, only some are heard out; of those who do not, none who sends too much. Whoever has what was good within
/// the hour, or what a provider has signed, is heard out whatever their neighbours send.
pub(super) async fn heard_out(
    parts: &Parts,
    app: &App,
    credential: impl Future<Output = Result<Credential, Problem>>,
) -> Result<Credential, Problem> {
    let (from, now) = (app.peers.of(parts), Instant::now());
    if let Err(refused) = app.peers.admit(from, now)
        && !was_good(parts, app)
    {
        return Err(refused);
    }
    let credential = credential.await;
    if credential.as_ref().is_err_and(|problem| problem.status() == StatusCode::UNAUTHORIZED) {
        app.peers.failed(from, now);
    }
    let credential = credential?;
    let quota = app.rate.take(credential.maker().0, Instant::now())?;
    if let (Some(quota), Some(place)) = (quota, parts.extensions.get::<Arc<Place>>()) {
        place.has_left(quota);
    }
    Ok(credential)
}

/// Whether what is sent is likely to be good, as far as that can be told without the database.
fn was_good(parts: &Parts, app: &App) -> bool {
    match (bearer(parts), cookie::sent(&parts.headers)) {
        (Ok(token), _) if is_token(token) => app.tokens.is_signed(token),
        (Ok(key), _) => app.keys.was_good(key),
        (Err(_), Ok(Some(cookie))) => app.sessions_of_browsers.was_good(cookie),
        (Err(_), _) => basic::password(&parts.headers).is_some_and(|key| app.keys.was_good(&key)),
    }
}

async fn by_cookie_or_header(parts: &Parts, app: &App) -> Result<Credential, Problem> {
    let cookie = cookie::sent(&parts.headers)?;
    match (cookie, parts.headers.contains_key(header::AUTHORIZATION)) {
        (Some(cookie), false) => {
            cookie::refuse_other_sites(&parts.method, &parts.headers)?;
            session(cookie, app).await
        }
        (Some(_), true) => {
            let title = "Two credentials are sent";
            let detail = "a session's cookie or an `Authorization`: send one of them";
            Err(Problem::new(StatusCode::BAD_REQUEST, "two-credentials", title, detail))
        }
        (None, _) => by_header(parts, app).await,
    }
}

async fn by_header(parts: &Parts, app: &App) -> Result<Credential, Problem> {
    let text = bearer(parts)?;
    if is_token(text) { token(text, app).await } else { key(text, app).await }
}

async fn session(cookie: &str, app: &App) -> Result<Credential, Problem> {
    match app.sessions_of_browsers.holder(cookie).await? {
        SessionHeld::By(holder) => {
            known_as(&holder.principal.who);
            Ok(Credential::Session(Box::new(holder)))
        }
        SessionHeld::Suspended => Err(suspended()),
        SessionHeld::Ended => {
            Err(unauthorized("session-ended", "the session has ended: sign in again"))
        }
    }
}

pub(super) async fn key(text: &str, app: &App) -> Result<Credential, Problem> {
    match app.keys.holder(text).await? {
        Held::By(holder) => {
            if let Some(principal) = holder.principal().filter(|_| holder.link.is_some()) {
                app.has_not_ended(&principal).await?;
            }
            known_as(&holder.key_id);
            Ok(Credential::Key(Box::new(holder)))
        }
        Held::Suspended(key) => {
            key.principal().iter().for_each(asked_by);
            Err(suspended())
        }
        Held::Expired(key) => {
            key.principal().iter().for_each(asked_by);
            Err(unauthorized("expired-key", "the key has expired: ask for a new one"))
        }
        Held::Unknown => Err(unauthorized("invalid-key", "this is no API key")),
    }
}

fn not_by_link(actions: &LinkActions) -> Problem {
    let names: Vec<&str> = actions.iter().map(LinkAction::as_str).collect();
    let detail = format!("the link is good for this: {}, of its appointment", names.join(", "));
    forbidden("not-by-link", "The link is not good for this", detail)
}

impl App {
    /// Refuses a link whose visit is over.
    async fn has_not_ended(&self, principal: &Principal) -> Result<(), Problem> {
        let Some(id) = principal.limits.appointment_id else { return Ok(()) };
        let known = self.engine.known::<Appointment>(&principal.tenant, id.uuid(), None).await?;
        let end = known.and_then(|known| links_end(&known.state, known.updated_at));
        if end.is_some_and(|end| end > self.engine.clock().now()) {
            return Ok(());
        }
        Err(unauthorized(
            "expired-key",
            "the link has ended, as its visit is over: ask for a new one",
        ))
    }
}

/// What cannot be done, or told, of only some of a tenant.
pub(crate) fn limited() -> Problem {
    let detail = "this is of all of the tenant, and your key is limited to some of it: ask for a key without limits";
    forbidden("limited-key", "The key is limited", detail)
}

/// Whoever asks is known to the audit log from now on, also where they are refused.
fn asked_by(principal: &Principal) {
    let has = |scope: Scope| principal.scopes.iter().any(|it| it == scope);
    let restricted = has(Scope::Privacy);
    let told = Told { personal: restricted || has(Scope::Personal), restricted };
    audit::asked_by(Some(&principal.tenant), &principal.actor(), told);
}

/// The same, of whoever runs daybook; what they are called.
fn operator(key: &KeyHolder) -> String {
    let actor = format!("operator-key:{}", key.key_id);
    audit::asked_by(None, &actor, Told::default());
    actor
}

async fn token(text: &str, app: &App) -> Result<Credential, Problem> {
    match app.tokens.holder(text).await? {
        TokenHeld::By(holder) => {
            known_as(&holder.principal.who);
            Ok(Credential::Token(Box::new(holder)))
        }
        TokenHeld::Suspended(by) => {
            asked_by(&by);
            Err(suspended())
        }
        TokenHeld::Expired(by) => {
            by.iter().for_each(asked_by);
            let detail = "the token has expired: ask its issuer for a new one";
            Err(unauthorized("expired-token", detail))
        }
        TokenHeld::Refused(why, by) => {
            by.iter().for_each(asked_by);
            Err(unauthorized("invalid-token", why.unwrap_or(NO_TOKEN)))
        }
        TokenHeld::NoKeys => {
            Err(Problem::unavailable("the keys of the token's issuer cannot be had at present"))
        }
    }
}

/// Which of these it is would say what there is.
const NO_TOKEN: &str = "this is no access token that is taken here: its issuer, audience, type, algorithm, key and \
     signature must be those of an issuer of the tenant's (GET /v1/issuers); the program's log says more, at debug";

/// In all lines of the log that are of this request.
pub(super) fn known_as(who: &impl std::fmt::Display) {
    tracing::Span::current().record("key_id", tracing::field::display(who));
}

pub(super) fn suspended() -> Problem {
    let title = "The tenant is suspended";
    let detail = "nothing is lost: ask whoever runs this daybook to resume it";
    forbidden("tenant-suspended", title, detail)
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Database(error) => error.into(),
            TokenError::Keyring(error) => error.read().into(),
            TokenError::NoKeyring => Self::internal().because(&error),
        }
    }
}

/// Refuses `what` to whoever has less than it needs.
pub(crate) fn sufficient(what: &str, required: Scopes, held: Scopes) -> Result<(), Problem> {
    let missing = required.without(held);
    let Some(first) = missing.iter().next() else { return Ok(()) };
    let detail = format!("{what} needs a key with {}, not {held}", in_words(required));
    let title = "The key is not good for this";
    Err(forbidden("insufficient-scope", title, detail).with("required_scope", first.as_str()))
}

/// "the scopes `a` and `b`"
pub(crate) fn in_words(scopes: Scopes) -> String {
    let names: Vec<String> = scopes.iter().map(|scope| format!("`{scope}`")).collect();
    match names.as_slice() {
        [one] => format!("the scope {one}"),
        several => format!("the scopes {}", several.join(" and ")),
    }
}

pub(crate) fn forbidden(name: &str, title: &'static str, detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, name, title, detail)
}

fn bearer(parts: &Parts) -> Result<&str, Problem> {
    let missing = || {
        unauthorized(
            "missing-key",
            "send an API key or an access token as `Authorization: Bearer ...`",
        )
    };
    let header = parts.headers.get(header::AUTHORIZATION).ok_or_else(missing)?;
    let (scheme, key) = header.to_str().ok().and_then(|h| h.split_once(' ')).ok_or_else(missing)?;
    // RFC 9110 section 11.1: the scheme's name is not case-sensitive.
    if scheme.eq_ignore_ascii_case("bearer") { Ok(key.trim()) } else { Err(missing()) }
}

pub(super) fn unauthorized(name: &str, detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, name, "An API key is needed", detail)
}
